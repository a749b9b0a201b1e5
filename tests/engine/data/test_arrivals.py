from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.config import Acquisition
from lemnis.engine.data.arrivals import CADENCES, DAY_MS, arrivals
from lemnis.engine.data.snapshots import Snapshot


def snapshot(rows: int, created_at: int = 0) -> Snapshot:
    return Snapshot(
        id=1, source="s", sha256="", rows=rows, bytes=0, columns=[], path=Path(), origin="", origin_bytes=0,
        origin_modified_ns=0, origin_sha256="", reading="", created_at=created_at, checked_at=0, job_id=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cadence", "expected", "rows", "days", "state", "why"),
    [
        ("daily", 100, None, 0, "waiting", "nothing arrived yet"),
        ("daily", 100, 100, 0.5, "arrived", "as planned"),
        ("daily", 100, 96, 0.5, "arrived", "as planned"),
        ("daily", 100, 90, 0.5, "short", "10 rows fewer than expected"),
        ("daily", 100, 100, 1.5, "late", "overdue by 12 hours"),
        ("Weekly", 0, 5, 10, "late", "overdue by 3 days"),
        ("whenever", 0, 5, 1000, "arrived", "arrived"),
    ],
)
def test_a_line_of_the_plan_is_judged_by_rows_and_cadence(
    cadence: str, expected: int, rows: int | None, days: float, state: str, why: str
) -> None:
    plan = [Acquisition(source="s", cadence=cadence, expected_rows=expected)]
    held = {} if rows is None else {"s": snapshot(rows)}
    (arrival,) = arrivals(plan, held, int(days * DAY_MS))
    assert (arrival.state, arrival.why) == (state, why)


@given(st.sampled_from(sorted(CADENCES)), st.integers(0, 10**13), st.integers(0, 10**13))
def test_it_is_late_exactly_when_now_is_past_the_due_time(cadence: str, created: int, now: int) -> None:
    (arrival,) = arrivals([Acquisition(source="s", cadence=cadence)], {"s": snapshot(1, created)}, now)
    assert (arrival.state == "late") == (now > (arrival.due_at or 0))
