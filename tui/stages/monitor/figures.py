"""Performance in words, for the tab and the command: figures with intervals, what estimates are worth, money. Pure."""

from collections.abc import Sequence

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor import Concept, Figure, Performance, Stale
from lemnis.tui.format import money, number

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
        return "; no labels yet"
    return f"; labels are {found.lag_ms / DAY_MS:.1f} days behind the rows" if found.lag_ms >= DAY_MS / 2 else ""


def next_metric(found: Performance, metric: str) -> str:
    """Return the figure after the one that is shown, round and round."""
    shown = metric if metric in found.metrics else main_metric(found)
    return found.metrics[(found.metrics.index(shown) + 1) % len(found.metrics)] if found.metrics else metric


def summary_lines(found: Performance, name: str) -> dict[str, str]:
    """Return the concept, the money, what estimates are worth, and whether their assumption holds, by subject."""
    lines: dict[str, str] = {}
    kept, unit = found.record.get(name), unit_of(found, name)
    if kept is not None:
        held = f"within ±{told(kept.reach, unit)} in {kept.inside} of {kept.windows} windows"
        lines["estimates"] = f"{held}, off by {told(kept.off, unit)} in the median"
    elif found.why:
        lines["estimates"] = f"none: {found.why}"
    if found.assumption is not None:
        holds = "holds" if found.assumption.holds else "does not hold, estimates mislead"
        error = f"error {number(found.assumption.error)} of {number(found.assumption.allowed)} allowed"
        lines["calibration"] = f"{error} ({iso_utc(found.assumption.starts)[:10]}): {holds}"
    if found.concept is not None:
        lines["concept"] = concept_words(found.concept)
        lines["labels"] = order_words(found.concept)
    total = found.total
    if total is not None:
        parts = [
            f"{ends(figure, found.currency)} {how} in {windows} windows"
            for figure, how, windows in (
                (total.measured, "measured", total.measured_windows),
                (total.estimated, "estimated", total.estimated_windows),
            )
            if figure is not None
        ]
        lines["money"] = f"since {iso_utc(total.since)[:10]} {', '.join(parts)}, against held out"
    return {subject: lines[subject] for subject in SUBJECTS if subject in lines}


def concept_words(concept: Concept) -> str:
    """Return what the detectors say together, and which of them found it."""
    since = f" since {iso_utc(concept.since)[:10]}" if concept.since is not None else ""
    alone = [
        f"{one.detector} {iso_utc(one.event_at)[:10]}"
        for one in concept.detections
        if one.level == "drift" and one.detector != "concept"
    ]
    found = f" ({', '.join(alone[-2:])})" if alone else ""
    return f"{concept.state}{since}{found}"


def order_words(concept: Concept) -> str:
    """Return how far the detectors have read, and what was done about labels out of order."""
    line = f"{concept.rows:,} read in order up to {iso_utc(concept.event_at)[:10]}"
    line += f", waiting {concept.waits_ms / DAY_MS:.1f} days for others"
    late = f"; {concept.late:,} came later, read again from there" if concept.late else ""
    return line + late + (f"; {concept.left_out:,} came too late, left out" if concept.left_out else "")


def unit_of(found: Performance, name: str) -> str:
    """Return the currency a figure is in, empty for one that is no money."""
    return found.currency if name == MONEY else ""


def told(value: float | None, unit: str) -> str:
    """Return a value: money where `unit` is a currency, else a number."""
    return money(value, unit) if unit else number(value)


def ends(figure: Figure | None, unit: str) -> str:
    """Return a figure with its interval: ``0.713 [0.674, 0.750]``; see `told`."""
    if figure is None or figure.low is None:
        return told(figure.value if figure else None, unit)
    return f"{told(figure.value, unit)} [{told(figure.low, unit)}, {told(figure.high, unit)}]"


def stale_lines(found: Sequence[Stale]) -> list[str]:
    """Return what was stated when stale models were trained and what is stated now, under a line for each model."""
    lines: list[str] = []
    for one in found:
        by = f", waived by {one.waived.who}: {one.waived.why}" if one.waived else ""
        lines.append(f"{one.model} v{one.version} is stale: the problem is not the one it was trained for{by}")
        lines += [f"  {d.key}: was {d.before or '–'}, is {d.after or '–'}" for d in one.differences]
    return lines
