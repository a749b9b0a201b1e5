"""Records of the monitor as text: windows, features, the heat strip, distributions and alerts. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.monitor import Alert, FeatureDrift, Grid, Standing, Status, Width, Window
from lemnis.engine.monitor.records import METHOD_NAMES
from lemnis.engine.monitor.schema.records import Finding
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, number, share, spark, styled, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row
from lemnis.tui.widgets.cells import padded

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
KEPT = {
    "minute": N_("two days, of rows that came within two days of happening"),
    "hour": N_("90 days up to the newest row"),
}
NOISE = 2.0  # standard errors: a smaller change of an AUC is not called one
JUDGED = ("ok", "watch", "drift")  # verdicts of windows with enough rows
MOVED = 13  # characters of the name of the feature that moved most
CELL = 6  # columns of one window in the heat strip

WINDOWS = (
    Col("window", "window (UTC)"),
    Col("rows", right=True),
    Col("verdict"),
    Col("moved", "moved most / bound"),
    Col("auc", "AUC", right=True),
    Col("against", "vs held out"),
)
WINDOWS_WIDE = (
    *WINDOWS,
    Col("labelled", right=True),
    Col("log_loss", "log loss", right=True),
    Col("label_share", "true share", right=True),
    Col("predicted", "predicted", right=True),
)
FEATURES = (
    Col("feature", most=28),
    Col("score", right=True),
    Col("bound", "from", right=True),
    Col("verdict"),
    Col("gain", "gain", right=True),
    Col("p", "p", right=True),
    Col("psi", "PSI", right=True),
    Col("missing", "missing", right=True),
    Col("trend", "over time"),
)
ALERTS = (Col("state"), Col("rule", most=24), Col("value", right=True), Col("bound", right=True), Col("since"))
ALERTS_WIDE = (*ALERTS, Col("says", flex=True))

FIGURES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "auc": ("ROC AUC", (("ROC AUC", "roc_auc"),)),
    "loss": (N_("log loss (nats)"), ((N_("log loss"), "log_loss"), ("Brier", "brier"))),
    "balance": (
        N_("share of rows"),
        ((N_("prediction mean"), "prediction_mean"), (N_("predicted"), "predicted_share"), (N_("true"), "label_share")),
    ),
    "psi": (N_("PSI (nats)"), ((N_("weighted"), "weighted_psi"), (N_("prediction"), "prediction_psi"))),
    "money": (N_("value per 1,000"), ((N_("value per 1,000"), "value_per_1000"),)),
}


def span_label(window: Window) -> str:
    """Return a window's span in few characters: ``2013-07``, ``2013-07-01``, ``2013-07-01 14h``, ``07-01 14:05``."""
    start = datetime.fromtimestamp(window.starts / 1000, UTC)
    width = window.ends - window.starts
    if width > 27 * DAY_MS:
        return f"{start:%Y-%m}"
    if width >= DAY_MS:
        return f"{start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H}h" if width >= HOUR_MS else f"{start:%m-%d %H:%M}"


def span_text(windows: Sequence[Window]) -> str:
    """Return the days that windows shorter than a day span, whose short names don't say them; else nothing."""
    if not windows or windows[-1].ends - windows[-1].starts >= DAY_MS:
        return ""
    return f"{span_label(windows[0])} … {span_label(windows[-1])}"


def short_label(window: Window) -> str:
    """Return a window's name for a narrow column: ``Jul``, ``07-01``, ``14h``, ``14:05``."""
    start = datetime.fromtimestamp(window.starts / 1000, UTC)
    width = window.ends - window.starts
    if width > 27 * DAY_MS:
        return _("{start:%b %y}").format(start=start)
    return f"{start:%m-%d}" if width >= DAY_MS else f"{start:%H}h" if width >= HOUR_MS else f"{start:%H:%M}"


def verdict_words(window: Window) -> str:
    """Return why a window has its verdict, and how many of its rows came after it had closed."""
    return (
        _("{why}; {late:,} rows came late").format(why=told(window.why), late=window.late)
        if window.late
        else told(window.why)
    )


