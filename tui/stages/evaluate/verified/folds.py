"""Folds: a run's conditions trained again and again, a line a fold, mean and spread, the worst one named. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate import FoldResult, Folds
from lemnis.engine.text import safe
from lemnis.tui.format import duration, number
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.rows import measure_text, title_of
from lemnis.tui.widgets.cells import Col, Row
from lemnis.tui.widgets.text import bar_of

SECOND = {"roc_auc": "log_loss", "rmse": "r2"}  # the measure that stands beside the task's first
STRIP, FIGURES, SECOND_CELLS = 8, 73, 12  # cells of the strip at least, of the columns beside it, of the second measure
WIDE = 84  # cells from which the second measure has room
FOLDS_TEXT = (
    "The run's own conditions (features, parameters, seed, as many rounds as its model has) are trained again on "
    "folds of the training and validation rows; the test rows stay unseen. k-fold: each part of the shuffled rows is "
    "judged by a model of all others, which flatters where rows of one day or thing go together. time: each of the "
    "last months is judged by what learned from all before it, as it would have been in use. group: rows of one group"
    " (dataset.group, or a column) are never on both sides. Categories and ranges are learned anew in each fold. ± is"
    " the standard deviation over the folds. Command: lemnis evaluate RUN --folds time|k-fold|group[:COLUMN] -k 5."
)


def folds_listing(found: Sequence[Folds], width: int) -> Listing:
    """Return a line a fold of every scheme that was tried, the latest first."""
    metric = found[0].metric if found else _("measure")
    second = SECOND.get(metric, "") if width >= WIDE else ""
    strip = max(STRIP, width - FIGURES - (SECOND_CELLS if second else 0))
    columns = [
        Col("scheme"), Col("fold", most=20), Col("learned", right=True), Col("judged", right=True),
        Col("value", title_of(metric), right=True), *([Col("second", title_of(second), right=True)] if second else []),
        Col("mark", " "), Col("strip", " ", width=strip),
    ]  # fmt: skip
    values = [value for one in found for fold in one.folds if (value := fold.metrics.get(metric)) is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return Listing(
        title=_("Folds"),
        detail=f"· {summary_words(found[0])}" if found else "",
        columns=columns,
        rows=[fold_row(one, fold, second, (low, high), strip) for one in found for fold in one.folds],
        empty=_("Not trained on folds yet. Press {evaluate.folds}."),
        below=_("Folds"),
        lines=lambda key, cells: fold_lines(found, key),
        foot=_("F: train on other folds") if found else "",
    )


def summary_words(one: Folds) -> str:
    """Return mean and spread of the folds of a scheme."""
    spread = f" ± {number(one.spread)}" if one.spread is not None else ""
    return f"{one.scheme}: {title_of(one.metric)} {number(one.mean)}{spread}"


def fold_row(one: Folds, fold: FoldResult, second: str, ends: tuple[float, float], strip: int) -> Row:
    """Return one fold's row; its bar starts a little below the least of all."""
    value, other = fold.metrics.get(one.metric), fold.metrics.get(second)
    low, high = ends
    floor = low - 0.25 * ((high - low) or abs(low) or 1.0)
    worst = fold.name == one.worst and len(one.folds) > 1
    bar = bar_of((value - floor) / ((high - floor) or 1.0), strip) if value is not None else ""
    more = [(measure_text(second, other, ""), other)] if second else []
    cells = [
        (one.scheme, one.scheme), (fold.name, fold.name), (number(fold.learned), fold.learned),
        (number(fold.judged), fold.judged), (measure_text(one.metric, value, ""), value), *more,
        (Content.styled(_('▲ worst') if worst else "", "$warn"), worst),
        (Content.styled(bar, "$warn" if worst else "$muted"), None),
    ]  # fmt: skip
    key = f"{one.scheme}\n{one.folds.index(fold)}"
    return Row(key, [cell for cell, _ in cells], [value for _, value in cells])


def fold_lines(found: Sequence[Folds], key: str) -> list[Content]:
    """Return what is known of the scheme under the cursor, and every measure of its fold."""
    scheme, _rest, rest = key.partition("\n")
    one = next((one for one in found if one.scheme == scheme), None)
    if one is None:
        return []
    place = int(rest)
    stopped = (
        _(", stopped after {folds} of {of}").format(folds=len(one.folds), of=one.of) if len(one.folds) < one.of else ""
    )
    measures = "  ".join(
        f"{title_of(name)} {measure_text(name, value, '')}"
        for name, value in one.folds[place].metrics.items()
        if name not in ("value", "value_per_1000")
    )
    return [
        Content.assemble((summary_words(one), "bold"), (stopped, "$warn")),
        Content(
            _("worst: {worst}").format(worst=safe(one.worst))
            + (" " + _("· groups by {column}").format(column=safe(one.column)) if one.column else "")
        ),
        Content.styled(
            _("{parts} rows, {rounds:,} rounds each, {seconds} in all").format(
                parts=f" {_('and')} ".join(one.parts), rounds=one.rounds, seconds=duration(one.seconds)
            ),
            "$muted",
        ),
        Content.assemble((f"{safe(one.folds[place].name)}  ", "bold"), (measures, "$muted")),
    ]
