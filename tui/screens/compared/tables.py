"""A comparison as tables of the console: summary, tests with intervals drawn, importance as bars, a diff. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.experiments.compare import MetricRow
from lemnis.engine.experiments.compare import Row as Condition
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, number, share, styled, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.screens.compared.words import (
    Changes,
    Compared,
    digits_of,
    gain_shares,
    interval_words,
    judged,
    p_words,
)
from lemnis.tui.widgets import Cell, Col, Row

FOREST, NARROW_FOREST = 25, 13  # cells of a drawn interval; odd, so that 0 has one
BAR = 12


def run_columns(found: Compared, *, first: str = "what", most: int = 52) -> list[Col]:
    """Return one column for the names and one for each run, the baseline's with its star."""
    columns = [Col(first, most=22)]
    for place, run in enumerate(found.comparison.runs):
        star = "" if place else "★ "
        columns.append(
            Col(_("run {id}").format(id=run.id), safe(f"{star}#{run.id} {run.name}", limit=30), most=most, data=True)
        )
    return columns


def heading(key: str, title: str, runs: int) -> Row:
    """Return a row that names what follows."""
    return Row(f"# {key}", [Content.styled(title, "bold $stage-accent"), *[""] * runs])


def summary_rows(found: Compared, *, everything: bool) -> list[Row]:
    """Return tested measures, logged metrics, parameters and conditions under a heading each."""
    runs = found.comparison.runs
    rows: list[Row] = []
    tested = found.tested_metrics()
    if tested:
        rows.append(heading("metrics", _("{part} rows").format(part=found.part), len(runs)))
        rows += [Row(f"test {name}", [f"  {name}", *test_cells(found, name)]) for name in tested]
    logged = found.logged_metrics(everything=everything)
    if logged:
        rows.append(heading("logged" if tested else "metrics", _("logged"), len(runs)))
        rows += [Row(f"metric {row.name}", [f"  {row.name}", *metric_cells(row)]) for row in logged]
    for title, lines in found.groups(everything=everything):
        rows.append(heading(title, _(title), len(runs)))
        rows += [Row(f"{title} {row.name}", [f"  {row.name}", *value_cells(row)]) for row in lines]
    return rows


def test_cells(found: Compared, metric: str) -> list[Cell]:
    """Return the baseline's value, then each run's with its difference and verdict, or why it was not tested."""
    others = [run.id for run in found.comparison.runs[1:]]
    tests = [found.test(run, metric) for run in others]
    base = next((test.base for test in tests if test is not None), None)
    cells: list[Cell] = [number(base, digits_of(metric))]
    for test in tests:
        if test is None:
            cells.append(styled(_("not tested"), "$muted"))
            continue
        shown = f"{number(test.value, digits_of(metric))} {delta(test.delta, digits_of(metric))}"
        found_words = judged(test.verdict)
        said = f" {found_words.text} {p_words(test.adjusted)}" if test.verdict else ""
        cells.append(Content.assemble(shown, (said, found_words.style)))
    return cells


def metric_cells(row: MetricRow) -> list[Cell]:
    """Return a metric's values with signed deltas; the word says what the sign and the direction mean together."""
    digits = digits_of(row.name)
    cells: list[Cell] = []
    for value, difference, better in zip(row.values, row.deltas, row.better, strict=True):
        shown = Content(number(value, digits))
        if difference is not None:
            words = delta(difference, digits)
            word, style = {True: (f" {_('better')}", "$ok"), False: (f" {_('worse')}", "$bad"), None: ("", "$muted")}[
                None if words == "±0" else better
            ]
            shown = Content.assemble(shown, "  ", styled(words + word, style))
        cells.append(shown)
    return cells


def value_cells(row: Condition) -> list[Cell]:
    """Return a condition in each run, muted where it is as in the baseline."""
    cells: list[Cell] = []
    for place, value in enumerate(row.values):
        if row.name == "state" and value:
            cells.append(verdict(value).content)
        elif place and value == row.values[0]:
            cells.append(styled(safe(value or MISSING), "$muted"))
        else:
            cells.append(value or MISSING)
    return cells


def test_columns(*, narrow: bool) -> list[Col]:
    """Return the columns of the tests; on a narrow screen a run is its number and intervals are drawn smaller."""
    scale = _("worse ◂ 0 ▸ better")
    return [
        Col("measure", most=15),
        Col("run", most=6 if narrow else 24),
        Col("delta", "Δ", right=True),
        Col("verdict", most=20),
        Col("p", "p (Holm)", right=True),
        Col("forest", scale if not narrow else _("◂ 0 ▸ better"), most=NARROW_FOREST if narrow else FOREST),
        Col("interval", "95 % interval"),
        Col("value", right=True),
        Col("raw", "p alone", right=True),
        Col("method"),
    ]


