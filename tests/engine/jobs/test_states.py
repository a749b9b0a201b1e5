"""The job's states and the back-off."""

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.jobs.states import AFTER, ENDED, back_off_seconds, may_follow


def test_a_finished_job_stays_finished() -> None:
    assert not any(may_follow("finished", after) for after in AFTER)


def test_every_other_end_can_be_tried_again() -> None:
    assert {state for state in ENDED if may_follow(state, "queued")} == ENDED - {"finished"}


@given(st.integers(-5, 10_000))
def test_the_back_off_grows_and_is_bounded(deaths: int) -> None:
    assert 1.0 <= back_off_seconds(deaths) <= back_off_seconds(deaths + 1) <= 60.0
