"""The model against its baselines on the same rows: a line a measure, a column a baseline. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate import Baseline, Evaluation, PairedTest
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, styled
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.rows import SHARES, any_money, measure_text, title_of
from lemnis.tui.widgets.cells import Cell, Col, Row

MEASURE_CELLS, BASELINE_CELLS = 28, 45  # of a list that has room for intervals
SIGNS = {"better": ("●", "$ok"), "worse": ("✖", "$bad")}
BASELINES_TEXT = (
    "What the model must beat on the rows that judge it. constant: the same answer to every row, as the training rows"
    " had it. last value: the last answers that were known before the row, by dataset.group and dataset.label_delay "
    "of lemnis.toml; a class is foretold by how often it followed them in training. champion: the version in "
    "production for the same target. Each difference is the model's measure minus the baseline's on the same rows, "
    "with its 95 % interval over whole days drawn again (rows, where there is no time); better and worse are said "
    "where p, adjusted over the baselines by Holm, is below 0.05."
)


def baselines_listing(evaluation: Evaluation | None, width: int) -> Listing:
    """Return the list of measures with every baseline that there is."""
    found = evaluation.baselines if evaluation else []
    there = [one for one in found if one.tests]
    columns = [Col("measure"), Col("model", right=True)]
    for one in there:
        columns += [Col(one.name, right=True), Col(_("{name} difference").format(name=one.name), "model is")]
    rows: list[Row] = []
    if evaluation is not None and there:
        names = [test.metric for test in there[0].tests]
        wide = width >= MEASURE_CELLS + BASELINE_CELLS * len(there)
        rows = [measure_row(name, evaluation, there, wide=wide) for name in names if means_something(name, evaluation)]
    return Listing(
        title=_("Baselines"),
        detail=_("· {rows:,} {part} rows").format(rows=there[0].rows, part=evaluation.part)
        if evaluation and there
        else "",
        columns=columns,
        rows=rows,
        empty=_("Not measured yet. Press {evaluate.run}.") if not found else _("No baseline answers these rows."),
        below=_("What they are"),
        lines=lambda key, room: baseline_lines(key, evaluation, found, room),
    )


def means_something(metric: str, evaluation: Evaluation) -> bool:
    """Say whether a measure is worth a line."""
    return metric != "value_per_1000" or any_money(evaluation)


def measure_row(name: str, evaluation: Evaluation, there: Sequence[Baseline], *, wide: bool) -> Row:
    """Return one measure's row."""
    value = evaluation.metrics.get(name)
    cells: list[Cell] = [title_of(name), measure_text(name, value, evaluation.currency)]
    values: list[object] = [name, value]
    for one in there:
        test = test_of(one, name)
        cells += [
            measure_text(name, test.base if test else None, evaluation.currency),
            difference(test, wide=wide) if test else MISSING,
        ]
        values += [test.base if test else None, test.delta if test else None]
    return Row(name, cells, values)


def test_of(baseline: Baseline, metric: str) -> PairedTest | None:
    """Return the test of one measure."""
    return next((test for test in baseline.tests if test.metric == metric), None)


def difference(test: PairedTest, *, wide: bool) -> Content:
    """Return a difference with its verdict as a glyph, and its interval where there is room."""
    if test.delta is None:
        return styled(MISSING, "$muted")
    glyph, style = SIGNS.get(test.verdict, ("·", "$muted"))
    text = f"{glyph} {difference_text(test.metric, test.delta)}"
    if wide and test.low is not None:
        text += f" {bounds(test)}"
    return Content.styled(text, style)


def difference_text(metric: str, value: float | None) -> str:
    """Return a difference as text: in points for shares, in money for money."""
    if metric == "value_per_1000":
        return delta(value, 0)
    return delta(value * 100, 1) if value is not None and metric in SHARES else delta(value)


def bounds(test: PairedTest) -> str:
    """Return the interval of a difference."""
    return f"{difference_text(test.metric, test.low)}…{difference_text(test.metric, test.high)}"


def baseline_lines(metric: str, evaluation: Evaluation | None, found: Sequence[Baseline], width: int) -> list[Content]:
    """Return what each baseline is, and how the model does against it by one measure."""
    lines: list[Content] = []
    for one in found:
        lines.append(
            Content.assemble((one.name, "bold"), "  ", (safe(told(one.why or one.words), limit=300), "$muted"))
        )
        test = test_of(one, metric)
        if test is not None and evaluation is not None:
            lines += verdict_lines(test, evaluation, width)
        if one.warning:
            lines.append(Content.styled(f"  ▲ {safe(told(one.warning), limit=200)}", "$warn"))
    return lines


def verdict_lines(test: PairedTest, evaluation: Evaluation, width: int) -> list[Content]:
    """Return one comparison: what came of it, and its interval."""
    glyph, style = SIGNS.get(test.verdict, ("·", "$muted"))
    change = f"  {glyph} {title_of(test.metric)} {difference_text(test.metric, test.delta)}"
    if test.low is None:
        return [Content.styled(_("{change}, no interval").format(change=change), style)]
    said = Content.styled(f"{change} {_(test.verdict)}, p {p_text(test.adjusted)}", style)
    interval = Content.styled(
        _("95 % {bounds} over {blocks}").format(bounds=bounds(test), blocks=_(evaluation.blocks or "rows")), "$muted"
    )
    if said.cell_length + interval.cell_length + 2 <= width:
        return [Content.assemble(said, "  ", interval)]
    return [said, Content.assemble("    ", interval)]


def p_text(p: float | None) -> str:
    """Return a p as text."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def against_words(evaluation: Evaluation | None) -> str:
    """Return in a few words how the model does against each baseline by the first measure."""
    parts: list[str] = []
    for one in evaluation.baselines if evaluation else []:
        if one.tests and one.tests[0].delta is not None:
            first = one.tests[0]
            parts.append(f"{one.name} {difference_text(first.metric, first.delta)} {_(first.verdict)}".rstrip())
    return (
        _("{title_of} against {parts}").format(
            title_of=title_of(evaluation.baselines[0].tests[0].metric), parts=" · ".join(parts)
        )
        if evaluation and parts
        else ""
    )
