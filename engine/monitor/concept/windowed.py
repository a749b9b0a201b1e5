"""Figures window by window: measured as labels come back, estimated as rows arrive, and kept beside each other."""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.features.signature import Signature
from lemnis.engine.models.calibration import ProbabilityMap
from lemnis.engine.monitor.children import CHILDREN
from lemnis.engine.monitor.concept.baseline import DAY_MS, baseline_of
from lemnis.engine.monitor.concept.direct import direct_figures
from lemnis.engine.monitor.concept.expected import calibration_error, estimated_figures
from lemnis.engine.monitor.concept.figures import labelled_figures
from lemnis.engine.monitor.concept.kept import kept_baseline
from lemnis.engine.monitor.concept.records import Baseline, Figures
from lemnis.engine.monitor.concept.several import estimated_classes
from lemnis.engine.monitor.performance import LABELLED, PAGE, answer_of
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

Values = NDArray[np.float64]
Places = NDArray[np.int64]
GROWN = 1.1  # a window that still grows is read again when it has this many times the rows or labels, …
EVERY_MS = 30_000  # … or, for labels, after this long
OF = "endpoint = ? and model = ? and version = ?"
DIRECT = "lemnis.engine.monitor.concept.direct"

MEASURE = f"""
    select w.starts, w.ends, w.computed_at from monitor_windows w
    left join monitor_figures f using (endpoint, model, version, starts)
    where w.{OF.replace("model", "w.model").replace("version", "w.version")} and w.labelled > 0
      and (f.measured is null or f.ends != w.ends or w.labelled >= f.labelled * {GROWN} + 1
        or (w.computed_at != f.seen_at and (w.labels_settled or f.measured_at <= ?)))
    order by w.starts
"""
ESTIMATE = f"""
    select w.starts, w.ends, w.rows from monitor_windows w
    left join monitor_figures f using (endpoint, model, version, starts)
    where w.{OF.replace("model", "w.model").replace("version", "w.version")} and w.rows > 0
      and (f.estimated is null or f.ends != w.ends or w.rows >= f.rows * {GROWN} + 1 or (w.closed and w.rows != f.rows))
    order by w.starts
"""
# The + keeps SQLite on the index of the key: without it the planner may scan a whole version for each row.
ANSWERED = """
    select p.event_at, p.id, p.score, p.answer, iif(?, p.features, '') as features from predictions p
    where p.endpoint = ? and p.model = ? and p.version = ?
      and (p.event_at, p.id) > (?, ?) and p.event_at < ?
      and (p.row_key = '' or not exists (
        select 1 from predictions q where q.endpoint = p.endpoint and q.row_key = p.row_key
            and q.model = p.model and +q.version = p.version and q.id < p.id))
    order by p.event_at, p.id limit ?
"""


def follow_windows(store: Store, key: list[Any], now: int, *, apart: bool) -> bool:
    """Measure and estimate the windows of one served version that are due; say whether there was one.

    Args:
        store: The workspace's state.
        key: Endpoint, model and version. Any: as SQLite takes them.
        now: Epoch ms.
        apart: Ask LightGBM in a process of its own; what that finds is there at a later call.
    """
    if not store.rows(MEASURE, [*key, now - EVERY_MS]) and not store.rows(ESTIMATE, key):
        return False
    baseline = baseline_of(store, key[1], key[2], apart=apart)
    if baseline is None:
        return False
    measured = measure_due(store, key, baseline, now)
    return estimate_due(store, key, apart=apart) > 0 or measured > 0


def measure_due(store: Store, key: list[Any], baseline: Baseline, now: int) -> int:
    """Measure the windows whose labels changed; return how many."""
    due = store.rows(MEASURE, [*key, now - EVERY_MS])
    for window in due:
        target, score, days = labelled_rows(store, key, baseline, (window["starts"], window["ends"]))
        figures = labelled_figures(baseline.task, target, score, baseline.threshold, days)
        facts = {
            "measured": msgspec.json.encode(figures).decode(),
            "labelled": figures.rows,
            "seen_at": window["computed_at"],
            "measured_at": now,
            "calibration_error": calibration_error(target, score, map_of(baseline)),
        }
        with store.write() as db:
            keep(db, key, window, facts)
    return len(due)


