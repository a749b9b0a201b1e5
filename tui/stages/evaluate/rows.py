"""Evaluations as cells and lines: gates, measures, the threshold, months, importances and speed. Pure."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.evaluate import Evaluation, Gate, Importance, Month, Speed
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, bytes_, delta, money, number, share, styled, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import Col, Row, fitted, padded
from lemnis.tui.widgets.text import bar_of

GATES = [Col("verdict"), Col("metric"), Col("rule"), Col("observed", right=True), Col("interval", "95 %")]
NAMES = {
    "roc_auc": "ROC AUC", "pr_auc": "PR AUC", "log_loss": N_("log loss"), "brier": "Brier", "ece": N_("calib. error"),
    "f1": "F1", "r2": "R²", "rmse": "RMSE", "mae": "MAE", "latency_p50_ms": N_("one row p50 ms"),
    "latency_p99_ms": N_("one row p99 ms"), "rows_per_s": N_("rows/s"), "value_per_1000": N_("value per 1,000"),
    "positive_share": N_("positives"), "predicted_share": N_("answered yes"),
}  # fmt: skip
LOWER_IS_BETTER = {"log_loss", "brier", "ece", "rmse", "mae", "median_absolute_error"}
NEUTRAL = {"positive_share", "predicted_share", "bias"}
LEFT_OUT = {"value"}  # of other numbers of rows, so parts can't be compared
SHARES = {"accuracy", "balanced_accuracy", "precision", "recall", "positive_share", "predicted_share"}
WIDE_GAP = 0.1  # share of the training measure from which a gap is worth a warning


def title_of(metric: str) -> str:
    """Return a measure's name for people."""
    base = metric.removesuffix("_gap").removeprefix("worst_month_")
    name = _(NAMES.get(base, base.replace("_", " ")))
    if metric.endswith("_gap"):
        return _("{name} gap").format(name=name)
    return _("{name}, worst month").format(name=name) if metric.startswith("worst_month_") else name


def gate_row(gate: Gate) -> Row:
    """Return one gate's row."""
    interval = MISSING
    if gate.low is not None and gate.high is not None:
        interval = f"{number(gate.low)}…{number(gate.high)}"
    metric = f"{title_of(gate.metric)} · {gate.part}"
    rule = gate.rule.replace(">=", "≥").replace("<=", "≤")
    cells = [verdict(gate.verdict).content, metric, rule, number(gate.observed), interval]
    return Row(f"{gate.metric} {gate.part} {gate.rule}", cells, [gate.verdict, metric, rule, gate.observed, interval])


def gates_title(gates: Sequence[Gate]) -> str:
    """Return how many gates gave each verdict."""
    counts = {word: sum(gate.verdict == word for gate in gates) for word in ("pass", "fail", "not enough data")}
    return " · ".join(f"{count} {_(word)}" for word, count in counts.items() if count)


def metric_columns(parts: Sequence[str], width: int) -> list[Col]:
    """Return the columns of the measures' table: one a part, the gap, and the interval where there is room."""
    columns = [Col("measure"), *(Col(part, right=True) for part in parts)]
    if "train" in parts and len(parts) > 1:
        columns.append(Col("gap", "gap", right=True))
    return [*columns, Col("interval", "95 %")] if width >= 70 else columns


def metric_rows(evaluations: Sequence[Evaluation], columns: Sequence[Col]) -> list[Row]:
    """Return one row a measure; the gap is how much poorer the last part is than training."""
    last = evaluations[-1]
    return [
        metric_row(name, evaluations, columns)
        for name in last.metrics
        if name not in LEFT_OUT and not (name == "value_per_1000" and not any_money(last))
    ]


def any_money(evaluation: Evaluation) -> bool:
    """Say whether answers are worth anything: the problem has a value matrix."""
    return any(point[-1] for point in evaluation.sweep)


