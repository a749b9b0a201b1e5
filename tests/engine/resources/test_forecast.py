"""When waiting jobs start, told by letting the schedule go on; what a change would do, tried without changing it."""

import pytest

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import Terms, queue
from lemnis.engine.resources import Change
from lemnis.engine.resources.scheduling import Claim, Policy, Pool, Quota
from lemnis.engine.resources.scheduling.forecast import CHECKPOINT_MS, Start, forecast

GIB = 2**30
TWO = Pool(cores=2, memory_bytes=4 * GIB)
MIN = 60_000


def test_a_job_starts_when_those_before_it_have_ended() -> None:
    running = [Claim(job_id=1, cores=2, started_at=0)]
    queued = [Claim(job_id=2, cores=2, created_at=1), Claim(job_id=3, cores=2, created_at=2)]
    left = {1: 4 * MIN, 2: 10 * MIN, 3: MIN}
    told = forecast(queued, running, TWO, Policy(now=100), left)
    assert told == {2: Start(at=100 + 4 * MIN, after=(1,)), 3: Start(at=100 + 14 * MIN, after=(2,))}


def test_where_nobody_knows_how_long_a_job_takes_nothing_is_told_but_which_job_that_is() -> None:
    running = [Claim(job_id=1, cores=2, started_at=0)]
    told = forecast([Claim(job_id=2, cores=1)], running, TWO, Policy(now=100), {2: MIN})
    assert told == {2: Start(at=None, after=(1,))}


def test_what_is_taken_back_is_free_after_the_grace_and_a_checkpoint() -> None:
    policy = Policy(now=10_000, quotas={"ann": Quota(guaranteed=(1, GIB, 0))}, grace_ms=30_000)
    lent = Claim(job_id=1, cores=2, account="bob", preemptible=True, started_at=0)
    told = forecast([Claim(job_id=2, cores=1, account="ann")], [lent], TWO, policy, {1: 60 * MIN, 2: MIN})
    assert told[2].at == 30_000 + CHECKPOINT_MS


def add(engine: Engine, user: str, cores: float, *, running: float | None = None, **more: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", user)
        job_id = engine.jobs.submit("jobs.selftest", f"work of {user}", {}, cores=cores, **more)  # type: ignore[arg-type]
    if running is not None:
        job = queue.claim(engine.store, job_id)
        assert job is not None
        assert queue.register(engine.store, job_id, job.epoch, None)
        with engine.store.write() as db:
            began = now_ms() - 100_000
            db.execute("update jobs set progress = ?, started_at = ? where id = ?", [running, began, job_id])
            db.execute("update allocations set started_at = ? where job_id = ?", [began, job_id])
    return job_id


@pytest.fixture
def shared(engine: Engine) -> Engine:
    engine.workspace.config.write_text(
        '[problem]\ntitle = "T"\n[pool]\ncores = 2\nmemory = "4GiB"\n[pool.quotas.ann]\nguaranteed = { cores = 1 }\n'
    )
    return engine


def test_the_pool_tells_of_every_account_and_when_its_waiting_jobs_start(shared: Engine) -> None:
    runs = add(shared, "bob", 2, running=0.5)
    ann, bob = add(shared, "ann", 1), add(shared, "bob", 2)
    pool = shared.resources.pool()
    assert [(one.name, one.held[0], one.borrowed[0], one.waiting) for one in pool.accounts] == [
        ("ann", 0, 0, 1), ("bob", 2, 2, 1),
    ]  # fmt: skip
    [holding] = pool.holding
    assert holding.right == "borrowed by bob"
    assert 95 < (holding.left_s or 0) < 110
    first, second = pool.waiting
    assert (first.job_id, second.job_id) == (ann, bob)
    assert first.why.endswith(f"job {runs} borrows it but can't be stopped")
    assert first.start.after == (runs,)
    assert first.start.at is not None
    assert 90_000 < first.start.at - now_ms() < 110_000
    assert second.start == Start(at=None, after=(ann,))  # nobody has ever seen such a job end


def test_a_trial_says_who_would_be_stopped_and_changes_nothing(shared: Engine) -> None:
    lent = add(shared, "bob", 2, running=0.5, terms=Terms(preemptible=True))
    with shared.store.write() as db:
        db.execute("update jobs set preemptible = 1 where id = ?", [lent])
    big = add(shared, "ann", 2)
    found = shared.resources.what_if(big, Change(cores=1))
    assert found.before.preempts == ()
    assert found.before.why.startswith("waits for 2 cores: 0 of 2 free")
    assert found.after.why == f"ann is guaranteed 1 core: job {lent} (bob) stops at its next checkpoint"
    [stopped] = found.others
    assert (stopped.job_id, stopped.preempted, stopped.account) == (lent, True, "bob")
    assert shared.jobs.job(big).allocation.cores == 2
    assert shared.jobs.job(lent).stops_for is None
    with pytest.raises(BadInput, match="is running"):
        shared.resources.what_if(lent, Change(priority=80))
    with pytest.raises(NotFound):
        shared.resources.what_if(99, Change())


def test_a_priority_moves_a_job_in_line_and_who_gave_it_is_on_record(shared: Engine) -> None:
    add(shared, "bob", 2, running=0.9)
    first, second = add(shared, "bob", 2), add(shared, "bob", 2)
    found = shared.resources.what_if(second, Change(priority=80))
    assert (found.before.place, found.after.place) == (2, 1)
    assert [one.job_id for one in found.others] == [first]
    shared.jobs.prioritise(second, 80)
    assert [one.job_id for one in shared.resources.pool().waiting] == [second, first]
    [event] = shared.jobs.events(second)
    assert event.what == "priority 50 → 80"
    ended = add(shared, "bob", 1)
    queue.ask_cancel(shared.store, ended)
    with pytest.raises(BadInput, match="cancelled already"):
        shared.jobs.prioritise(ended, 10)
