"""Failing rows against the run before: new, persisting, fixed; counted, browsed, exported, and why they fail."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs, kept
from lemnis.engine.validate.kept import Kept, compare
from lemnis.engine.workspace import create_workspace

CHECKS = """
[[checks]]
name = "x_known"
kind = "code_list"
column = "x"
values = ["a"]

[[checks]]
name = "typed"
kind = "sql"
query = "select id, x from data where x <> 'a'"

[[checks]]
name = "whole_rows"
kind = "sql"
query = "select x, y from data where x <> 'a'"

[[checks]]
name = "id_unique"
kind = "unique"
column = "id"

[[checks]]
name = "rows"
kind = "row_count"
min = 1
"""
Deliver = Callable[..., dict[str, CheckResult]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(create_workspace(tmp_path / "it", CHECKS))


@pytest.fixture
def deliver(store: Store) -> Deliver:
    """Make a version of rows {id: x} and check it."""

    def run(rows: list[tuple[int, str]], *, roles: dict[str, str] | None = None) -> dict[str, CheckResult]:
        table = pa.table({"id": [i for i, _ in rows], "x": [x for _, x in rows], "y": [i % 2 for i, _ in rows]})
        record_version(store, table, name="trips", roles={"id": "key"} if roles is None else roles, split={})
        run_id = jobs.run(JobContext.for_test(store), {})["check_run"]
        return {result.name: result for result in ValidateRoom(store).results(run_id)}

    return run


def counts(result: CheckResult) -> tuple[int, int, int]:
    found = result.compared
    assert found is not None
    return found.new, found.persisting, found.fixed


@pytest.mark.slow
def test_rows_are_new_persisting_or_fixed_by_their_key(store: Store, deliver: Deliver) -> None:
    first = deliver([(1, "b"), (2, "c"), (3, "a")])
    assert first["x_known"].compared is None
    second = deliver([(1, "a"), (2, "z"), (3, "b"), (4, "q")])
    assert counts(second["x_known"]) == counts(second["typed"]) == (2, 1, 1)
    assert counts(second["whole_rows"]) == (2, 1, 1)  # no key is listed: (b, 1) is one row
    assert second["rows"].compared is None
    room = ValidateRoom(store)
    for name in ("x_known", "typed"):
        pages = {which: room.failures(name, which=which) for which in ("new", "persisting", "fixed")}  # type: ignore[arg-type]
        place = pages["new"].columns.index("id")
        found = {which: [row[place] for row in page.rows] for which, page in pages.items()}
        assert found == {"new": [3, 4], "persisting": [2], "fixed": [1]}
        assert pages["fixed"].rows[0][pages["fixed"].columns.index("x")] == "b"  # as it was


@pytest.mark.slow
def test_a_check_that_passes_again_has_fixed_rows_and_a_rerun_has_none_new(deliver: Deliver) -> None:
    deliver([(1, "b"), (2, "b")])
    assert counts(deliver([(1, "b"), (2, "b")])["x_known"]) == (0, 2, 0)
    assert counts(deliver([(1, "a"), (2, "a")])["x_known"]) == (0, 0, 2)


@pytest.mark.slow
def test_rows_that_share_their_key_are_listed_all(store: Store, deliver: Deliver) -> None:
    deliver([(1, "a"), (2, "a")])
    second = deliver([(1, "a"), (1, "b"), (2, "a")])
    assert counts(second["id_unique"]) == (1, 0, 0)  # one key
    assert ValidateRoom(store).failures("id_unique", which="new").total == 2  # two rows


@pytest.mark.slow
def test_a_class_is_exported(store: Store, deliver: Deliver, tmp_path: Path) -> None:
    deliver([(1, "b")])
    deliver([(1, "b"), (2, "c"), (3, "d")])
    assert ValidateRoom(store).export("x_known", tmp_path / "new.parquet", which="new") == 2
    assert duckdb.sql(f"select id from '{tmp_path}/new.parquet' order by 1").fetchall() == [(2,), (3,)]


@pytest.mark.slow
def test_nothing_is_compared_that_was_not_kept(store: Store, deliver: Deliver) -> None:
    deliver([(1, "b")])
    with pytest.raises(BadInput, match="was not compared"):
        ValidateRoom(store).failures("x_known", which="new")
    deliver([(1, "b")])
    for path in (store.workspace.hidden / "failures").iterdir():
        path.unlink()
    with pytest.raises(NotFound, match="not kept any more"):
        ValidateRoom(store).failures("x_known", which="new")
    assert deliver([(1, "c")])["x_known"].compared is None


@pytest.mark.slow
def test_another_key_is_not_compared(deliver: Deliver) -> None:
    deliver([(1, "b")])
    assert deliver([(1, "b"), (2, "b")], roles={})["x_known"].compared is None


ids = st.sets(st.integers(0, 2**64 - 1), max_size=40).map(lambda found: np.array(sorted(found), np.uint64))


@given(ids, ids)
def test_every_failing_row_is_in_one_class(ours: np.ndarray, theirs: np.ndarray) -> None:
    found = compare(Kept(ids={"c": ours}, by={"c": ["k"]}), Kept(ids={"c": theirs}, by={"c": ["k"]}), 1)
    if not len(ours) and not len(theirs):
        assert found == {}
        return
    assert (found["c"].new + found["c"].persisting, found["c"].fixed + found["c"].persisting) == (
        len(ours),
        len(theirs),
    )


@settings(deadline=None)
@given(ids, ids)
def test_a_bounded_sample_never_makes_up_a_difference(ours: np.ndarray, theirs: np.ndarray) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "KEPT", 5)
        found = compare(Kept(ids={"c": ours[:5]}, by={"c": ["k"]}), Kept(ids={"c": theirs[:5]}, by={"c": ["k"]}), 1)
    for compared in found.values():
        assert compared.new <= len(set(ours.tolist()) - set(theirs.tolist()))
        assert compared.fixed <= len(set(theirs.tolist()) - set(ours.tolist()))


@pytest.mark.slow
def test_what_is_over_represented_among_failing_rows_is_named(tmp_path: Path) -> None:
    store = Store(create_workspace(tmp_path / "why", CHECKS))
    rows = 1000
    carrier = ["AA" if i % 4 == 0 else "UA" for i in range(rows)]
    x = ["b" if c == "AA" and i % 8 == 0 else "a" for i, c in enumerate(carrier)]
    table = pa.table({"id": list(range(rows)), "x": x, "y": [i % 3 for i in range(rows)], "carrier": carrier})
    record_version(store, table, name="trips", roles={"id": "key"}, split={})
    jobs.run(JobContext.for_test(store), {})
    for name in ("x_known", "typed"):
        first = ValidateRoom(store).reasons(name)[0] if name == "x_known" else ValidateRoom(store).reasons(name)[1]
        assert (first.column, first.value, first.failing, first.rows) == ("carrier", "AA", 125, 250)
        assert (first.failing_share, first.rows_share, first.lift) == (1.0, 0.25, 4.0)
    assert [reason.column for reason in ValidateRoom(store).reasons("x_known")] == ["carrier"]


@pytest.mark.slow
def test_columns_that_say_the_same_are_one_reason(tmp_path: Path) -> None:
    store = Store(create_workspace(tmp_path / "why", CHECKS))
    codes = ["b" if i < 20 else "a" for i in range(100)]
    table = pa.table({"id": list(range(100)), "x": codes, "y": codes, "z": [c.upper() for c in codes]})
    record_version(store, table, name="trips", roles={"id": "key"}, split={})
    jobs.run(JobContext.for_test(store), {})
    assert [(reason.column, reason.also) for reason in ValidateRoom(store).reasons("x_known")] == [("y", ["z"])]
