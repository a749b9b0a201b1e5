"""Performance of an endpoint as it is told: truth and estimate of each window, their record, and the money."""

import statistics
from typing import Any

import msgspec

from lemnis.engine.config import Value, load_config
from lemnis.engine.monitor.concept.kept import concept_of, kept_baseline
from lemnis.engine.monitor.concept.money import Total, Worth, half, total, worth
from lemnis.engine.monitor.concept.records import MONEY, Baseline, Concept, Figure, Figures, Z
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Row, Store

METRICS: dict[str, str] = {  # in the order they are told
    "roc_auc": "ROC AUC",
    "log_loss": "log loss (nats)",
    "brier": "Brier score",
    "accuracy": "accuracy",
    MONEY: "value per 1,000",
    "mean_absolute_error": "mean absolute error",
    "rmse": "RMSE",
}
PLACE = ("model", "version", "starts", "ends")
COVERED = 0.8  # share of the rows that must be labelled for a window's truth to judge its estimate
WELL_CALIBRATED = 0.02  # an expected calibration error that is always fine


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One window's performance; figures by name.

    Attributes:
        measured: By the labels that came; empty before them.
        estimated: As expected before the labels came; never mixed with what was measured.
        held_out: Of the rows held out of training.
        calibration_error: Of the calibrated scores, by the labels: whether the estimate's assumption held.
        money: Against the held-out rows, measured where labels are, else estimated.
    """

    window: Window
    measured: dict[str, Figure]
    estimated: dict[str, Figure]
    held_out: dict[str, Figure]
    calibration_error: float | None
    blocks: str
    money: Worth | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How past estimates of one metric did once the labels came.

    Attributes:
        windows: Whose labels are all here; inside: of them, those whose truth fell into the estimate's interval.
        reach: Median half width of these intervals; off: median distance of the truth from the estimate.
    """

    windows: int
    inside: int
    reach: float
    off: float