def metric_row(name: str, evaluations: Sequence[Evaluation], columns: Sequence[Col]) -> Row:
    """Return one measure's row."""
    last, known = evaluations[-1], {one.part: one.metrics.get(name) for one in evaluations}
    cells: dict[str, tuple[str | Content, object]] = {"measure": (title_of(name), name)}
    for part, value in known.items():
        cells[part] = (measure_text(name, value, last.currency), value)
    poorer = gap(name, known.get("train"), last.metrics.get(name))
    cells["gap"] = (gap_content(name, poorer, known.get("train")), poorer)
    low, high = last.intervals.get(name, (None, None))
    words = MISSING if low is None else f"{bound_text(name, low)}…{bound_text(name, high)}"
    cells["interval"] = (words, None)
    chosen = [cells[column.name] for column in columns]
    return Row(name, [cell for cell, _ in chosen], [value for _, value in chosen])


def measure_text(name: str, value: float | None, currency: str) -> str:
    """Return a measure's value: money, percent or a number."""
    if name == "value_per_1000":
        return money(value, currency)
    return share(value) if name in SHARES else number(value)


def bound_text(name: str, value: float | None) -> str:
    """Return an end of an interval, as short as it may be: money in thousands, no unit."""
    if value is None:
        return MISSING
    if name == "value_per_1000":
        return f"{value / 1000:,.1f}k".replace("-", "−")
    return number(value * 100, 1) if name in SHARES else number(value)


def gap(name: str, train: float | None, held_out: float | None) -> float | None:
    """Return how much poorer a measure is on later rows than in training; None where neither end is better."""
    if train is None or held_out is None or name in NEUTRAL or name == "value_per_1000":
        return None
    return held_out - train if name in LOWER_IS_BETTER else train - held_out


def gap_content(name: str, poorer: float | None, train: float | None) -> Content:
    """Return a gap with its sign turned so that minus is poorer; a wide one says ▲."""
    if poorer is None:
        return Content.styled(MISSING, "$muted")
    text = f"{delta(-poorer * 100, 1)}" if name in SHARES else delta(-poorer)
    wide = train and poorer / abs(train) > WIDE_GAP
    return Content.styled(f"▲ {text}", "$warn") if wide else Content(text)


def point_at(evaluation: Evaluation, threshold: float) -> list[float]:
    """Return the sweep's point nearest to a threshold."""
    return min(evaluation.sweep, key=lambda point: abs(point[0] - threshold))