def no_window(width: Width, declared: Width) -> str:
    """Return what the empty list of windows says."""
    if width != declared and width in KEPT:
        return _("No {width} is kept here: they are for {kept}. Press {{monitor.zoom_out}} for longer ones.").format(
            width=width, kept=_(KEPT[width])
        )
    return _("No rows were served yet. Press {monitor.replay} to replay some.")


def moved_cell(window: Window, grid: Grid) -> tuple[str, float | None]:
    """Return ``wind KS 0.31/0.05`` and 6.2: the score its verdict is by, from where it is suspected, their ratio."""
    moved = grid.moved_most(window.id) if window.verdict in JUDGED else None
    if moved is None:
        return MISSING, None
    name, cell = moved
    said = f"{safe(name, limit=MOVED)} {METHOD_NAMES[cell.method]} {cell.score:.2f}/{cell.threshold:.2f}"
    return said, cell.times_bound


def window_row(window: Window, grid: Grid, *, wide: bool) -> Row:
    """Return one row of the windows: the open one has an ellipsis behind its name."""
    moved, times = moved_cell(window, grid)
    name = span_label(window) + ("" if window.closed else " …")
    cells: list[Cell] = [
        Content.styled(name, "bold") if not window.closed else name,
        number(window.rows),
        verdict(window.verdict).content,
        moved,
        number(window.roc_auc),
        against(window),
    ]
    values = [
        window.starts, window.rows, window.verdict, times, window.roc_auc, change(window),
    ]  # fmt: skip
    if wide:
        labelled = share(window.labelled_share, 0) if window.rows else MISSING
        cells += [labelled, number(window.log_loss), share(window.label_share), share(window.predicted_share)]
        values += [window.labelled_share, window.log_loss, window.label_share, window.predicted_share]
    return Row(str(window.id), cells, values)


def change(window: Window) -> float | None:
    """Return the AUC's difference from the held-out rows', None where either is missing."""
    if window.roc_auc is None or window.reference_auc is None:
        return None
    return window.roc_auc - window.reference_auc


def against(window: Window) -> Content:
    """Return the AUC's change with an arrow; one within its sampling error is called even."""
    moved = change(window)
    if moved is None:
        return Content.styled(MISSING, "$muted")
    if abs(moved) <= NOISE * (window.roc_auc_error or 0.0):
        return Content.styled(f"≈ {delta(moved)}", "$muted")
    return Content.styled(f"▲ {delta(moved)}", "$ok") if moved > 0 else Content.styled(f"▼ {delta(moved)}", "$bad")


def feature_columns(width: int) -> list[Col]:
    """Return the columns of the features that fit into a width: trend and missing stay, bound, p and PSI go."""
    dropped = {"p", "psi", "bound"} if width < 64 else {"p", "psi"} if width < 88 else set[str]()
    return [column for column in FEATURES if column.name not in dropped]


def feature_row(feature: FeatureDrift, grid: Grid, columns: Sequence[Col]) -> Row:
    """Return one row of the chosen window's features; `trend` is the deciding score over all windows."""
    trend = grid.cells.get(feature.feature, [])
    rise = (feature.missing_share or 0.0) - (feature.reference_missing_share or 0.0)
    missing = share(feature.missing_share)
    name = Content.styled(safe(feature.feature), "bold") if feature.kind == "prediction" else feature.feature
    cells: dict[str, tuple[Cell, object]] = {
        "feature": (name, feature.feature),
        "score": (f"{METHOD_NAMES[feature.method]} {number(feature.score)}", feature.score),
        "psi": (number(feature.psi), feature.psi),
        "bound": (number(feature.threshold, 2), feature.threshold),
        "verdict": (verdict(feature.verdict).content, feature.verdict),
        "gain": (share(feature.importance, 0), feature.importance),
        "p": (small(feature.p_adjusted), feature.p_adjusted),
        "missing": (styled(f"▲ {missing}", "$warn") if rise > 0.05 else missing, feature.missing_share),
        "trend": (styled(spark([cell.score if cell else None for cell in trend[-12:]]), "$busy"), None),
    }
    chosen = [cells[column.name] for column in columns]
    return Row(feature.feature, [cell for cell, _ in chosen], [value for _, value in chosen])