class Assumption(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the calibration that estimates rest on still held in the newest window with labels.

    Attributes:
        error: Expected calibration error there; allowed: what counts as holding.
    """

    starts: int
    error: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.error <= self.allowed


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Everything told of one endpoint's performance, its windows in order of event time.

    Attributes:
        metrics: Names of the figures there are.
        record: By metric, of the version that answered last.
        why: Why nothing is estimated; empty where something is.
        lag_ms: How far the newest label is behind the newest row, in event time; None before the first label.
        total: Money since the first bad window of the version that answered last.
        concept: What the detectors say of that version; None before its first label.
    """

    endpoint: str
    currency: str
    metrics: list[str]
    entries: list[Entry]
    record: dict[str, Kept]
    assumption: Assumption | None
    why: str
    lag_ms: int | None
    total: Total | None
    concept: Concept | None


def performance_of(store: Store, endpoint: str, windows: list[Window]) -> Performance:
    """Return what is known of an endpoint's performance in some windows, in order of time; reads SQLite alone.

    Raises:
        ConfigError: lemnis.toml is not accepted.
    """
    problem = load_config(store.workspace.config).problem
    kept = {tuple(row[name] for name in PLACE): row for row in figures_rows(store, endpoint)}
    versions = {(window.model, window.version) for window in windows}
    baselines = {one: kept_baseline(store, *one) for one in versions}
    cursors = cursors_of(store, endpoint)
    entries = [
        entry_of(
            window,
            kept.get(tuple(getattr(window, name) for name in PLACE)),
            baselines[window.model, window.version],
            problem.value,
            newest=cursors.get((window.model, window.version), (0, 0))[0],
        )
        for window in windows
    ]
    last = windows[-1] if windows else None
    own = [one for one in entries if last and (one.window.model, one.window.version) == (last.model, last.version)]
    baseline = baselines[last.model, last.version] if last else None
    newest, label = (max((one[place] for one in cursors.values()), default=0) for place in (0, 1))
    return Performance(
        endpoint=endpoint,
        currency=problem.currency,
        metrics=[name for name in METRICS if any(name in one.measured or name in one.estimated for one in entries)],
        entries=entries,
        record={name: found for name in METRICS if (found := record_of(own, name)) is not None},
        assumption=assumption_of(own, baseline),
        why=baseline.why if baseline else "",
        lag_ms=newest - label if label else None,
        concept=concept_of(store, [endpoint, last.model, last.version]) if last else None,
        total=total([(one.window.starts, one.money) for one in own if one.money is not None]),
    )


def figures_rows(store: Store, endpoint: str) -> list[Row]:
    """Return the kept figures of an endpoint's windows as they are cut now."""
    return store.rows(
        """select f.* from monitor_figures f join monitor_windows w using (endpoint, model, version, starts, ends)
           where f.endpoint = ?""",
        [endpoint],
    )


def cursors_of(store: Store, endpoint: str) -> dict[tuple[str, int], tuple[int, int]]:
    """Return event time of the newest row and of the newest label of each version."""
    rows = store.rows("select * from monitor_cursors where endpoint = ?", [endpoint])
    return {(row["model"], row["version"]): (row["newest_event"], row["newest_label_event"]) for row in rows}


def entry_of(window: Window, row: Row | None, baseline: Baseline | None, value: Value, *, newest: int) -> Entry:
    """Return one window's performance."""
    measured, estimated = (figures_in(row[name] if row else None) for name in ("measured", "estimated"))
    held_out = baseline.figures if baseline else Figures()
    truth, expected, reference = (figures.money(value) for figures in (measured, estimated, held_out))
    money = None
    if reference is not None and (truth or expected) and any(msgspec.structs.astuple(value)):
        span = (window.ends if window.closed else max(newest, window.starts)) - window.starts
        basis, figure = ("measured", truth) if truth else ("estimated", expected)
        assert figure is not None
        money = worth(basis, figure, reference, rows=window.rows, span_ms=span)
    return Entry(
        window=window,
        measured=by_name(measured, value) or as_counted(window),
        estimated=by_name(estimated, value),
        held_out=by_name(held_out, value) or reference_of(window),
        calibration_error=row["calibration_error"] if row else None,
        blocks=measured.blocks,
        money=money,
    )


def as_counted(window: Window) -> dict[str, Figure]:
    """Return the figures a window has before its rows were measured one by one: no interval but the AUC's."""
    found = {name: Figure(value) for name in METRICS if (value := getattr(window, name, None)) is not None}
    if window.roc_auc is not None and window.roc_auc_error is not None:
        reach = Z * window.roc_auc_error
        found["roc_auc"] = Figure(window.roc_auc, window.roc_auc - reach, window.roc_auc + reach)
    return found


def reference_of(window: Window) -> dict[str, Figure]:
    """Return what is known of the held-out rows before there is a baseline."""
    known = {"roc_auc": window.reference_auc, "log_loss": window.reference_log_loss}
    return {name: Figure(value) for name, value in known.items() if value is not None}


def figures_in(text: Any) -> Figures:
    """Return figures as they were kept; empty ones for none. Any: what the column holds."""
    return msgspec.json.decode(text, type=Figures) if text else Figures()


def by_name(figures: Figures, value: Value) -> dict[str, Figure]:
    """Return all figures by name, money among them where a value is declared."""
    named = {name: figure for name in METRICS if (figure := figures.named(name, value)) is not None}
    if not any(msgspec.structs.astuple(value)):
        named.pop(MONEY, None)
    return named


def record_of(entries: list[Entry], metric: str) -> Kept | None:
    """Return how past estimates did; None before the labels of one window are all here."""
    pairs = [
        (entry.measured[metric], entry.estimated[metric])
        for entry in entries
        if entry.window.labels_settled
        and entry.window.labelled_share >= COVERED
        and metric in entry.measured
        and entry.estimated.get(metric, Figure(0)).high is not None
    ]
    if not pairs:
        return None
    return Kept(
        windows=len(pairs),
        inside=sum((told.low or 0.0) <= truth.value <= (told.high or 0.0) for truth, told in pairs),
        reach=statistics.median(half(told) or 0.0 for _, told in pairs),
        off=statistics.median(abs(truth.value - told.value) for truth, told in pairs),
    )


def assumption_of(entries: list[Entry], baseline: Baseline | None) -> Assumption | None:
    """Return whether the calibration still held in the newest window with enough labels; None before there is one."""
    told = [one for one in entries if one.calibration_error is not None and one.window.labelled_share >= COVERED]
    if not told or baseline is None or baseline.doubt is None:
        return None
    error = told[-1].calibration_error
    assert error is not None
    allowed = max(WELL_CALIBRATED, 2 * baseline.doubt.calibration_error)
    return Assumption(starts=told[-1].window.starts, error=error, allowed=allowed)
