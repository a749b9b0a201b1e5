"""Three users on two cores with a real supervisor: who is admitted, who makes room, and what is gone on with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import CONFIG as SMALL
from small_problem import make_engine
from support import until

from lemnis.engine import Engine
from lemnis.engine.jobs import Job, Terms

QUOTAS = """
[pool]
cores = 2
memory = "8GiB"
grace_seconds = 0

[pool.quotas.ann]
guaranteed = { cores = 1 }

[pool.quotas.vision]
guaranteed = { cores = 1 }
users = ["bob"]
"""
BEARS = Terms(preemptible=True)
LONG = {"steps": 3000, "pause_s": 0.02}


@pytest.fixture
def shared(engine: Engine) -> Engine:
    path = engine.workspace.config
    path.write_text('[problem]\ntitle = "Test"\n' + QUOTAS)
    engine.jobs.ensure_supervisor()
    return engine


def submit(engine: Engine, user: str, terms: Terms = BEARS, cores: float = 1, priority: int = 50, **work: float) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", user)
        title = f"work of {user}"
        return engine.jobs.submit("jobs.selftest", title, work or LONG, cores=cores, priority=priority, terms=terms)


def when(engine: Engine, job_id: int, state: str, words: str = "") -> Job:
    def ready() -> Job | None:
        job = engine.jobs.job(job_id)
        return job if job.state == state and words in job.why and (state != "running" or job.progress_n) else None

    return until(ready, 60)


def test_what_is_guaranteed_is_taken_back_from_a_borrower_that_goes_on_later(shared: Engine) -> None:
    cem = [submit(shared, "cem"), submit(shared, "cem")]
    for job_id in cem:
        when(shared, job_id, "running")
    ann = submit(shared, "ann", steps=1)
    assert when(shared, ann, "finished").attempts == 1
    [admission] = shared.jobs.admissions(ann)
    assert (admission.lease.account, admission.lease.borrowed) == ("ann", False)
    assert admission.lease.why == "starts with 1 core, within what ann is guaranteed"
    made_room = next(job for job in map(shared.jobs.job, cem) if job.preemptions)
    first, second = until(lambda: found if len(found := shared.jobs.admissions(made_room.id)) == 2 else None)
    assert first.lease.why == "starts with 1 core, borrowed by cem"
    assert first.ended == f"preempted by job {ann} (ann is guaranteed 1 core); begins again"
    assert second.started_at >= (first.ended_at or 0)
    assert sum(shared.jobs.job(job_id).preemptions for job_id in cem) == 1


def test_a_job_that_bears_no_stop_is_never_stopped_and_the_other_says_so(shared: Engine) -> None:
    kept = submit(shared, "cem", Terms(), cores=2)
    when(shared, kept, "running")
    bob = submit(shared, "bob", steps=1)
    why = when(shared, bob, "queued", "can't be stopped").why
    assert why == f"waits for 1 core: 0 of 2 free, job {kept} holds 2; job {kept} borrows it but can't be stopped"
    shared.jobs.cancel(kept)
    when(shared, bob, "finished")
    assert shared.jobs.admissions(bob)[0].lease.account == "vision"


@pytest.mark.slow
def test_one_who_asked_to_cancel_a_job_that_makes_room_gets_it_cancelled(shared: Engine) -> None:
    slow = submit(shared, "cem", cores=2, steps=3, pause_s=2)
    when(shared, slow, "running")
    ann = submit(shared, "ann", steps=1)
    until(lambda: shared.jobs.job(slow).stops_for == ann)
    shared.jobs.cancel(slow)
    assert when(shared, slow, "cancelled").preemptions == 0
    when(shared, ann, "finished")


@pytest.mark.slow
def test_a_gang_starts_together(shared: Engine) -> None:
    blocker = submit(shared, "bob", Terms())
    when(shared, blocker, "running")
    gang = Terms(gang="trials", gang_size=2)
    first = submit(shared, "cem", gang, steps=1)
    when(shared, first, "queued", "waits for its gang: 1 of 2")
    second = submit(shared, "cem", gang, steps=1)
    when(shared, second, "queued", f"waits for 2 cores: 1 of 2 free, job {blocker} holds 1")
    shared.jobs.cancel(blocker)
    starts = [shared.jobs.admissions(when(shared, job_id, "finished").id)[0].started_at for job_id in (first, second)]
    assert abs(starts[0] - starts[1]) < 2000


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(tmp_path / "small")
    path = engine.workspace.config
    path.write_text(SMALL.format(task="binary") + QUOTAS)
    yield engine
    for job in engine.jobs.jobs(states=("queued", "preparing", "running")):
        engine.jobs.cancel(job.id)
    until(lambda: not engine.jobs.jobs(states=("preparing", "running")), 60)
    engine.jobs.stop_supervisor()
    engine.store.close()


def train(engine: Engine, user: str, rounds: int) -> tuple[int, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", user)
        run_id = engine.experiments.start("default", overrides={"rounds": rounds})
    job_id = engine.experiments.run(run_id).job_id
    assert job_id is not None
    return run_id, job_id


@pytest.mark.slow
def test_a_training_that_made_room_ends_as_if_it_had_not_with_no_metric_lost_or_doubled(trained: Engine) -> None:
    """The scripted contention: cem borrows, ann and bob take back, cem goes on; then all is as without them."""
    engine, rounds = trained, 8000  # some seconds: it still trains when ann and bob come
    alone, alone_job = train(engine, "cem", rounds)
    engine.jobs.ensure_supervisor()
    when(engine, alone_job, "finished")
    run_id, job_id = train(engine, "cem", rounds)
    other = submit(engine, "cem", steps=2000, pause_s=0.02)
    job = until(lambda: j if "round" in (j := engine.jobs.job(job_id)).progress_text else None, 60)
    when(engine, other, "running")
    ann, bob = submit(engine, "ann", steps=20, pause_s=0.05), submit(engine, "bob", steps=20, pause_s=0.05)
    low, high = submit(engine, "dee", steps=1, priority=40), submit(engine, "dee", steps=1, priority=60)
    for one in (ann, bob, low, high):
        when(engine, one, "finished")
    assert engine.jobs.admissions(high)[0].started_at <= engine.jobs.admissions(low)[0].started_at
    job = when(engine, job_id, "finished")
    assert job.preemptions == 1
    first, second = engine.jobs.admissions(job_id)
    assert "; goes on from round " in first.ended
    at = int(first.ended.rsplit(" ", 1)[1])
    assert 0 < at < rounds
    assert "going on after round" in engine.jobs.log(job_id)
    assert second.lease.borrowed
    sql = "select run_id, key, step, value from metric_points order by run_id, key, step"
    told: dict[int, list[tuple[str, int, float]]] = {alone: [], run_id: []}
    for row in engine.store.rows(sql, name="metrics"):
        told[row["run_id"]].append((row["key"], row["step"], row["value"]))
    assert told[run_id] == told[alone]
    assert [step for key, step, _ in told[run_id] if key == told[run_id][0][0]] == list(range(1, rounds + 1))
    grown = [engine.experiments.model_path(one).read_text() for one in (alone, run_id)]
    trees = [text[text.index("Tree=0") : text.index("end of trees")] for text in grown]
    assert trees[0] == trees[1]
    for one in (ann, bob, job_id, other, alone_job):
        for admission in engine.jobs.admissions(one):
            assert admission.lease.why.startswith("starts with 1 core")
