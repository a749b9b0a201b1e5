"""The queue: each job runs once, ends once, and a late worker can't overwrite its successor."""

import os
import threading

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.processes import identity_of


def submit(engine: Engine, **arguments: object) -> int:
    return engine.jobs.submit("jobs.selftest", "self-test", arguments)


def test_eight_threads_claim_forty_jobs_each_once(engine: Engine) -> None:
    jobs = [submit(engine) for _ in range(40)]
    claimed: list[int] = []

    def claim_all() -> None:
        for job_id in jobs:
            if queue.claim(engine.store, job_id) is not None:
                claimed.append(job_id)
        engine.store.close()

    threads = [threading.Thread(target=claim_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == jobs


def test_a_worker_of_an_old_epoch_writes_nothing(engine: Engine) -> None:
    job_id = submit(engine)
    me = identity_of(os.getpid())
    assert me is not None
    first = queue.claim(engine.store, job_id)
    assert first is not None
    assert queue.register(engine.store, job_id, first.epoch, me)
    assert queue.end(engine.store, job_id, first.epoch, "lost", "gone")
    engine.jobs.retry(job_id)
    second = queue.claim(engine.store, job_id)
    assert second is not None
    assert second.epoch == first.epoch + 1
    assert not queue.register(engine.store, job_id, first.epoch, me)
    assert not queue.end(engine.store, job_id, first.epoch, "finished", "finished")
    assert engine.jobs.job(job_id).state == "preparing"


def test_a_waiting_job_is_cancelled_at_once_and_a_cancelled_one_can_be_retried(engine: Engine) -> None:
    job_id = submit(engine)
    assert engine.jobs.cancel(job_id).state == "cancelled"
    assert engine.jobs.retry(job_id).state == "queued"


def test_unknown_and_finished_jobs_are_refused_in_a_sentence(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no job 99"):
        engine.jobs.job(99)
    job_id = submit(engine)
    with pytest.raises(BadInput, match="is queued"):
        engine.jobs.retry(job_id)


def test_the_revision_of_the_jobs_moves_with_the_queue(engine: Engine) -> None:
    before = engine.revisions()["jobs"]
    submit(engine)
    assert until(lambda: engine.revisions()["jobs"] > before)
