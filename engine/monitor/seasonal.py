"""Which training rows a window is compared with: those of its hour or weekday where these differ, else all of them."""

import msgspec

from lemnis.engine.monitor.drift.seasons import Season, called, hours_of, rows_in, season_at
from lemnis.engine.monitor.parts import unpacked
from lemnis.engine.monitor.records import PREDICTION
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.spans import Width
from lemnis.engine.monitor.tally import Binning, Tally
from lemnis.engine.store import Store


def seasonal_reference(store: Store, reference: Reference, width: Width, start: int) -> Reference:
    """Return the reference of one window, its counts by hour read from the store where they are needed.

    Args:
        store: Where the counts by hour of the week are.
        reference: Of the model version that answered.
        width: Of the window.
        start: Of the window, epoch ms.
    """
    places = [season_at(seasons, width, start) for seasons in (reference.seasons, reference.answer_seasons)]
    wanted = sorted({hour for found in places if found for hour in hours_of(found[0].level, found[1])})
    if not wanted:
        return in_season(reference, width, start)
    sql = """select hour, tally from monitor_reference_hours
             where model = ? and version = ? and hour in (select value from json_each(?))"""
    rows = store.rows(sql, [reference.model, reference.version, msgspec.json.encode(wanted).decode()])
    hours = {row["hour"]: unpacked(row["tally"]) for row in rows}
    return in_season(msgspec.structs.replace(reference, hours=hours), width, start)


def in_season(reference: Reference, width: Width, start: int) -> Reference:
    """Return the reference of one window, and say in `against` which rows it counts.

    Args:
        reference: With the `hours` that the window's season needs.
        width: Of the window.
        start: Of the window, epoch ms.
    """
    inputs, answers = (season_at(seasons, width, start) for seasons in (reference.seasons, reference.answer_seasons))
    against = in_words(reference, width, None)
    false_alarms = reference.false_alarms
    binnings = list(reference.binnings)
    for found, is_answer in ((inputs, False), (answers, True)):
        if found is not None:
            season, place = found
            own = rows_in(reference.hours, hours_of(season.level, place))
            binnings = [of_hours(b, own, season) if (b.name == PREDICTION) == is_answer else b for b in binnings]
            if not is_answer:
                against, false_alarms = in_words(reference, width, (season, place, own.rows)), season.false_alarms
    return msgspec.structs.replace(reference, binnings=binnings, false_alarms=false_alarms, against=against)


def of_hours(binning: Binning, own: Tally, season: Season) -> Binning:
    """Return a feature's reference with the counts of some hours; its cells and range stay those of all rows."""
    column = own.columns[binning.name]
    return msgspec.structs.replace(binning, counts=column.counts, sums=column.sums, null=season.nulls.get(binning.name))


def in_words(reference: Reference, width: Width, found: tuple[Season, int, int] | None) -> str:
    """Return which training rows a window is compared with, and why these."""
    if found is not None:
        season, place, rows = found
        return (
            f"the {rows:,} training rows of {called(season.level, place)}: by {season.level}, {season.feature} differs "
            f"by up to {season.effect:.2f}"
        )
    if width in ("week", "month"):
        why = f"a {width} holds every hour and weekday"
    elif reference.seasons:
        why = f"too few of them are of the same {'weekday' if width == 'day' else 'hour'}, or it makes no difference"
    else:
        why = reference.unseasonal or "they were not counted by hour of the week"
    return f"all {reference.rows:,} training rows: {why}"
