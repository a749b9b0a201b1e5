"""Seasons of the training rows: which hours of the week differ, and what chance does among rows of the same hours.

Rows are counted by hour of the week (in UTC, from Monday 00:00). Hours and weekdays are sums of these, so the counts a
window is compared with are exact, whatever came in which order.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.monitor.drift.calibration import LEAST, SIZES, FalseAlarms, calibrate, codes_of
from lemnis.engine.monitor.drift.chance import benjamini_hochberg
from lemnis.engine.monitor.drift.null import Null
from lemnis.engine.monitor.drift.scores import p_value, scores_of
from lemnis.engine.monitor.policy import SIGNIFICANT
from lemnis.engine.monitor.spans import DAY_MS, HOUR_MS, Width
from lemnis.engine.monitor.tally import Binning, Column, Tally, count_numbers

Numbers = NDArray[np.float64]
Moments = NDArray[np.int64]
Level: TypeAlias = Literal["hour", "weekday", "hour of the week"]

LEVELS: tuple[Level, ...] = get_args(Level)  # in the order they are looked at: the last is finer than both others
OF_WIDTH: dict[Width, tuple[Level, ...]] = {  # the finest first; a longer window holds every hour and weekday
    "minute": ("hour of the week", "hour"),
    "hour": ("hour of the week", "hour"),
    "day": ("weekday",),
}
WEEKS = 4  # that the rows must span, and times that an hour must have come back
LEAST_ROWS = LEAST * SIZES[0]  # of an hour or weekday; fewer say nothing of chance
DIFFERS = 0.05  # effect from which an hour differs from the others, as the least effect of [monitor] by default
HOURS = 7 * 24
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """Hours, weekdays or hours of the week that differ from each other in the training rows.

    Attributes:
        places: Those with enough rows: 0 to 23, 0 to 6 from Monday, or 0 to 167 from Monday 00:00.
        feature, effect: What differs most between one of them and the rest, and by how much.
        nulls: By feature, the scores of past windows against other rows of the same hours.
        false_alarms: Of the rule in such windows.
    """

    level: Level
    places: list[int]
    feature: str
    effect: float
    nulls: dict[str, Null]
    false_alarms: list[FalseAlarms]


def hour_of_week(moments: Moments) -> Moments:
    """Return 0 to 167 for moments in epoch ms; 1970 began on a Thursday."""
    return (moments // HOUR_MS + 3 * 24) % HOURS


def place_of(level: Level, hour: int) -> int:
    """Return which hour, weekday or hour of the week an hour of the week belongs to."""
    return {"hour": hour % 24, "weekday": hour // 24, "hour of the week": hour}[level]


def hours_of(level: Level, place: int) -> list[int]:
    """Return the hours of the week in a place."""
    return [hour for hour in range(HOURS) if place_of(level, hour) == place]


def called(level: Level, place: int) -> str:
    """Return a place in words: ``Mondays``, ``09:00–10:00 UTC`` or both."""
    day = "" if level == "hour" else WEEKDAYS[place if level == "weekday" else place // 24]
    clock = "" if level == "weekday" else f"{place % 24:02}:00–{place % 24 + 1:02}:00 UTC"
    return " ".join(part for part in (day, clock) if part)


def count_hours(binnings: Sequence[Binning], matrix: Numbers, moments: Moments) -> dict[int, Tally]:
    """Return the counts of encoded rows by hour of the week.

    Args:
        binnings: Of the matrix's columns.
        matrix: Shape (rows, features).
        moments: Epoch ms of each row.
    """
    hours = hour_of_week(moments)
    found: dict[int, Tally] = {}
    for hour in np.unique(hours).tolist():
        rows = matrix[hours == hour]
        columns = {b.name: count_encoded(b, rows[:, place]) for place, b in enumerate(binnings)}
        found[hour] = Tally(rows=len(rows), columns=columns)
    return found


def count_encoded(binning: Binning, values: Numbers) -> Column:
    """Return the counts of one encoded column."""
    if binning.kind != "categorical":
        return count_numbers(binning, values)
    return Column(counts=np.bincount(codes_of(binning, values), minlength=len(binning.counts)).tolist())


def seasons_of(
    binnings: Sequence[Binning], matrix: Numbers, moments: Moments, importance: dict[str, float]
) -> tuple[list[Season], dict[int, Tally], str]:
    """Return the seasons that rows show, their counts by hour of the week, and why there is no season.

    Args:
        binnings: Of the matrix's columns.
        matrix: Rows in order of time, shape (rows, features).
        moments: Epoch ms of each row; none where rows have no time.
        importance: Share of the model's gain by feature.
    """
    if not len(moments):
        return [], {}, "they have no time"
    weeks = (moments[-1] - moments[0]) / (7 * DAY_MS)
    if weeks < WEEKS:
        return [], {}, f"they span {weeks:.1f} weeks; {WEEKS} are needed to tell hours and weekdays apart"
    counted = count_hours(binnings, matrix, moments)
    found: list[Season] = []
    enough = False
    for level in LEVELS:
        groups = grouped(level, moments)
        enough = enough or len(groups) > 1
        shown = differing(binnings, counted, level, list(groups), by_hour=any(s.level == "hour" for s in found))
        if shown is not None:
            judged, alarms = calibrate(binnings, [matrix[rows] for rows in groups.values()], importance, apart=True)
            nulls = {binning.name: binning.null for binning in judged if binning.null is not None}
            found.append(
                Season(
                    level=level,
                    places=list(groups),
                    feature=shown[0],
                    effect=shown[1],
                    nulls=nulls,
                    false_alarms=alarms,
                )
            )
    if found:
        return found, counted, ""
    few = f"no two hours or weekdays have {LEAST_ROWS:,} rows on {WEEKS} days"
    return [], {}, f"no hour or weekday differs from the others by {DIFFERS:g}" if enough else few


def grouped(level: Level, moments: Moments) -> dict[int, Moments]:
    """Return the places of the rows of each hour, weekday or hour of the week that has enough of them."""
    places = np.array([place_of(level, hour) for hour in range(HOURS)])[hour_of_week(moments)]
    found = {place: np.flatnonzero(places == place) for place in np.unique(places).tolist()}
    return {
        place: rows
        for place, rows in found.items()
        if len(rows) >= LEAST_ROWS and len(np.unique(moments[rows] // DAY_MS)) >= WEEKS
    }


def differing(
    binnings: Sequence[Binning], counted: Mapping[int, Tally], level: Level, places: Sequence[int], *, by_hour: bool
) -> tuple[str, float] | None:
    """Return feature and effect that most set a place apart from the rest; None where nothing does.

    Where hours are told apart already (`by_hour`), an hour of the week is set apart from the same hour of all weekdays:
    the finer level must say more than the coarser one.
    """
    tested: list[tuple[str, float, float]] = []
    totals = {hour: rows_in(counted, hours_of("hour", hour)) for hour in range(24)} if by_hour else {}
    whole = rows_in(counted, range(HOURS))
    for place in places:
        own = rows_in(counted, hours_of(level, place))
        around = totals[place % 24] if by_hour and level == "hour of the week" else whole
        for binning in binnings:
            column, all_counts = own.columns[binning.name], around.columns[binning.name].counts
            rest = [total - mine for total, mine in zip(all_counts, column.counts, strict=True)]
            if sum(rest) >= LEAST_ROWS:
                scores = scores_of(msgspec.structs.replace(binning, counts=rest, spread=0.0), column)
                tested.append((binning.name, scores.effect, p_value(scores, 1.0)))
    adjusted = benjamini_hochberg([p for *_, p in tested])
    clear = [
        (name, effect)
        for (name, effect, _), p in zip(tested, adjusted, strict=True)
        if effect >= DIFFERS and p <= SIGNIFICANT
    ]
    return max(clear, key=lambda entry: entry[1], default=None)


def rows_in(counted: Mapping[int, Tally], hours: Sequence[int] | range) -> Tally:
    """Return what was counted in some hours of the week."""
    return sum((counted[hour] for hour in hours if hour in counted), Tally())


def season_at(seasons: Sequence[Season], width: Width, start: int) -> tuple[Season, int] | None:
    """Return the finest season that a window belongs to, and its place there; None where all rows are its reference.

    Args:
        seasons: That the training rows show.
        width: Of the window.
        start: Of the window, epoch ms.
    """
    hour = int(hour_of_week(np.array(start)))
    for level in OF_WIDTH.get(width, ()):
        for season in seasons:
            if season.level == level and place_of(level, hour) in season.places:
                return season, place_of(level, hour)
    return None
