"""Failure types as rows and lines: what they have in common, how many, and what became of earlier ones. Pure."""

from textual.content import Content

from lemnis.engine.evaluate import Failures, FailureType, Followed
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, number, share
from lemnis.tui.language import N_, _
from lemnis.tui.widgets.cells import Col, Row, fitted

TYPES = [
    Col("count", "errors", right=True),
    Col("share", right=True),
    Col("kind", width=13),
    Col("name", "what they have in common", flex=True),
]
EXAMPLES = [Col("key", "row, worst first", most=40), Col("said", right=True), Col("actual"), Col("loss", right=True)]
KINDS = {"missed": "✖", "false alarm": "▲", "wrong class": "✖", "too low": "▼", "too high": "▲"}
NOT_YET = N_("Not looked for yet. Press {evaluate.interpret}: a job groups the errors by what led to them.")


def type_rows(found: Failures) -> list[Row]:
    """Return one row a type, most errors first."""
    rows: list[Row] = []
    for place, one in enumerate(found.types):
        common = ", ".join(part.words for part in one.conditions) or _("nothing in common")
        cells = [number(one.count), share(one.share), f"{KINDS.get(one.kind, '·')} {one.kind}", common]
        rows.append(Row(str(place), cells, [one.count, one.share, one.kind, common]))
    return rows


def example_rows(one: FailureType) -> list[Row]:
    """Return the rows of a type, worst first."""
    return [
        Row(
            row.key,
            [row.key, row.said, row.actual or MISSING, number(row.loss)],
            [row.key, row.said, row.actual, row.loss],
        )
        for row in one.rows
    ]


def title(found: Failures) -> str:
    """Return how many errors there are, of how many rows, by which rule."""
    sampled = _(", {sampled:,} sampled").format(sampled=found.sampled) if found.sampled < found.errors else ""
    return _("· {errors:,} errors of {rows:,} {part} rows{sampled}").format(
        errors=found.errors, rows=found.rows, part=found.part, sampled=sampled
    )


def detail_lines(found: Failures, one: FailureType | None, width: int) -> list[Content]:
    """Return what is known of a type, then what became of the types of earlier runs; on few cells a line a run."""
    lines: list[Content] = []
    if one is not None:
        lines.append(
            Content.assemble(
                (f"{_('all together:')} ", "$muted"),
                _("{fits} of rows").format(fits=share(one.fits)),
                (f"{_(', of which')} ", "$muted"),
                _("{fits_wrong} wrong").format(fits_wrong=share(one.fits_wrong)),
                (" " + _("(of all {errors})").format(errors=share(found.errors / max(1, found.rows))), "$muted"),
            )
        )
    for followup in found.followups:
        unit = "" if followup.same_rows else f" {_('per 1,000 rows')}"
        head = Content.assemble(
            (_("since run {run_id}").format(run_id=followup.run_id) + " ", "bold"),
            (safe(followup.run_name) + unit, "$muted"),
        )
        if width < 90:
            moved = " · ".join(f"{one.before:,} → {one.now:,}" for one in followup.types)
            lines.append(Content.assemble(head, f"  {moved}"))
            continue
        lines.append(head)
        lines += [followed_line(followed) for followed in followup.types]
        lines.append(
            Content.styled(
                "    " + _("{unlike:>6,} of now are like none of these").format(unlike=followup.unlike), "$muted"
            )
        )
    return [fitted(line, width) for line in lines]


def followed_line(one: Followed) -> Content:
    """Return how often a type occurred and occurs: fewer is better."""
    glyph, style = ("▼", "$ok") if one.now < one.before else ("▲", "$warn") if one.now > one.before else ("=", "$muted")
    return Content.assemble((f"  {glyph} ", style), f"{one.before:>6,} → {one.now:<6,} ", safe(one.name))


FAILURES_TEXT = (
    "Errors of the held-out rows (answered wrong at the threshold, another class likelier, or the tenth of numbers "
    "farthest off), grouped by what led to them: each error's contributions towards the wrong answer as shares of "
    "their sizes. The groups come from k-means, their number from the mean silhouette, for each kind of error apart; "
    "of many errors a seeded sample is grouped and counts are scaled up. A type is named by the features that push "
    "most towards the wrong answer and the values that most of its rows have: the middle 80 % of a number (high or low "
    "among all rows), the commonest categories, or missing.\n\n"
    "Earlier runs' types are looked for among the errors of this one by the nearest centre, so that a type can be seen "
    "to shrink or grow from version to version.\n\n"
    "{evaluate.label} makes a label queue of the type's rows, worst first: an answer decides what is true. "
    "{evaluate.check} writes a check that warns when rows of the kind become half as common again as now. "
    "{evaluate.what_if} changes the values of the row under the cursor."
)
