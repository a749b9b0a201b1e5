"""Code lists with days, synonyms and a history: every act is an event, shows in the next run, and can be undone."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from lemnis.engine.config import load_config
from lemnis.engine.data import DataRoom
from lemnis.engine.data import jobs as data_jobs
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, ConfigError, NotFound
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs
from lemnis.engine.validate.code_acts import most_like
from lemnis.engine.workspace import create_workspace

CONFIG = """
# The trips of a year.
[sources.trips]
path = "trips.csv"

[dataset]
name = "trips"
base = "trips"
key = ["id"]

[[checks]]
name = "origin_known" # kept
kind = "code_list"
column = "origin"
values = ["EWR", "JFK"]
owner = "planning"

[[checks]]
name = "dest_known"
kind = "reference"
column = "dest"
reference = "airports.faa"
"""
ROWS = "id,origin,dest\n1,EWR,BOS\n2,JFK,SJU\n3,Newark,BOS\n4,Newark,SJU\n5,XXX,BOS\n6,,BOS\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(create_workspace(tmp_path / "it", CONFIG))
    (tmp_path / "it" / "trips.csv").write_text(ROWS)
    airports = store_parquet(store.workspace, pa.table({"faa": ["BOS", "SFO"]}))
    with store.write() as db:
        db.table("snapshots").insert({
            "source": "airports", "sha256": airports.sha256, "rows": 2, "bytes": 1, "origin": "", "origin_bytes": 0,
            "columns": '[{"name": "faa", "type": "string"}]', "origin_modified_ns": 0, "origin_sha256": "",
            "reading": "", "created_at": 1, "checked_at": 1,
        })  # fmt: skip
    data_jobs.sync(JobContext.for_test(store), {})
    data_jobs.link(JobContext.for_test(store), {})
    return store


def run(store: Store, name: str = "origin_known") -> CheckResult:
    run_id = jobs.run(JobContext.for_test(store), {})["check_run"]
    return {result.name: result for result in ValidateRoom(store).results(run_id)}[name]


def test_unknown_codes_are_listed_by_their_rows_with_what_is_like_them(store: Store) -> None:
    run(store)
    room = ValidateRoom(store)
    found = room.codes.unknown("origin_known")
    assert [(code.value, code.rows, code.like, code.decided) for code in found.codes] == [
        ("Newark", 2, "", ""),
        ("XXX", 1, "", ""),
    ]
    assert (found.failing, found.distinct, found.listed) == (3, 2, "")
    assert [code.value for code in room.codes.unknown("dest_known").codes] == ["SJU"]
    with pytest.raises(NotFound):
        room.codes.unknown("nope")


def test_the_first_act_gives_a_check_a_list_of_its_own_and_keeps_comments(store: Store) -> None:
    run(store)
    codes = ValidateRoom(store).codes
    event = codes.add("origin_known", ["XXX"], who="ann", why="a new field")
    assert (event.act, event.listed, event.codes, event.who) == ("add", "origin_known", ["XXX"], "ann")
    text = store.workspace.config.read_text()
    assert "# The trips of a year." in text
    assert "# kept" in text
    listed = codes.show("origin_known")
    assert [entry.code for entry in listed.codes.entries] == ["EWR", "JFK", "XXX"]
    assert (listed.codes.owner, listed.version, listed.checks) == ("planning", 1, ["origin_known"])
    found = run(store)
    assert (found.failing, found.rule) == (2, "origin is a code of origin_known v1: EWR, JFK, XXX")
    assert codes.unknown("origin_known").codes[0].value == "Newark"


def test_a_synonym_is_accepted_counted_and_taken_back(store: Store) -> None:
    run(store)
    codes = ValidateRoom(store).codes
    event = codes.map("origin_known", ["Newark"], "EWR", who="ann", why="an old name")
    assert ValidateRoom(store).codes.unknown("origin_known").codes[0].decided == "stands for EWR"
    found = run(store)
    assert found.failing == 1
    assert found.message.endswith("2 by a synonym")
    codes.undo(event.id, who="bob", why="it was not")
    assert run(store).failing == 3
    assert [(each.act, each.undone) for each in codes.events("origin_known")] == [("undo", False), ("map", True)]
    with pytest.raises(BadInput, match="taken back already"):
        codes.undo(event.id, who="bob", why="again")


def test_a_reference_keeps_its_column_and_takes_codes_beside_it(store: Store) -> None:
    run(store)
    codes = ValidateRoom(store).codes
    codes.add("dest_known", ["SJU"], who="ann", why="San Juan")
    assert codes.show("dest_known").codes.reference == "airports.faa"
    found = run(store, "dest_known")
    assert (found.kind, found.failing, found.total) == ("code_list", 0, 6)


def test_rows_in_quarantine_are_kept_aside_and_left_out_of_the_next_version(store: Store) -> None:
    run(store)
    codes = ValidateRoom(store).codes
    event = codes.quarantine("origin_known", ["XXX"], who="ann", why="a test entry")
    assert (event.rows, event.target) == (1, "origin")
    kept = store.workspace.hidden / "quarantine" / event.kept
    assert duckdb.sql(f"select id, origin from '{kept}'").fetchall() == [(5, "XXX")]
    linked = data_jobs.link(JobContext.for_test(store), {})
    assert (linked["rows"], linked["quarantined"]) == (
        5, [{"column": "origin", "values": ["XXX"], "why": "a test entry", "rows": 1}],
    )  # fmt: skip
    assert "'XXX'" in DataRoom(store).version().recipe  # the version says by which rule
    assert run(store).failing == 2
    missing = f"select count(*) from '{DataRoom(store).version().path}' where origin is null"
    assert duckdb.sql(missing).fetchall() == [(1,)]
    codes.undo(event.id, who="ann", why="it was real")
    assert data_jobs.link(JobContext.for_test(store), {})["rows"] == 6
    assert load_config(store.workspace.config).dataset.quarantine == []
    assert kept.is_file()


def test_a_code_ends_at_the_time_of_the_row_and_names_what_replaces_it(tmp_path: Path) -> None:
    config = """
