# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import pytest

from lemnis.engine.monitor.concept.money import total, worth
from lemnis.engine.monitor.concept.records import Figure

DAY_MS = 86_400_000
REFERENCE = Figure(1_000.0, 900.0, 1_100.0)


def week(basis, value: float, half: float = 50.0):
    return worth(basis, Figure(value, value - half, value + half), REFERENCE, rows=7_000, span_ms=7 * DAY_MS)


def test_money_a_day_is_the_change_for_1000_rows_times_the_rows_a_day() -> None:
    one = week("measured", 800)
    assert one.per_day.value == pytest.approx(-200)
    assert one.per_day.low == pytest.approx(-200 - (50**2 + 100**2) ** 0.5)
    assert one.bad
    assert not week("measured", 900).bad, "its doubt and the reference's together reach 0"
    assert worth("measured", Figure(5.0), REFERENCE, rows=1, span_ms=0).per_day.low is None


def test_losses_add_up_from_the_first_bad_window_on_and_estimates_stay_apart() -> None:
    windows = [week("measured", 1_000), week("measured", 700), week("measured", 1_100), week("estimated", 800)]
    found = total(list(enumerate(windows)))
    assert found.since == 1
    assert found.measured.value == pytest.approx(7 * (-300 + 100))
    assert found.estimated.value == pytest.approx(7 * -200)
    assert (found.measured_windows, found.estimated_windows) == (2, 1)
    reach = 7 * ((2 * 50**2) + (2 * 100) ** 2) ** 0.5  # the reference's doubt is the same in both
    assert found.measured.low == pytest.approx(-1_400 - reach)
    assert total([(0, week("measured", 1_000))]) is None
