"""Slices where the model is worse than elsewhere: a line a slice, its rows one key away. Pure."""

from textual.content import Content

from lemnis.engine.evaluate import Slice, Slices
from lemnis.engine.text import safe
from lemnis.tui.format import delta, number, share
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.rows import measure_text, title_of
from lemnis.tui.stages.evaluate.verified.baselines import p_text
from lemnis.tui.widgets.cells import Col, Row

FIGURES = 53  # cells of the columns beside the slice's words
SLICES_TEXT = (
    "Every bin of a number and every category is a slice of the rows that judge the model, and so is every pair of "
    "them over the twelve most important features. A slice needs 1 % of the rows and 50 of them. Its mean loss (log "
    "loss, or absolute error of a number) is tested against that of all other rows; rows of one day count together. q"
    " is the share of false discoveries if this slice and all stronger ones are taken (Benjamini and Hochberg); told "
    "are those below 0.05, the largest loss in all first, pairs only where they are clearly worse than both their "
    "features alone. A slice may be worse because it is harder, not because the model is wrong. Enter shows its rows "
    "in Explore."
)


def slices_listing(found: Slices | None, width: int) -> Listing:
    """Return the slices that are worse, the largest loss in all first."""
    words = max(20, width - FIGURES)
    columns = [
        Col("slice", width=words), Col("rows", right=True), Col("share", right=True), Col("loss", right=True),
        Col("difference", "worse by", right=True), Col("q", right=True),
        Col("measure", title_of(found.metric) if found else _("measure"), right=True),
    ]  # fmt: skip
    return Listing(
        title=_("Slices"),
        detail=_("· {slices} worse of {tested:,} tested on {rows:,} {part} rows").format(
            slices=len(found.slices), tested=found.tested, rows=found.rows, part=found.part
        )
        if found
        else "",
        columns=columns,
        rows=[slice_row(place, one, found.metric) for place, one in enumerate(found.slices)] if found else [],
        empty=_("No slice is worse than the other rows beyond chance.")
        if found
        else _("Not searched yet. Press {evaluate.run}."),
        below=_("Slice"),
        lines=lambda key, cells: slice_lines(found, key),
        foot=_("enter: its rows") if found and found.slices else "",
    )


def slice_row(place: int, one: Slice, metric: str) -> Row:
    """Return one slice's row."""
    worse = one.loss - one.rest
    cells = [
        one.words, number(one.rows), share(one.share), number(one.loss), Content.styled(delta(worse), "$warn"),
        p_text(one.q), measure_text(metric, one.value, ""),
    ]  # fmt: skip
    return Row(str(place), cells, [one.words, one.rows, one.share, one.loss, worse, one.q, one.value])


def slice_at(found: Slices | None, key: str) -> Slice | None:
    """Return the slice of a row's key."""
    return found.slices[int(key)] if found and key.isdecimal() and int(key) < len(found.slices) else None


def slice_lines(found: Slices | None, key: str) -> list[Content]:
    """Return what the figures of a slice mean."""
    one = slice_at(found, key)
    if found is None or one is None:
        return []
    lines = [
        Content.styled(safe(one.words, limit=200), "bold"),
        Content(
            _("{rows} of {rows2} rows ({share})").format(
                rows=number(one.rows), rows2=number(found.rows), share=share(one.share)
            )
        ),
        Content(
            _("{loss_name} {loss}, {rest} of all other rows").format(
                loss_name=found.loss_name, loss=number(one.loss), rest=number(one.rest)
            )
        ),
        Content(
            _("worse by {loss}, 95 % {low}…{high} over {blocks}").format(
                loss=delta(one.loss - one.rest), low=delta(one.low), high=delta(one.high), blocks=found.blocks
            )
        ),
        Content(
            _("{title_of} {value}, {value2} over all rows").format(
                title_of=title_of(found.metric), value=number(one.value), value2=number(found.value)
            )
        ),
    ]
    return [
        *lines,
        Content.styled(
            keyed(_("{table.open} shows its rows")) if one.where else _("its rows have no short condition"), "$muted"
        ),
    ]