[[checks]]
name = "it"
kind = "code_list"
column = "x"
codes = "places"

[code_lists.places]
codes = ["new", { code = "early", end = "2013-02-01" }, { code = "late", start = "2013-02-01" }]
"""
    store = Store(create_workspace(tmp_path / "it", config))
    days = ["2013-01-15", "2013-02-01", "2013-01-31", "2013-03-01", "2013-03-01", None]
    at = pa.array([day and f"{day}T00:00:00Z" for day in days]).cast(pa.timestamp("s", "UTC"))
    table = pa.table({"x": ["early", "early", "late", "late", "new", "late"], "at": at})
    record_version(store, table, name="it", roles={"at": "time"}, split={})
    found = run(store, "it")
    assert [row[:2] for row in found.sample.rows] == [
        ["early", "2013-02-01 00:00:00"], ["late", "2013-01-31 00:00:00"], ["late", None],
    ]  # fmt: skip
    codes = ValidateRoom(store).codes
    event = codes.deprecate("places", "new", end="2013-03-01", replacement="late", who="ann", why="merged")
    entry = codes.show("places").codes.entries[0]
    assert (entry.code, entry.end, entry.replacement) == ("new", "2013-03-01", "late")
    assert run(store, "it").failing == 4
    codes.undo(event.id, who="ann", why="not yet")
    assert run(store, "it").failing == 3


def test_a_change_by_hand_leaves_no_gap_in_the_history(store: Store) -> None:
    codes = ValidateRoom(store).codes
    codes.add("origin_known", ["LGA"], who="ann", why="third")
    config = store.workspace.config
    config.write_text(config.read_text().replace('"JFK"', '"KJFK"'))
    codes.add("origin_known", ["TEB"], who="ann", why="fourth")
    events = codes.events("origin_known")
    assert [each.act for each in events] == ["add", "edit", "add"]
    assert events[1].after is not None
    assert [entry.code for entry in events[1].after.entries] == ["EWR", "KJFK", "LGA"]


def test_what_can_not_be_is_refused_and_nothing_is_changed(store: Store) -> None:
    run(store)
    codes, before = ValidateRoom(store).codes, store.workspace.config.read_text()
    with pytest.raises(BadInput, match="a code, a person and a reason"):
        codes.add("origin_known", ["LGA"], who="ann", why=" ")
    with pytest.raises(BadInput, match="is a code of origin_known already"):
        codes.add("origin_known", ["EWR"], who="ann", why="again")
    with pytest.raises(ConfigError, match="which is no code"):
        codes.map("origin_known", ["Newark"], "NOPE", who="ann", why="wrong")
    with pytest.raises(BadInput, match="No failing row holds"):
        codes.quarantine("origin_known", ["EWR"], who="ann", why="wrong")
    assert store.workspace.config.read_text() == before
    assert codes.events("origin_known") == []


@pytest.mark.parametrize("code", ['"', "'", "a'b; drop table data; --", "[/x]", "값", "\\", "line\nbreak"])
def test_any_text_can_be_a_code(store: Store, code: str) -> None:
    codes = ValidateRoom(store).codes
    event = codes.add("origin_known", [code], who="ann", why=code)
    codes.map("origin_known", [code + "2"], code, who="ann", why=code)
    assert run(store).failing == 3
    assert event.codes == [code]


@pytest.mark.parametrize(
    ("value", "like"),
    [("ewr", "EWR"), (" E W R", "EWR"), ("SJU", ""), ("San Fransisco", "San Francisco"), ("Newark", ""), ("", "")],
)
def test_a_likeness_is_no_guess(value: str, like: str) -> None:
    assert most_like(value, ["EWR", "WSJ", "San Francisco"]) == like