def threshold_lines(evaluation: Evaluation, threshold: float, width: int) -> list[Content]:
    """Return what a threshold does: its place among all, the confusion, precision, recall and money."""
    at, hit, false, missed, rejected, _rest = point_at(evaluation, threshold)
    no, yes = evaluation.labels if len(evaluation.labels) == 2 else ["no", "yes"]
    said = [_("said {answer}").format(answer=safe(answer)) for answer in (yes, no)]
    was = [_("is {answer}").format(answer=safe(answer)) for answer in (yes, no)]
    wide = max(*map(cell_len, was), 9) + 6
    cells = max(9, (width - wide - 24) // 3)
    keys = (f"""   {_(", lower  . higher  t the problem's / the best")}""", "$muted")
    return [
        Content.assemble(*named_threshold(evaluation, at), keys),
        scrubber(evaluation, at, width),
        Content.styled(" " * wide + "".join(padded(one, cells, right=True) for one in said), "$muted"),
        confusion_line(was[0], hit, missed, "recall", quotient(hit, hit + missed), wide, cells),
        confusion_line(was[1], false, rejected, "precision", quotient(hit, hit + false), wide, cells),
        tally_line(evaluation, at),
    ]


def brief_threshold(evaluation: Evaluation, threshold: float, width: int) -> list[Content]:
    """Return the same in two lines, for a small screen."""
    at, hit, false, missed, _rejected, per_1000 = point_at(evaluation, threshold)
    worth = [("  ", ""), (money(per_1000, evaluation.currency), "bold"), ("/1,000", "$muted")]
    return [
        Content.assemble(
            *named_threshold(evaluation, at),
            (f"  {_('prec.')} ", "$muted"),
            share(quotient(hit, hit + false)),
            (f"  {_('rec.')} ", "$muted"),
            share(quotient(hit, hit + missed)),
            *(worth if any_money(evaluation) else []),
            *([(f"  {alerts_a_day(evaluation, at)}", "bold"), (_("/day"), "$muted")] if evaluation.days else []),
        ),
        scrubber(evaluation, at, width),
    ]


def named_threshold(evaluation: Evaluation, at: float) -> list[Content | tuple[str, str]]:
    """Return the threshold and whether it is the problem's."""
    chosen = evaluation.threshold is not None and abs(at - evaluation.threshold) < 0.005
    return [(f"{at:.2f}", "bold $stage-accent"), Content(f""" {_("the problem's")}""" if chosen else f" {_('tried')}")]


def tally_line(evaluation: Evaluation, at: float) -> Content:
    """Return what answers at this threshold earn, what they would at the best, and how many a day say yes."""
    best = evaluation.best_threshold
    parts: list[Content | tuple[str, str]] = []
    if any_money(evaluation):
        most = point_at(evaluation, best)[-1] if best is not None else None
        parts += [
            (f"{_('per 1,000 rows')} ", "$muted"),
            (money(point_at(evaluation, at)[-1], evaluation.currency), "bold"),
            (
                "   " + _("most at {best}: {most}").format(best=number(best, 2), most=money(most, evaluation.currency)),
                "$muted",
            ),
        ]
    if evaluation.days:
        parts += [
            ("   " if parts else "", ""),
            (alerts_a_day(evaluation, at), "bold"),
            (f" {_('alerts a day')}", "$muted"),
        ]
    return Content.assemble(*parts)


def alerts_a_day(evaluation: Evaluation, at: float) -> str:
    """Return how many rows of a day are answered with yes, on average over the days that have rows."""
    _, hit, false, *_ = point_at(evaluation, at)
    each = (hit + false) / (evaluation.days or 1)
    return number(each, 1 if each < 10 else 0)


def scrubber(evaluation: Evaluation, at: float, width: int) -> Content:
    """Return money per 1,000 rows (F1 without money) over all thresholds as blocks, the one in force marked."""
    blocks, cells = "▁▂▃▄▅▆▇█", max(10, width)
    heights: list[float] = []
    for cell in range(cells):
        point = point_at(evaluation, cell / (cells - 1))
        heights.append(point[-1] if any_money(evaluation) else f1_of(point) or 0.0)
    low, span = min(heights), (max(heights) - min(heights)) or 1.0
    text = "".join(blocks[min(7, int((height - low) / span * 8))] for height in heights)
    here = round(at * (cells - 1))
    return Content.assemble((text[:here], "$faint"), (text[here], "bold $stage-accent"), (text[here + 1 :], "$faint"))


def f1_of(point: Sequence[float]) -> float | None:
    """Return F1 of a sweep's point."""
    return quotient(2 * point[1], 2 * point[1] + point[2] + point[3])


def quotient(part: float, whole: float) -> float | None:
    """Return part / whole, None when there is nothing."""
    return part / whole if whole else None


def confusion_line(
    name: str, first: float, second: float, word: str, value: float | None, wide: int, cells: int
) -> Content:
    """Return one row of the confusion with the share that goes with it."""
    counts = f"{number(round(first)):>{cells}}{number(round(second)):>{cells}}"
    return Content.assemble((padded(name, wide), "$muted"), counts, (f"   {word} ", "$muted"), share(value))


def month_lines(months: Sequence[Month], worst: str, metric: str, width: int) -> list[Content]:
    """Return one line a month: the first measure as bar and number, share of positives, rows; the worst says so."""
    base = 0.5 if metric == "roc_auc" else 0.0
    values = [month.metrics.get(metric) for month in months]
    top = max((value - base for value in values if value is not None), default=0.0) or 1.0
    room = max(6, width - 50)
    lines: list[Content] = []
    for month, value in zip(months, values, strict=True):
        mark = (_("▲ worst"), "$warn") if month.name == worst else ("", "$muted")
        bar = bar_of(max(0.0, (value or base) - base) / top, room)
        lines.append(
            Content.assemble(
                month.name,
                (f" {padded(month.part or _('later'), 11)}", "$muted"),
                (f"{bar:<{room}}", "$warn" if month.name == worst else "$busy"),
                f" {number(value)} ",
                (f"{share(month.positive_share, 0):>5}" if base else "", "$muted"),
                f"{number(month.rows):>8}  ",
                mark,
            )
        )
    return lines


def importance_bars(importances: Sequence[Importance], most: int) -> list[tuple[str, float | None, str]]:
    """Return the largest mean contributions as bars, with the share of the gain in words."""
    total = sum(one.gain for one in importances) or 1.0
    return [
        (
            one.feature,
            one.contribution,
            _("{contribution}  gain {gain:4.1f}%").format(
                contribution=number(one.contribution), gain=one.gain / total * 100
            ),
        )
        for one in importances[:most]
    ]


def speed_facts(speed: Speed | None) -> list[tuple[str, str | Content]]:
    """Return how fast the model is, label and value."""
    if speed is None:
        return [(_("speed"), _("not measured"))]
    return [
        (
            _("one row"),
            _("p50 {latency_p50_ms} ms · p99 {latency_p99_ms} ms (1 thread)").format(
                latency_p50_ms=number(speed.latency_p50_ms, 2), latency_p99_ms=number(speed.latency_p99_ms, 2)
            ),
        ),
        (
            _("batch"),
            _("{rows_per_s} rows/s ({batch_cores} threads)").format(
                rows_per_s=number(round(speed.rows_per_s)), batch_cores=speed.batch_cores
            ),
        ),
        (
            _("model"),
            _("{model_bytes}, loads in {load_ms} ms").format(
                model_bytes=bytes_(speed.model_bytes), load_ms=number(speed.load_ms, 1)
            ),
        ),
    ]


def run_words(name: str, version: str, evaluation: Evaluation | None, aliases: Sequence[str]) -> Content:
    """Return the run in one line: name, data, rows, what it serves as."""
    parts: list[Content | tuple[str, str]] = [
        Content.styled(safe(name, limit=60), "bold"),
        (f"  {safe(version)}", "$muted"),
    ]
    for alias in aliases:
        parts.append(Content.assemble("  ", verdict(alias).content))
    if evaluation is not None:
        drawn = _(", intervals over {blocks}").format(blocks=evaluation.blocks) if evaluation.blocks else ""
        parts.append(
            (
                "  " + _("{rows:,} {part} rows{drawn}").format(rows=evaluation.rows, part=evaluation.part, drawn=drawn),
                "$muted",
            )
        )
    return Content.assemble(*parts)


def confusion_rows(evaluation: Evaluation, width: int) -> list[Content]:
    """Return the confusion of several classes: actual down, answered across, the right answers marked."""
    cell = max(7, min(14, (width - 14) // max(1, len(evaluation.labels))))
    head = "".join(f"{safe(label, limit=cell - 1):>{cell}}" for label in evaluation.labels)
    lines = [Content.styled(f"{padded(_('is / said'), 14)}{head}", "$muted")]
    for place, (label, counts) in enumerate(zip(evaluation.labels, evaluation.matrix, strict=True)):
        cells = [(f"{number(count):>{cell}}", "$ok" if place == at else "") for at, count in enumerate(counts)]
        lines.append(Content.assemble(fitted(Content(safe(label)), 14), *cells))
    return lines


def styled_why(gate: Gate | None) -> Content:
    """Return a gate's verdict as a sentence."""
    if gate is None:
        return Content("")
    return (
        Content.assemble(verdict(gate.verdict).glyph, " ", safe(told(gate.why), limit=400))
        if gate.why
        else styled("", "$muted")
    )
