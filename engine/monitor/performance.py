"""How good the answers were: the labels that came back, joined to their predictions, window by window."""

from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Value
from lemnis.engine.models.kinds import Task
from lemnis.engine.monitor.measures import Measures, measures
from lemnis.engine.monitor.spans import MINUTE_MS, Spans
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.monitor.reference import Reference

PAGE = 50_000  # labelled rows read at once
OVERLAP_MS = 10_000  # a label may be committed a moment after a later one; so much is looked at again

# The + keeps SQLite on the index of the key: without it the planner may scan a whole version for each row.
LABELLED = """
    select p.event_at, p.id, p.score, p.answer, a.actual
    from predictions p join actuals a on a.endpoint = p.endpoint and a.row_key = p.row_key
    where p.endpoint = ? and p.model = ? and p.version = ? and p.row_key != ''
      and (p.event_at, p.id) > (?, ?) and p.event_at < ?
      and not exists (select 1 from predictions q where q.endpoint = p.endpoint and q.row_key = p.row_key
                        and q.model = p.model and +q.version = p.version and q.id < p.id)
    order by p.event_at, p.id limit ?
"""


class Answering(Protocol):
    """What says how a logged answer is to be read."""

    @property
    def task(self) -> Task: ...


class NewLabels(msgspec.Struct, frozen=True, kw_only=True):
    """Which windows have labels that were not measured yet.

    Attributes:
        starts: Of these windows, ascending.
        minutes: Starts of the minutes that those rows are in.
        newest_at: When the newest label was received; count: labels received in the OVERLAP_MS up to then.
        newest_event: Event time of the latest row that has a label.
    """

    starts: list[int]
    minutes: list[int]
    newest_at: int
    count: int
    newest_event: int


def measure_window(
    store: Store, key: list[object], span: tuple[int, int], reference: "Reference", value: Value | None
) -> Measures:
    """Return how good the answers of one window were, as far as their labels are known.

    Args:
        store: Where the predictions are.
        key: Endpoint, model and version.
        span: Start and end of the window, epoch ms of event time.
        reference: Says the task and the threshold.
        value: What right and wrong answers are worth.
    """
    if store.value("select 1 from actuals where endpoint = ? limit 1", [key[0]], name="predictions") is None:
        return Measures()
    targets: list[NDArray[np.float64]] = []
    scores: list[NDArray[np.float64]] = []
    event, last = span[0] - 1, 0
    while page := store.rows(LABELLED, [*key, event, last, span[1], PAGE], name="predictions"):
        event, last = page[-1]["event_at"], page[-1]["id"]
        targets.append(np.array([row["actual"] for row in page], dtype=np.float64))
        scores.append(np.array([answer_of(row, reference) for row in page], dtype=np.float64))
        if len(page) < PAGE:
            break
    if not targets:
        return Measures()
    return measures(reference.task, np.concatenate(targets), np.concatenate(scores), reference.threshold, value)


def score_of(row: Row, reference: "Answering") -> float:
    """Return a logged answer as one number: the score, or the likeliest class's place; NaN without one."""
    if reference.task == "multiclass" and row["answer"]:
        return float(np.argmax(msgspec.json.decode(row["answer"], type=list[float])))
    return np.nan if row["score"] is None else float(row["score"])


def answer_of(row: Row, reference: "Answering") -> float | list[float]:
    """Return a logged answer as the measures take it: the score, or the probability of every class."""
    if reference.task == "multiclass" and row["answer"]:
        return msgspec.json.decode(row["answer"], type=list[float])
    return score_of(row, reference)


def windows_with_new_labels(store: Store, key: list[object], cursor: Row, spans: Spans) -> NewLabels | None:
    """Return the windows whose rows got labels since the cursor, or None when none came.

    A changed label counts as new: it was received again.
    """
    since = cursor["labels_at"] - OVERLAP_MS
    sql = "select max(at) as newest from actuals where endpoint = ? and at >= ?"
    newest = store.value(sql, [key[0], since], name="predictions")
    if newest is None:
        return None
    sql = "select count(*) from actuals where endpoint = ? and at >= ?"
    count = int(store.value(sql, [key[0], newest - OVERLAP_MS], name="predictions"))
    if (newest, count) == (cursor["labels_at"], cursor["labels"]):
        return None
    rows = store.rows(
        f"""select p.event_at / {MINUTE_MS} as minute, max(p.event_at) as newest
            from actuals a join predictions p on p.endpoint = a.endpoint and p.row_key = a.row_key
            where a.endpoint = ? and a.at >= ? and p.model = ? and +p.version = ? group by minute""",
        [key[0], since, *key[1:]],
        name="predictions",
    )
    minutes = [row["minute"] * MINUTE_MS for row in rows]
    return NewLabels(
        starts=sorted({spans.start(minute) for minute in minutes}),
        minutes=minutes,
        newest_at=newest,
        count=count,
        newest_event=max((row["newest"] for row in rows), default=0),
    )
