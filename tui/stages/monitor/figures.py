"""Performance in words, for the tab and the command: figures with intervals, what estimates are worth, money. Pure."""

from collections.abc import Sequence

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor import Concept, Figure, Performance, Stale
from lemnis.tui.format import money, number
from lemnis.tui.language import _
from lemnis.tui.sentences import told

DAY_MS = 86_400_000
MONEY = "value_per_1000"
SUBJECTS = ("concept", "money", "estimates", "calibration", "labels")  # of the lines, what hurts first
MAIN = ("roc_auc", "mean_absolute_error", "accuracy")  # the first of these that there is, is shown first


def main_metric(found: Performance) -> str:
    """Return the figure that is shown when none is chosen."""
    return next((name for name in MAIN if name in found.metrics), next(iter(found.metrics), "log_loss"))


def lag_words(found: Performance) -> str:
    """Return how far labels are behind."""
    if found.lag_ms is None:
        return _("; no labels yet")
    return (
        _("; labels are {lag_ms:.1f} days behind the rows").format(lag_ms=found.lag_ms / DAY_MS)
        if found.lag_ms >= DAY_MS / 2
        else ""
    )


def next_metric(found: Performance, metric: str) -> str:
    """Return the figure after the one that is shown, round and round."""
    shown = metric if metric in found.metrics else main_metric(found)
    return found.metrics[(found.metrics.index(shown) + 1) % len(found.metrics)] if found.metrics else metric


def summary_lines(found: Performance, name: str) -> dict[str, str]:
    """Return the concept, the money, what estimates are worth, and whether their assumption holds, by subject."""
    lines: dict[str, str] = {}
    kept, unit = found.record.get(name), unit_of(found, name)
    if kept is not None:
        held = _("within ±{told} in {inside} of {windows} windows").format(
            told=in_unit(kept.reach, unit), inside=kept.inside, windows=kept.windows
        )
        lines["estimates"] = _("{held}, off by {told} in the median").format(held=held, told=in_unit(kept.off, unit))
    elif found.why:
        lines["estimates"] = _("none: {why}").format(why=told(found.why))
    if found.assumption is not None:
        holds = _("holds") if found.assumption.holds else _("does not hold, estimates mislead")
        error = _("error {error} of {allowed} allowed").format(
            error=number(found.assumption.error), allowed=number(found.assumption.allowed)
        )
        lines["calibration"] = f"{error} ({iso_utc(found.assumption.starts)[:10]}): {holds}"
    if found.concept is not None:
        lines["concept"] = concept_words(found.concept)
        lines["labels"] = order_words(found.concept)
    total = found.total
    if total is not None:
        parts = [
            _("{ends} {how} in {windows} windows").format(ends=ends(figure, found.currency), how=how, windows=windows)
            for figure, how, windows in (
                (total.measured, _("measured"), total.measured_windows),
                (total.estimated, _("estimated"), total.estimated_windows),
            )
            if figure is not None
        ]
        lines["money"] = _("since {iso_utc} {parts}, against held out").format(
            iso_utc=iso_utc(total.since)[:10], parts=", ".join(parts)
        )
    return {subject: lines[subject] for subject in SUBJECTS if subject in lines}


def concept_words(concept: Concept) -> str:
    """Return what the detectors say together, and which of them found it."""
    since = " " + _("since {iso_utc}").format(iso_utc=iso_utc(concept.since)[:10]) if concept.since is not None else ""
    alone = [
        f"{one.detector} {iso_utc(one.event_at)[:10]}"
        for one in concept.detections
        if one.level == "drift" and one.detector != "concept"
    ]
    found = f" ({', '.join(alone[-2:])})" if alone else ""
    return f"{concept.state}{since}{found}"


def order_words(concept: Concept) -> str:
    """Return how far the detectors have read, and what was done about labels out of order."""
    line = _("{rows:,} read in order up to {iso_utc}").format(rows=concept.rows, iso_utc=iso_utc(concept.event_at)[:10])
    line += _(", waiting {waits_ms:.1f} days for others").format(waits_ms=concept.waits_ms / DAY_MS)
    late = _("; {late:,} came later, read again from there").format(late=concept.late) if concept.late else ""
    return (
        line
        + late
        + (_("; {left_out:,} came too late, left out").format(left_out=concept.left_out) if concept.left_out else "")
    )


def unit_of(found: Performance, name: str) -> str:
    """Return the currency a figure is in, empty for one that is no money."""
    return found.currency if name == MONEY else ""


def in_unit(value: float | None, unit: str) -> str:
    """Return a value: money where `unit` is a currency, else a number."""
    return money(value, unit) if unit else number(value)


def ends(figure: Figure | None, unit: str) -> str:
    """Return a figure with its interval: ``0.713 [0.674, 0.750]``; see `in_unit`."""
    if figure is None or figure.low is None:
        return in_unit(figure.value if figure else None, unit)
    return f"{in_unit(figure.value, unit)} [{in_unit(figure.low, unit)}, {in_unit(figure.high, unit)}]"


def stale_lines(found: Sequence[Stale]) -> list[str]:
    """Return what was stated when stale models were trained and what is stated now, under a line for each model."""
    lines: list[str] = []
    for one in found:
        by = _(", waived by {who}: {why}").format(who=one.waived.who, why=one.waived.why) if one.waived else ""
        lines.append(
            _("{model} v{version} is stale: the problem is not the one it was trained for{by}").format(
                model=one.model, version=one.version, by=by
            )
        )
        lines += [
            "  " + _("{key}: was {before}, is {after}").format(key=d.key, before=d.before or "–", after=d.after or "–")
            for d in one.differences
        ]
    return lines
