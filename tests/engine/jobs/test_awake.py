"""A machine that slept, or a container that was paused, costs no job its worker and no service its name."""

# pyright: basic

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.clock import AwakeClock
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.executors import START_S, LocalExecutor
from lemnis.engine.jobs.services import Keeper
from lemnis.engine.jobs.supervisor import Supervisor


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_what_is_counted_and_what_was_slept_through_make_up_the_time_that_passed(gaps: list[float]) -> None:
    now = [0.0]
    awake = AwakeClock(lambda: now[0], longest_s=5.0)
    for gap in gaps:
        before = awake()
        now[0] += gap
        slept = awake.look()
        assert 0 <= awake() - before <= 5.001
        assert slept >= 0
        assert abs(awake() - before + slept - max(gap, 0.0)) < 1e-3  # a clock that is set back counts nothing


def test_a_worker_that_was_starting_when_the_machine_slept_has_the_rest_of_its_time(engine: Engine) -> None:
    now = [0.0]
    awake = AwakeClock(lambda: now[0])
    supervisor = Supervisor(engine.store, LocalExecutor(engine.workspace, awake), Keeper(engine.store, awake), awake)
    jobs = [engine.jobs.submit("jobs.selftest", "self-test", {}) for _ in range(3)]
    assert all(queue.claim(engine.store, job_id) for job_id in jobs)

    def states() -> set[str]:
        supervisor.watch()
        return {engine.jobs.job(job_id).state for job_id in jobs}

    assert states() == {"preparing"}
    now[0] += 8 * 3600
    assert awake.look() == 8 * 3600 - 5
    assert states() == {"preparing"}
    while awake() < START_S:
        now[0] += 4
        awake.look()
    assert states() == {"lost"}
