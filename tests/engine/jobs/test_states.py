"""The back-off of what dies again and again."""

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.jobs.states import back_off_seconds


@given(st.integers(-5, 10_000))
def test_the_back_off_grows_and_is_bounded(deaths: int) -> None:
    assert 1.0 <= back_off_seconds(deaths) <= back_off_seconds(deaths + 1) <= 60.0