def tests_rows(found: Compared, *, narrow: bool) -> list[Row]:
    """Return every test with its interval drawn around 0, then the runs that were not tested and why."""
    names = {run.id: f"#{run.id}" if narrow else f"#{run.id} {run.name}" for run in found.comparison.runs}
    width = NARROW_FOREST if narrow else FOREST
    rows: list[Row] = []
    for metric in found.tested_metrics():
        tests = {run: test for run in found.pairs if (test := found.test(run, metric)) is not None}
        reach = max((max(abs(test.low or 0), abs(test.high or 0)) for test in tests.values()), default=0.0)
        for run, test in tests.items():
            words = judged(test.verdict)
            lower = test.better is not None and test.delta is not None and test.better != (test.delta > 0)
            ends = (test.low, test.delta, test.high)
            cells: list[Cell] = [
                *(metric, safe(names[run], limit=30), delta(test.delta, digits_of(metric))),
                styled(words.text, words.style) if test.verdict else MISSING,
                *(
                    p_words(test.adjusted).removeprefix("p=").removeprefix("p"),
                    forest(ends, reach, flipped=lower, width=width),
                ),
                *(interval_words(test), number(test.value, digits_of(metric))),
                *(p_words(test.p).removeprefix("p=").removeprefix("p"), test.method),
            ]
            rows.append(Row(f"{metric} {run}", cells))
    blank = [""] * (len(test_columns(narrow=narrow)) - 4)
    for run, why in (found.significance.refused if found.significance is not None else {}).items():
        said = [styled(_("not tested"), "$muted"), safe(names[run], limit=30), "", styled(safe(why), "$muted"), *blank]
        rows.append(Row(f"refused {run}", said))
    return rows


def forest(ends: tuple[float | None, float | None, float | None], reach: float, *, flipped: bool, width: int) -> str:
    """Return an interval as ``  ├──●──┤ │``: low, difference and high, 0 in the middle, better to the right.

    Args:
        ends: Low, difference, high.
        reach: What the ends of the picture stand for.
        flipped: Smaller is better, so the picture is turned round.
        width: Cells; odd.
    """
    if ends[0] is None or ends[1] is None or ends[2] is None or not reach:
        return ""
    sign = -1 if flipped else 1
    low, middle, high = sorted(round((sign * end / reach + 1) / 2 * (width - 1)) for end in ends if end is not None)
    cells = [" "] * width
    cells[low : high + 1] = "─" * (high - low + 1)
    cells[low], cells[high] = "├", "┤"
    cells[width // 2] = "┼" if low < width // 2 < high else "│"
    cells[middle] = "●"
    return "".join(cells)


def importance_rows(found: Compared) -> list[Row]:
    """Return each feature's share of the gain in each run as a bar with its number; bars have one scale."""
    shares = gain_shares(found.gains, [run.id for run in found.comparison.runs])
    most = max((value or 0.0 for _, values in shares for value in values), default=0.0) or 1.0
    return [
        Row(name, [name, *(bar(value, most) for value in values)], [name, *(value or 0.0 for value in values)])
        for name, values in shares
    ]


def bar(value: float | None, most: float) -> Content:
    """Return a share of 1 in percent beside a bar; a feature that the run does not have is said so."""
    if value is None:
        return styled(_("not a feature"), "$muted")
    eighths = round(value / most * BAR * 8)
    drawn = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
    return Content.assemble(f"{share(value):>6} ", (drawn, "$stage-accent"))


def diff_rows(found: Compared, place: int) -> list[Row]:
    """Return how one run's conditions differ from the baseline's, as lines with - and +."""
    base, run = found.comparison.runs[0], found.comparison.runs[place]
    rows: list[Row] = []
    for title, lines in (
        (N_("parameter"), found.comparison.parameters),
        (N_("condition"), found.comparison.conditions),
    ):
        for line in lines:
            before, after = line.values[0], line.values[place]
            if before == after:
                continue
            name = f"{_(title)} {line.name}"
            if line.name == "features":
                gone = [feature for feature in base.features if feature not in run.features]
                new = [feature for feature in run.features if feature not in base.features]
                texts = [("-", one) for one in gone] + [("+", one) for one in new] or [
                    ("+", _("the same, in another order"))
                ]
            else:
                texts = [("-", before)] if before is not None else []
                texts += [("+", after)] if after is not None else []
            rows += diff_lines(name, texts)
    changes = found.changes.get(run.id, Changes())
    return [*rows, *change_rows("data", changes.data), *change_rows("code", changes.code)]


def change_rows(what: str, lines: Sequence[str]) -> list[Row]:
    """Return lines of a diff under a heading, coloured by the sign that each begins with."""
    if not lines:
        return []
    rows = [Row(f"@ {what}", [Content.styled(f"@@ {_(what)}", "bold $stage-accent")])]
    for place, line in enumerate(lines):
        name = line.startswith(("+++", "---", "diff ", "index ", "@@"))
        style = "$muted" if name or line[:1] not in ("+", "-") else "$ok" if line[0] == "+" else "$bad"
        rows.append(Row(f"{line[:1] or ' '} {what} {place}", [Content.styled(safe(line, limit=300), style)]))
    return rows


def diff_lines(name: str, texts: Sequence[tuple[str, str]]) -> list[Row]:
    """Return a heading and one line for each text, taken away or added."""
    found = [Row(f"@ {name}", [Content.styled(f"@@ {safe(name, limit=60)}", "bold $stage-accent")])]
    for number_, (sign, text) in enumerate(texts):
        style = "$ok" if sign == "+" else "$bad"
        found.append(Row(f"{sign} {name} {number_}", [Content.styled(f"{sign} {safe(text, limit=300)}", style)]))
    return found