def labelled_rows(
    store: Store, key: list[Any], baseline: Baseline, span: tuple[int, int]
) -> tuple[Values, Values, Places]:
    """Return true answer, the model's answer and number of the day of each labelled row of a window."""
    rows = pages(store, LABELLED, key, span)
    target = np.array([row["actual"] for row in rows], dtype=np.float64)
    score = np.array([answer_of(row, baseline) for row in rows], dtype=np.float64)
    return target, score, np.array([row["event_at"] // DAY_MS for row in rows], dtype=np.int64)


def pages(store: Store, sql: str, key: list[Any], span: tuple[int, int]) -> list[Row]:
    """Return the rows of a span of event time, read a page at a time."""
    event, last, found = span[0] - 1, 0, list[Row]()
    while page := store.rows(sql, [*key, event, last, span[1], PAGE], name="predictions"):
        found += page
        event, last = page[-1]["event_at"], page[-1]["id"]
        if len(page) < PAGE:
            break
    return found


def estimate_due(store: Store, key: list[Any], *, apart: bool) -> int:
    """Estimate the windows that have grown since; return how many."""
    due = store.rows(ESTIMATE, key)
    baseline = kept_baseline(store, key[1], key[2])
    if not due or baseline is None:
        return 0
    if baseline.error_model and apart:
        problem = CHILDREN.ended(DIRECT, str(store.workspace.root), *(str(part) for part in key))
        if not problem:
            return 0 if problem is None else len(due)
        baseline = Baseline(task=baseline.task, why=problem)
    for window in due:
        figures = estimated(store, key, baseline, (window["starts"], window["ends"]))
        facts = {"estimated": msgspec.json.encode(figures).decode(), "rows": window["rows"]}
        with store.write() as db:
            keep(db, key, window, facts)
    return len(due)


def estimated(store: Store, key: list[Any], baseline: Baseline, span: tuple[int, int]) -> Figures:
    """Return what the rows of a window are expected to show; empty where that can't be said."""
    if baseline.doubt is None:
        return Figures()
    rows = pages(store, ANSWERED, [bool(baseline.error_model), *key], span)
    if baseline.classes:
        score = np.array([answer_of(row, baseline) for row in rows if row["answer"]], dtype=np.float64)
        return estimated_classes(score.reshape(-1, len(baseline.classes)), map_of(baseline), baseline.doubt)
    score = np.array([np.nan if row["score"] is None else row["score"] for row in rows], dtype=np.float64)
    if not baseline.error_model:
        return estimated_figures(score, baseline.points, baseline.threshold, baseline.doubt)
    from lemnis.engine.features.requests import encode_rows

    sql = "select signature from model_versions where model = ? and version = ?"
    signature = msgspec.json.decode(store.value(sql, key[1:]), type=Signature)
    sql = "select error_model from monitor_baselines where model = ? and version = ?"
    values = msgspec.json.decode("[" + ",".join(row["features"] for row in rows) + "]", type=list[list[Any]])
    matrix = encode_rows([dict(zip(signature.names, one, strict=True)) for one in values], signature)
    return direct_figures(str(store.value(sql, key[1:])), matrix, score, baseline.doubt)


def map_of(baseline: Baseline) -> ProbabilityMap:
    """Return the calibration of a baseline; one without points where it has none."""
    return ProbabilityMap(method="isotonic", points=baseline.points, classes=baseline.classes)


def keep(db: "Database", key: list[Any], window: Row, facts: dict[str, Any]) -> None:
    """Write some facts of one window; what was known of a window of another width goes."""
    row = dict(zip(("endpoint", "model", "version"), key, strict=True)) | {"starts": window["starts"]}
    db.execute(f"delete from monitor_figures where {OF} and starts = ? and ends != ?", [*row.values(), window["ends"]])
    row |= {"ends": window["ends"], **facts}
    updates = ", ".join(f"{name} = excluded.{name}" for name in facts)
    sql = f"""insert into monitor_figures ({", ".join(row)}) values ({", ".join("?" * len(row))})
              on conflict (endpoint, model, version, starts) do update set {updates}"""
    db.execute(sql, list(row.values()))
