"""How checks look: verdicts, counts, trends and failing rows: record → cells. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.explore import Page
from lemnis.engine.text import safe
from lemnis.engine.validate import CheckResult, CheckRun, Compared, HistoryPoint, Reason, Sample
from lemnis.tui.format import BAD, BLOCKS, MISSING, Verdict, age, duration, number, share, verdict, when
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row, Series, data_cell

TREND_RUNS = 12
SAMPLE_COLUMNS = 8

COLUMNS = (
    Col("verdict"),
    Col("name", "check", most=26),
    Col("rule", flex=True),
    Col("failing", "failing rows", right=True),
    Col("share", "share %", right=True),
    Col("change", "new/fixed", right=True),
    Col("trend", width=TREND_RUNS),
    Col("severity"),
    Col("owner", most=18),
)
NARROW = tuple(column for column in COLUMNS if column.name in ("verdict", "name", "failing", "change", "trend"))
MEDIUM = tuple(column for column in COLUMNS if column.name not in ("owner", "severity"))
WIDE_CELLS, MEDIUM_CELLS = 120, 84


def columns_for(width: int) -> tuple[Col, ...]:
    """Return the columns that a table of this many cells has room for."""
    return COLUMNS if width >= WIDE_CELLS else MEDIUM if width >= MEDIUM_CELLS else NARROW


def outcome(result: CheckResult) -> Verdict:
    """Return how a verdict is drawn; a check that was not evaluated is as loud as one that failed."""
    if result.verdict == "not evaluated":
        return Verdict("?", "not evaluated", BAD)
    return verdict(result.verdict)


def check_row(result: CheckResult, points: Sequence[HistoryPoint], columns: Sequence[Col] = COLUMNS) -> Row:
    """Return one line of the table of checks."""
    drawn = outcome(result)
    waived = Content.styled(f" {_('waived')}", "$muted") if result.waiver else Content("")
    cells: dict[str, Cell] = {
        "verdict": drawn.content + waived,
        "name": result.name,
        "rule": told(result.rule) if result.verdict != "not evaluated" else told(result.message),
        "failing": failing_cell(result),
        "share": share_text(result),
        "change": change_text(result.compared),
        "trend": trend(points),
        "severity": Content.styled(_(result.severity), "$muted"),
        "owner": result.owner,
    }
    values = {
        "verdict": result.position,
        "name": result.name,
        "rule": result.rule,
        "failing": result.failing,
        "share": result.share,
        "change": result.compared.new if result.compared else None,
        "trend": len(points),
        "severity": result.severity,
        "owner": result.owner,
    }
    return Row(result.name, [cells[col.name] for col in columns], [values[col.name] for col in columns])


def failing_cell(result: CheckResult) -> Cell:
    """Return the number of failing rows; none is quiet."""
    if result.failing is None:
        return Content.styled(MISSING, "$muted")
    return Content.styled("0", "$muted") if not result.failing else number(result.failing)


def share_text(result: CheckResult) -> Cell:
    """Return failing rows as a share of those the check speaks of; of a row count it means nothing."""
    if result.share is None or result.kind == "row_count":
        return Content.styled(MISSING, "$muted")
    if not result.failing:
        return Content.styled("0", "$muted")
    return "<0.01" if result.share < 0.0001 else f"{result.share * 100:.2f}"


def change_text(compared: Compared | None) -> Cell:
    """Return how many failing rows are new and how many are fixed since the run before: ``+12 −3``."""
    if compared is None:
        return Content.styled(MISSING, "$muted")
    if not compared.new and not compared.fixed:
        return Content.styled(_("same"), "$muted")
    about = "" if compared.whole else "~"
    parts = [(f"{about}+{number(compared.new)}", "$bad")] if compared.new else []
    parts += [(f"{' ' if parts else ''}{about}−{number(compared.fixed)}", "$ok")] if compared.fixed else []
    return Content.assemble(*parts)


def compared_text(compared: Compared) -> str:
    """Return the comparison with the run before in words."""
    by = _("by {by}").format(by=", ".join(compared.by)) if len(compared.by) <= 3 else _("by all that they hold")
    sample = "" if compared.whole else _("; of a sample of both, for there are too many to keep")
    return _("{new} new, {persisting} persisting, {fixed} fixed since run {run}, {by}{sample}").format(
        new=number(compared.new),
        persisting=number(compared.persisting),
        fixed=number(compared.fixed),
        run=compared.run,
        by=by,
        sample=sample,
    )


def trend(points: Sequence[HistoryPoint]) -> Content:
    """Return a block per run, as high as its failing rows; `?` where it was not evaluated."""
    shown = points[-TREND_RUNS:]
    most = max((point.failing or 0 for point in shown), default=0) or 1
    styles = {"pass": "$ok", "warn": "$warn", "fail": "$bad", "not evaluated": "$bad"}
    return Content("").join(
        [
            Content.styled(
                "?" if point.failing is None else BLOCKS[min(7, round(point.failing / most * 7))], styles[point.verdict]
            )
            for point in shown
        ]
    )


NOT_RUN = N_("The checks have not run yet. Press {validate.run} to run them.")


def summary_content(run: CheckRun | None, now: int, width: int, *, notice: str = "", nothing: str = NOT_RUN) -> Content:
    """Return the outcome of a run in one line, and in a second why it may not be the last word.

    How many of each verdict (zeros where there is room), over what, when; `nothing` where there was no run.
    """
    warning = Content.assemble("\n", ("▲ ", "$warn"), safe(notice)) if notice else Content("")
    if run is None:
        return Content.styled(keyed(nothing), "$muted") + warning
    counts = [
        (verdict("failed"), run.failed),
        (Verdict("?", "not evaluated", BAD), run.not_evaluated),
        (verdict("warned"), run.warned),
        (verdict("passed"), run.passed),
    ]
    parts = [
        Content.assemble((f"{drawn.glyph} {count}", drawn.style if count else "$muted"), f" {drawn.said}")
        for drawn, count in counts
        if count or width >= WIDE_CELLS
    ]
    ago = _("{version}, {age} ago").format(version=safe(run.version_title), age=age(run.ended_at, now))
    place = f"   {ago}"
    if width >= WIDE_CELLS:
        place += "   " + _("{ended_at}, took {ended_at2}").format(
            ended_at=when(run.ended_at), ended_at2=duration((run.ended_at - run.started_at) / 1000)
        )
    return Content("   ").join(parts) + Content.styled(place, "$muted") + warning


# One check in full.


def detail_facts(result: CheckResult, now: int) -> list[tuple[str, Cell]]:
    """Return what is said of a check, label by label."""
    drawn = outcome(result)
    found = Content.assemble(drawn.content, "  ", safe(told(result.message)))
    facts: list[tuple[str, Cell]] = [
        (_("found"), found),
        (_("rule"), _("{rule}, in {source}").format(rule=told(result.rule), source=result.source)),
    ]
    if result.compared:
        facts.append((_("change"), compared_text(result.compared)))
    if result.why and result.why != result.rule:
        facts.append((_("why"), result.why))
    if result.waiver:
        waiver = result.waiver
        waived = _("by {who} until {until}: {why}").format(who=waiver.who, until=when(waiver.until), why=waiver.why)
        facts.append((_("waived"), waived))
    plain = _(", {allowed} rows allowed").format(allowed=number(result.allowed)) if result.allowed else ""
    allowed = f": {result.limits}" if result.limits else plain
    owner = _(", owned by {owner}").format(owner=result.owner) if result.owner else ""
    took = _(", took {duration_ms}").format(duration_ms=duration(result.duration_ms / 1000))
    return [*facts, (_("severity"), f"{_(result.severity)}{allowed}{owner}{took}")]


def offender_bars(result: CheckResult) -> list[tuple[str, float | None, str]]:
    """Return the most frequent offending values as bars."""
    return [(top.value, float(top.rows), number(top.rows)) for top in result.top]


def offenders_title(result: CheckResult) -> str:
    """Return how many of the offending values are drawn."""
    if result.distinct is None:
        return _("most frequent offending values")
    return _("offending values, {min} of {distinct}").format(
        min=min(len(result.top), result.distinct), distinct=number(result.distinct)
    )


def no_sample(result: CheckResult) -> str:
    """Return why there are no failing rows to show."""
    if result.failing is None:
        return _("It was not evaluated, so no row is known to be right.")
    if result.kind == "freshness":
        return _("It asks how old the newest is; no single row fails it.")
    return _("It counts rows; no single row fails it.") if result.kind == "row_count" else _("No row fails it.")


def data_columns(names: Sequence[str], found: Sequence[Sequence[object]]) -> list[Col]:
    """Return a column for each name; those that hold only numbers are aligned right."""
    right = [all(value is None or is_number(value) for value in column) for column in zip(*found, strict=True)]
    right = right or [False] * len(names)
    return [
        Col(f"c{place}", safe(name, limit=24), right=numeric, most=24, data=True)
        for place, (name, numeric) in enumerate(zip(names, right, strict=True))
    ]


def is_number(value: object) -> bool:
    """Say whether a value is a number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def sample_columns(sample: Sample) -> list[Col]:
    """Return the columns of the sample: those checked and a few more."""
    return data_columns(sample.columns[:SAMPLE_COLUMNS], [row[:SAMPLE_COLUMNS] for row in sample.rows])