def heat_columns(windows: Sequence[Window]) -> list[Col]:
    """Return the columns of the heat strip: the feature, its gain, one column a window."""
    return [
        Col("feature", most=20),
        Col("gain", right=True),
        *(Col(str(window.id), short_label(window), right=True, width=CELL) for window in windows),
    ]


def heat_rows(grid: Grid, windows: Sequence[Window]) -> list[Row]:
    """Return one row per feature: the deciding score in each window, and a glyph that says its verdict."""
    places = {window_id: place for place, window_id in enumerate(grid.windows)}
    rows: list[Row] = []
    for name in grid.features:
        cells: list[Cell] = [name, share(grid.importance[name], 0)]
        values: list[object] = [name, grid.importance[name]]
        for window in windows:
            cell = grid.cells[name][places[window.id]] if window.id in places else None
            seen = verdict(cell.verdict) if cell else None
            glyph = seen.glyph if seen and seen.word != "ok" else " "
            cells.append(
                styled(f"{glyph} {compact(cell.score)}", seen.style if seen.word != "ok" else "$muted")
                if cell and seen
                else MISSING
            )
            values.append(cell.score if cell else None)
        rows.append(Row(name, cells, values))
    return rows


def compact(score: float) -> str:
    """Return a score, which is at most 1, in four characters."""
    return f"{score:.2f}"


def small(p: float) -> str:
    """Return a chance in few characters: ``0.032``, ``2e-09``; what is below 1e-99 is called so."""
    return "<1e-99" if p < 1e-99 else f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def scores_content(feature: FeatureDrift, width: int = 999) -> Content:
    """Return the scores of a feature, the one that decides in bold, as many a line as fit."""
    named = (
        ("KS", feature.kolmogorov_smirnov, ""),
        ("JS", feature.jensen_shannon, ""),
        ("PSI", feature.psi, ""),
        ("Wasserstein", feature.wasserstein, " sd"),
        ("χ²", feature.chi_square, ""),
    )
    decides = METHOD_NAMES[feature.method]
    parts = [
        (f"{name} {number(value)}{unit}" + (f" (from {number(feature.threshold)})" if name == decides else ""), name)
        for name, value, unit in named
        if value is not None
    ]
    parts += [(_("p {small}, adjusted {small2}").format(small=small(feature.p), small2=small(feature.p_adjusted)), "p")]
    lines = [Content("")]
    for text, name in parts:
        if lines[-1].cell_length and lines[-1].cell_length + len(text) + 3 > width:
            lines.append(Content(""))
        gap = "   " if lines[-1].cell_length else ""
        lines[-1] = Content.assemble(lines[-1], gap, (text, "bold" if name == decides else "$muted"))
    return Content("\n").join(lines)


def bins_content(feature: FeatureDrift, width: int) -> Content:
    """Return a feature's scores and both its distributions, one bin a line: reference left, this window right."""
    bins = feature.bins
    held = [
        (safe(label, limit=22), before, after)
        for label, before, after in zip(bins.labels, bins.reference, bins.current, strict=True)
        if before or after
    ]
    wide = max((cell_len(label) for label, _before, _after in held), default=0)
    room = max(4, (width - wide - 20) // 2)
    top = max((max(before, after) for _, before, after in held), default=0.0) or 1.0
    head = f"{'':<{wide}}  {padded(_('reference'), room + 8)}{_('this window')}"
    lines = [scores_content(feature, width), Content.styled(head, "$muted")]
    for label, before, after in held:
        moved = abs(after - before) > 0.05
        lines.append(
            Content.assemble(
                (f"{padded(label, wide)}  ", ""),
                (f"{bar(before, top, room)} ", "$muted"),
                (f"{before * 100:5.1f}% ", "$muted"),
                (f"{bar(after, top, room)} ", "$warn" if moved else "$busy"),
                (f"{after * 100:5.1f}%", "$warn" if moved else ""),
                (" ◂" if moved else "", "$warn"),
            )
        )
    return Content("\n").join(lines)


def bar(part: float, top: float, room: int) -> str:
    """Return a bar of fixed room; what is not zero is seen."""
    full = part / top * room
    eighths = max(1, round(full * 8)) if part > 0 else 0
    return ("█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")).ljust(room)


