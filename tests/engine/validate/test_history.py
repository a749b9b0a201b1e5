"""Runs, waivers and suggestions over time."""

from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, Cancelled, NotFound
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import ValidateRoom, jobs
from lemnis.engine.workspace import create_workspace

CHECK = '[[checks]]\nname = "x_known"\nkind = "code_list"\ncolumn = "x"\nvalues = ["a"]\n'
FAR = 4_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(create_workspace(tmp_path / "it", CHECK))
    record_version(store, pa.table({"x": ["a", "b"]}), name="trips", roles={}, split={}, now=1)
    return store


def run(store: Store) -> str:
    result = jobs.run(JobContext.for_test(store), {})
    return ValidateRoom(store).results(result["check_run"])[0].verdict


def test_a_history_goes_over_versions_and_keeps_every_verdict(store: Store) -> None:
    run(store)
    record_version(store, pa.table({"x": ["a", "b", "c"]}), name="trips", roles={}, split={}, now=2)
    run(store)
    points = ValidateRoom(store).history("x_known")
    assert [(point.version_title, point.failing) for point in points] == [("trips v1", 1), ("trips v2", 2)]


def test_a_waiver_turns_a_fail_into_a_warning_until_it_is_taken_back(store: Store) -> None:
    room = ValidateRoom(store)
    assert run(store) == "fail"
    waiver = room.waive("x_known", until=FAR, who="ann", why="the new code is being agreed on")
    assert run(store) == "warn"
    assert room.results(room.run().id)[0].waiver == waiver
    room.waive("x_known", until=0, who="bob", why="agreed")
    assert room.waivers() == {}
    assert run(store) == "fail"
    assert [point.verdict for point in room.history("x_known")] == ["fail", "warn", "fail"]


def test_a_waiver_that_has_expired_waives_nothing(store: Store) -> None:
    ValidateRoom(store).waive("x_known", until=1, who="ann", why="long ago")
    assert run(store) == "fail"


def test_a_waiver_needs_a_check_a_person_and_a_reason(store: Store) -> None:
    with pytest.raises(NotFound):
        ValidateRoom(store).waive("nope", until=FAR, who="ann", why="because")
    with pytest.raises(BadInput):
        ValidateRoom(store).waive("x_known", until=FAR, who="ann", why=" ")


def test_a_cancelled_run_keeps_nothing(store: Store) -> None:
    context = JobContext.for_test(store)
    context.stop.set()
    with pytest.raises(Cancelled):
        jobs.run(context, {})
    assert ValidateRoom(store).latest() is None


def test_without_checks_there_is_nothing_to_pass(tmp_path: Path) -> None:
    store = Store(create_workspace(tmp_path / "none", ""))
    with pytest.raises(BadInput, match="No check is declared"):
        ValidateRoom(store).start()