def sample_rows(sample: Sample) -> list[Row]:
    """Return the sample's rows."""
    return [
        Row(str(place), [data_cell(value) for value in row[:SAMPLE_COLUMNS]], row[:SAMPLE_COLUMNS])
        for place, row in enumerate(sample.rows)
    ]


def history_lines(points: Sequence[HistoryPoint], most: int = 8) -> Content:
    """Return how a check went, a line a run, the latest first."""
    lines: list[Content] = []
    for point in reversed(points[-most:]):
        drawn = Verdict("?", "not evaluated", BAD) if point.failing is None else verdict(point.verdict)
        of = _("{failing} of {total}").format(failing=number(point.failing), total=number(point.total))
        found = "" if point.failing is None else f"  {of}"
        lines.append(
            Content.assemble(
                (f"{when(point.at)}  {safe(point.version_title)}  ", "$muted"), drawn.content.pad_right(2), found
            )
        )
    return Content("\n").join(lines)


# Failing rows.


def page_columns(page: Page) -> list[Col]:
    """Return the columns of the failing rows, numbered first."""
    return [Col("row", "row", right=True, width=9), *data_columns(page.columns, page.rows)]


# Why rows fail.

REASON_COLUMNS = (
    Col("column", most=22),
    Col("value", most=24),
    Col("failing", "failing rows", right=True),
    Col("among", "of failing", right=True),
    Col("all", "of all rows", right=True),
    Col("lift", "times", right=True),
)


def reason_row(place: int, reason: Reason) -> Row:
    """Return one over-represented value."""
    value = data_cell(reason.value)
    among, every = share(reason.failing_share), share(reason.rows_share)
    column = f"{reason.column} +{len(reason.also)}" if reason.also else reason.column
    cells: list[Cell] = [column, value, number(reason.failing), among, every, f"{reason.lift:,.1f}×"]
    return Row(
        str(place),
        cells,
        [reason.column, reason.value, reason.failing, reason.failing_share, reason.rows_share, reason.lift],
    )


# A check over time.


def history_series(points: Sequence[HistoryPoint]) -> list[Series]:
    """Return failing rows over runs as a line; a run in which it was not evaluated is a gap."""
    if len(points) < 2:
        return []
    counts = [None if point.failing is None else float(point.failing) for point in points]
    last = next((point for point in reversed(points) if point.failing is not None), None)
    words = _("now {failing}").format(failing=number(last.failing)) if last else _("not evaluated")
    return [Series(_("failing rows"), [float(point.check_run_id) for point in points], counts, words=words)]
