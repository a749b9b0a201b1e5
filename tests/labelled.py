"""What label tests share: queues made in this very process, and a labeller who answers all of one."""

from typing import Any

from korean import truth

from lemnis.engine import Engine
from lemnis.engine.explore.labels import Answer, Queue
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.labelling.jobs import queue

TRUE = truth()


def made(engine: Engine, kind: str, **wishes: Any) -> Queue:
    """Make a queue as its job would and return it."""
    job = engine.jobs.job(engine.labelling.start_queue("topic", kind, "kim", **wishes))
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [job.id])
    return engine.explore.labels.queue(queue(JobContext.for_test(engine.store), job.arguments)["queue"])


def answered(engine: Engine, queue_id: int, who: str, said: Any = TRUE.get, most: int = 10_000) -> int:
    """Let a labeller answer every row of a queue with what `said` gives for its key; return how many."""
    room, count = engine.explore.labels, 0
    while count < most and (task := room.next(queue_id, who)) is not None:
        answer = Answer(kind="label", value=said(task.item.row_key), took_ms=1000)
        room.answer(queue_id, task.item.place, answer, who)
        count += 1
    return count