def alert_row(alert: Alert, now: int) -> Row:
    """Return one alert of the list; its last cell is shown where there is room."""
    state = verdict(alert.state)
    word = (
        _("{text} by {acknowledged_by}").format(text=state.text, acknowledged_by=alert.acknowledged_by)
        if alert.state == "acknowledged"
        else state.text
    )
    started = alert.resolved_at if alert.state == "resolved" else alert.since
    return Row(
        str(alert.id),
        [
            styled(safe(f"{word} ({alert.severity})"), state.style),
            alert.rule,
            number(alert.value),
            number(alert.threshold, 2),
            age(started, now),
            told(alert.message),
        ],
        [alert.state, alert.rule, alert.value, alert.threshold, started, alert.message],
    )


def standing_key(standing: Standing) -> str:
    """Return the row key of a rule that raises nothing."""
    return _("rule {rule} of {endpoint}").format(rule=standing.rule, endpoint=standing.endpoint)


def standing_row(standing: Standing, now: int, bound: float | None = None) -> Row:
    """Return a rule that raises nothing among the alerts: ok, no data or insufficient, since when, and why."""
    state = verdict(standing.state)
    quiet = f" {_('(silenced)')}" if standing.silenced else ""
    says = f"{standing.endpoint}: {told(standing.why)}"
    return Row(
        standing_key(standing),
        [
            styled(f"{state.text}{quiet}", state.style),
            standing.rule,
            number(standing.value),
            number(bound, 2),
            age(standing.since, now),
            says,
        ],
        [standing.state, standing.rule, standing.value, bound, standing.since, says],
    )


def summary(status: Status, endpoint: str, now: int) -> Content:
    """Return the line on top: who watches, what was seen, and the replay that runs."""
    watch = verdict("up" if status.watching else "down")
    parts: list[Content | tuple[str, str] | str] = [(f"{_('watch')} ", "$muted"), watch.content]
    if status.why:
        parts.append((f"  {safe(told(status.why), limit=120)}", "$warn"))
    for replay in status.replays:
        parts += ["   ", (f"{_('◐ replay')} ", "$busy"), share(replay.progress, 0), " ", safe(replay.text, limit=60)]
    for replay in status.paused:
        if replay.endpoint == endpoint:
            parts += [
                "   ",
                (f"{_('○ replay paused')} ", "$muted"),
                share(replay.progress, 0),
                (" p ", "$key"),
                _("goes on"),
            ]
    for one in status.watched:
        if one.endpoint == endpoint and one.rows:
            newest = f"{datetime.fromtimestamp(one.newest_event / 1000, UTC):%Y-%m-%d}"
            parts += [
                "   ",
                (safe(f"{one.model} v{one.version} "), "bold"),
                _("{rows:,} rows up to {newest}").format(rows=one.rows, newest=newest),
            ]
            parts.append((_(", labelled {labelled}").format(labelled=share(one.labelled / one.rows, 0)), ""))
            parts += (
                [(_(", {misdated:,} of no believable time").format(misdated=one.misdated), "$warn")]
                if one.misdated
                else []
            )
        elif one.endpoint == endpoint and one.problem:
            parts.append((f"   {safe(one.model)} v{one.version}: {safe(told(one.problem), limit=120)}", "$warn"))
    return Content.assemble(*parts)


def newest_told(windows: list[Window]) -> Window | None:
    """Return the newest window with enough rows for a verdict, else the newest."""
    judged = [window for window in windows if window.verdict in JUDGED]
    return (judged or windows or [None])[-1]


def badge(findings: Sequence[Finding]) -> Content:
    """Return how many differences of schema there are, for the line on top; empty for none."""
    if not findings:
        return Content("")
    bad = sum(one.verdict == "drift" for one in findings)
    glyph, style = ("✖", "$bad") if bad else ("▲", "$warn")
    return Content.assemble(
        (_("{glyph} {findings} of schema").format(glyph=glyph, findings=len(findings)), style), (" (d)   ", "$muted")
    )
