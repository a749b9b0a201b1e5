"""Proposed checks held on every version there is and caught injected faults; those that are taken are declared."""

import re
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.config import Check, load_config, parse_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore import jobs as explore_jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import ValidateRoom, jobs
from lemnis.engine.validate.faults import FAULTS, fault_sql, touched
from lemnis.engine.validate.proposals import Proposals
from lemnis.engine.validate.suggest import checks_toml, pattern_of, roomy, text_with_checks
from lemnis.engine.workspace import create_workspace

DECLARED = """
# What must hold.
[[checks]]
name = "x_known" # agreed
kind = "code_list"
column = "x"
values = ["a", "b"]

[presets.default]
rounds = 20
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(create_workspace(tmp_path / "it", DECLARED))


def deliver(store: Store, rows: int, *, high: int = 100, code: str = "c") -> str:
    table = pa.table(
        {
            "id": list(range(rows)),
            "x": ["a", "b"] * (rows // 2),
            "n": [place % high for place in range(rows)],
            "temp": [None, -3.5] * (rows // 2),
            "kind": [code if place % 5 == 0 else "d" for place in range(rows)],
            "airport": [f"{chr(65 + place % 26)}{chr(65 + place % 25)}X" for place in range(rows)],
        }
    )
    return record_version(store, table, name="trips", roles={"id": "key"}, split={}).id


def tried(store: Store) -> Proposals:
    """Profile the newest version, try its candidates as the job does, and return what is proposed."""
    explore_jobs.profile(JobContext.for_test(store), {"version": None})
    context = JobContext.for_test(store, kind="validate.suggest")
    result = jobs.suggest(context, {})
    with store.write() as db:
        done = msgspec.json.encode(result).decode()
        db.execute("update jobs set state = 'finished', result = ? where id = ?", [done, context.job_id])
    found = ValidateRoom(store).proposals()
    assert found is not None
    return found


def test_a_version_must_be_profiled_first(store: Store) -> None:
    deliver(store, 100)
    with pytest.raises(BadInput, match="not profiled"):
        ValidateRoom(store).start_suggest()
    assert ValidateRoom(store).proposals() is None


def test_proposals_say_what_they_held_on_and_what_they_catch(store: Store) -> None:
    deliver(store, 1000)
    found = tried(store)
    offered = {proposal.check.name: proposal for proposal in found.proposals}
    assert set(offered) >= {"rows", "key_unique", "complete", "n_range", "kind_codes", "airport_pattern"}
    assert "x_known" not in offered  # declared already
    assert {proposal.held for proposal in found.proposals} == {1}
    assert offered["n_range"].caught == ["a unit ×1000", "a wrong sign"]
    assert "missing values" in offered["n_range"].missed
    assert "unknown codes" in offered["kind_codes"].caught
    assert offered["airport_pattern"].check.pattern == "[A-Z]{3}"
    assert {"duplicated rows", "everything delivered twice"} <= set(offered["key_unique"].caught)
    assert "a third of the rows dropped" in offered["key_unique"].missed
    assert offered["rows"].caught == ["a third of the rows dropped", "everything delivered twice"]
    assert 0 < found.caught < found.faults


def test_what_did_not_hold_on_an_earlier_version_is_not_proposed(store: Store) -> None:
    deliver(store, 1000, high=400, code="old")
    deliver(store, 1020)
    found = tried(store)
    assert found.versions == 2
    assert {"n_range", "kind_codes"} <= set(found.fell)
    assert found.fell["n_range"].startswith("trips v1: ")
    names = {proposal.check.name for proposal in found.proposals}
    assert not names & {"n_range", "kind_codes"}
    assert all(proposal.held == 2 for proposal in found.proposals)


def test_taken_checks_are_declared_with_comments_kept_and_hold(store: Store) -> None:
    deliver(store, 1000)
    found = tried(store)
    room = ValidateRoom(store)
    with pytest.raises(NotFound, match="'nope' is not proposed"):
        room.accept(["nope"], who="ann")
    with pytest.raises(BadInput, match="No check is named"):
        room.accept([], who="ann")
    names = [proposal.check.name for proposal in found.proposals]
    room.accept(names[:1], who="ann")
    room.accept(names[1:], who="ann")
    text = store.workspace.config.read_text()
    assert "# What must hold." in text
    assert "# agreed" in text
    assert load_config(store.workspace.config).presets["default"].rounds == 20
    run_id = jobs.run(JobContext.for_test(store), {})["check_run"]
    assert {result.verdict for result in room.results(run_id)} == {"pass"}
    left = room.proposals()
    assert left is not None
    assert left.proposals == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_changes_the_sample_it_is_put_into(fault: object) -> None:
    columns = {"n": "int32", "x": "string", "on": "bool", "at": "timestamp[us]", "day": "date32[day]"}
    with duckdb.connect() as duck:
        duck.execute("""create table sample as select i::int n, 'v' || i as x, i % 3 = 0 "on", timestamp '2013-01-01' +
            to_days(i::int) as "at", date '2013-01-01' + i::int as day, i as "#row" from range(100) t(i)""")
        before = duck.execute('select * exclude ("#row") from sample').fetchall()
        after = duck.execute(fault_sql(fault, columns)).fetchall()  # type: ignore[arg-type]
    assert after != before


def test_a_fault_counts_only_where_a_check_looks() -> None:
    columns = {"n": "int32", "x": "string"}
    faults = {fault.name: fault for fault in FAULTS}
    number = Check(name="it", kind="range", column="n")
    assert touched(faults["a unit ×1000"], number, columns)
    assert not touched(faults["unknown codes"], number, columns)
    assert not touched(faults["duplicated rows"], number, columns)
    assert not touched(
        faults["missing values"], Check(name="it", kind="not_null", column="n", source="planes"), columns
    )


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=12))
def test_a_pattern_matches_what_it_was_read_from(values: list[str]) -> None:
    pattern = pattern_of(values)
    assert not pattern or all(re.fullmatch(pattern, value) for value in values)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_check_is_written_and_read_the_same(code: str) -> None:
    checks = [
        Check(name="a", kind="code_list", column=code, values=[code], severity="warn"),
        Check(name="b", kind="range", column=code, min=1.0, max=2.5),
        Check(name="c", kind="regex", column=code, pattern="[A-Z]{3}", error_if="> 1%"),
    ]
    assert parse_config(checks_toml(checks)).checks == checks
    assert parse_config(text_with_checks("# kept\n", checks)).checks == checks


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_bounds_have_room_around_what_was_seen(low: float, span: float) -> None:
    high = low + span
    least, most = roomy(low, high, exact=False)
    assert least <= low <= high <= most
    assert low < 0 or least >= 0
    assert roomy(low, high, exact=True) == (low, high)
