"""The comparison of two versions against a plain one in Python, and what the store and the files keep of it."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.data.diff import Diff, DiffRow, Listing
from lemnis.engine.data.diff.jobs import diff as compare
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, Cancelled, NotFound
from lemnis.engine.jobs.context import JobContext

Table = list[dict[str, Any]]
SCHEMA = pa.schema([("k", pa.int64()), ("f", pa.float64()), ("x", pa.float64()), ("t", pa.string()), ("b", pa.bool_())])
VALUES = ("x", "t", "b")

keys = st.one_of(st.none(), st.integers(-2, 3))
fractions = st.sampled_from([None, math.nan, 0.0, -0.0, 1.5, math.inf])
texts = st.sampled_from([None, "", "a", "b", "값", "\x1b[2J"])
rows = st.fixed_dictionaries(
    {"k": keys, "f": fractions, "x": fractions, "t": texts, "b": st.one_of(st.none(), st.booleans())}
)
tables = st.lists(rows, max_size=12)


def record(engine: Engine, table: Table | pa.Table, key: Sequence[str] = ("k",), name: str = "t") -> Version:
    made = pa.Table.from_pylist(table, SCHEMA) if isinstance(table, list) else table
    return record_version(engine.store, made, name=name, roles=dict.fromkeys(key, "key"), split={})


def compared(engine: Engine, before: Version, after: Version, key: list[str] | None = None) -> Diff:
    room = engine.data.diffs
    asked = room.key(before, after, key)
    context = JobContext.for_test(engine.store)
    compare(context, {"before": before.id, "after": after.id, "key": asked})
    found = room.find(before, after, asked)
    assert found is not None
    return found


def listed(engine: Engine, found: Diff, listing: Listing | None = None) -> list[DiffRow]:
    return engine.data.diffs.rows(found, listing or Listing(), 0, 10_000).rows


def plain(value: Any) -> Any:
    """Return a value that equals another one just when the comparison says so."""
    if isinstance(value, float):
        return None if math.isnan(value) else value + 0.0  # as it is from the snapshot on
    return value


def held(table: Table, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(plain(row[name]) for name in names) for row in table]


def reference(before: Table, after: Table, key: Sequence[str]) -> Counter[Any]:
    """Return what became of the rows, by key and values, said in the plainest way."""
    rest = [name for name in SCHEMA.names if name not in key]
    found: Counter[Any] = Counter()
    groups = dict.fromkeys([*held(before, key), *held(after, key)])
    for group in groups:
        sides = [
            [values for one, values in zip(held(table, key), held(table, rest), strict=True) if one == group]
            for table in (before, after)
        ]
        for values in list(sides[0]):
            if values in sides[1]:
                sides[0].remove(values)
                sides[1].remove(values)
                found["same"] += 1
        both = min(len(sides[0]), len(sides[1]))
        for was, now in zip(*sides, strict=False):
            differing = [i for i in range(len(rest)) if was[i] != now[i]]
            change = tuple((rest[i], was[i], now[i]) for i in differing)
            found[("changed", group, change)] += 1
        found.update(("removed", (*group, *values)) for values in sides[0][both:])
        found.update(("added", (*group, *values)) for values in sides[1][both:])
    return found


def said(found: Diff, rows: list[DiffRow]) -> Counter[Any]:
    """Return the rows of a comparison in the form of `reference`."""
    counted: Counter[Any] = Counter()
    for row in rows:
        group = tuple(map(plain, row.key.values()))
        if row.change == "changed":
            assert row.before is not None
            assert row.after is not None
            change = tuple((name, plain(row.before[name]), plain(row.after[name])) for name in row.before)
            counted[("changed", group, tuple(sorted(change, key=lambda one: SCHEMA.names.index(one[0]))))] += 1
        else:
            values = row.before if row.change == "removed" else row.after
            assert values is not None
            counted[(row.change, (*group, *map(plain, values.values())))] += 1
    counted["same"] += found.same
    return counted


FEW = settings(max_examples=18, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
TWICE: Table = [{"k": 1, "f": 0.0, "x": x, "t": "a", "b": None} for x in (1.5, 0.0, math.nan)]


@given(before=tables, after=tables, key=st.sampled_from([["k"], ["f"], ["k", "t", "b"], []]))
@example(before=TWICE, after=TWICE[1:], key=["k"])
@example(before=[], after=TWICE, key=["k"])
@example(before=[TWICE[0] | {"f": 0.0}], after=[TWICE[0] | {"f": -0.0}], key=["f"])
@FEW
def test_rows_are_what_a_plain_comparison_says(engine: Engine, before: Table, after: Table, key: list[str]) -> None:
    one, other = record(engine, before, key), record(engine, after, key)
    found = compared(engine, one, other)
    rows = listed(engine, found)
    expected = reference(before, after, key or SCHEMA.names)
    assert said(found, rows) == expected
    assert (found.added, found.removed, found.changed) == tuple(
        sum(n for what, n in expected.items() if what[0] == kind) for kind in ("added", "removed", "changed")
    )
    assert found.repeated_before == len(before) - len(set(held(before, key or SCHEMA.names)))
    for column in found.columns:
        changes = [row for row in rows if row.change == "changed" and column.name in (row.before or {})]
        assert column.changed == len(changes)
        assert listed(engine, found, Listing(column=column.name)) == [
            replace(row, before=only(row.before, column.name), after=only(row.after, column.name)) for row in changes
        ]
    assert applied(before, rows, key) == Counter(held(after, [*key, *rest_of(key)]))


def only(values: dict[str, Any] | None, name: str) -> dict[str, Any]:
    return {name: (values or {})[name]}


def rest_of(key: Sequence[str]) -> list[str]:
    return [name for name in SCHEMA.names if name not in key]


def applied(before: Table, rows: list[DiffRow], key: list[str]) -> Counter[Any]:
    """Return the rows before after everything that is listed was done to them."""
    names = [*key, *rest_of(key)]
    now = Counter(held(before, names))
    for row in rows:
        keyed = tuple(map(plain, row.key.values()))
        was, after = ({name: plain(value) for name, value in (side or {}).items()} for side in (row.before, row.after))
        if row.change == "added":
            now[(*keyed, *after.values())] += 1
            continue
        fits = next(
            one for one in now
            if now[one] and one[: len(key)] == keyed and all(one[names.index(name)] == was[name] for name in was)
        )  # fmt: skip
        now[fits] -= 1
        if row.change == "changed":
            now[tuple(after.get(name, value) for name, value in zip(names, fits, strict=True))] += 1
    return +now


@pytest.mark.slow
@given(before=tables, after=tables, key=st.sampled_from([["k"], []]))
@FEWER
def test_the_other_way_round_is_the_mirror_and_with_itself_nothing(
    engine: Engine, before: Table, after: Table, key: list[str]
) -> None:
    one, other = record(engine, before, key), record(engine, after, key)
    there, back = compared(engine, one, other), compared(engine, other, one)
    assert (there.added, there.removed, there.changed, there.same) == (
        back.removed, back.added, back.changed, back.same,
    )  # fmt: skip
    for column in there.columns:
        mirror = back.column(column.name)
        assert mirror is not None
        assert (column.changed, column.filled, column.emptied, column.new, column.vanished) == (
            mirror.changed, mirror.emptied, mirror.filled, mirror.vanished, mirror.new,
        )  # fmt: skip
        assert (column.before, column.after) == (mirror.after, mirror.before)
    itself = compared(engine, one, record(engine, list(reversed(before)), key))
    assert itself.identical
    assert itself.same == len(before)
    assert all(not column.changed and not column.psi for column in itself.columns)


def flights(rows: int = 2000, **edits: Any) -> pa.Table:
    """Return rows with a number, a code, a time and a text, of which `edits` replace whole columns."""
    start = 1_356_998_400_000
    columns: dict[str, Any] = {
        "id": pa.array(range(rows)),
        "delay": pa.array([float(place % 100) for place in range(rows)]),
        "month": pa.array([place % 3 + 1 for place in range(rows)]),
        "carrier": pa.array([("AA", "B6", "대한")[place % 3] for place in range(rows)]),
        "at": pa.array([start + place * 60_000 for place in range(rows)], pa.timestamp("ms", "UTC")),
    }
    return pa.table(columns | edits)


def test_a_column_says_what_became_of_it(engine: Engine) -> None:
    before = record(engine, flights(), ["id"])
    delay = [None if place < 10 else float(place % 100) + (50 if place < 1010 else 0) for place in range(2000)]
    carrier = ["ZZ" if place % 3 == 0 else ("AA", "B6", "대한")[place % 3] for place in range(2000)]
    after = record(engine, flights(delay=pa.array(delay), carrier=pa.array(carrier)), ["id"])
    found = compared(engine, before, after)
    assert (found.key, found.changed, found.added, found.removed) == (["id"], 1340, 0, 0)
    moved, codes, month, at = (found.column(name) for name in ("delay", "carrier", "month", "at"))
    assert moved
    assert codes
    assert month
    assert at
    assert (moved.changed, moved.emptied, moved.filled, moved.mean_change) == (1010, 10, 0, 50.0)
    assert moved.before
    assert moved.after
    assert (moved.before.mean, moved.after.missing) == (49.5, 10)
    assert moved.shift == pytest.approx(25.35, abs=0.01)
    assert moved.shift_deviations == pytest.approx(25.35 / 28.87, abs=0.01)
    assert found.verdict(moved) == "drift"
    assert [(code.value, code.rows) for code in codes.new_codes] == [("ZZ", 667)]
    assert [(code.value, code.rows) for code in codes.vanished_codes] == [("AA", 667)]
    assert {bin.label: (bin.before, bin.after) for bin in codes.bins} == {
        "AA": (667, 0), "B6": (667, 667), "대한": (666, 666), "other": (0, 667),
    }  # fmt: skip
    assert (month.changed, month.psi, found.verdict(month)) == (0, 0.0, "ok")
    assert (at.nature, at.psi, at.before and at.before.low) == ("time", None, "2013-01-01 00:00:00")
    assert [column.name for column in found.ordered()][:2] == ["delay", "carrier"]


def test_the_schema_comes_first_and_values_of_unlike_types_are_compared_as_text(engine: Engine) -> None:
    before = record(engine, flights(30), ["id"])
    changed = flights(30).drop_columns(["month"]).append_column("gate", pa.array(["A"] * 30))
    text = [f"{place % 100}.0" if place else "none" for place in range(30)]
    after = record(engine, changed.set_column(1, "delay", pa.array(text)), ["id"])
    found = compared(engine, before, after)
    assert {column.name: column.schema for column in found.columns if column.schema} == {
        "delay": "retyped", "month": "removed", "gate": "added",
    }  # fmt: skip
    assert {column.schema for column in found.ordered()[:3]} == {"retyped", "removed", "added"}
    assert not found.identical
    assert listed(engine, found, Listing(change="added")) == []
    wider = record(engine, flights(30, month=pa.array([place % 3 + 1.0 for place in range(30)])), ["id"])
    month = compared(engine, before, wider).column("month")
    assert month
    assert (month.schema, month.changed) == ("retyped", 0), "2 and 2.0 are one number"


ODD = pa.table(
    {
        "k": pa.array([1, 2, 3], pa.int32()),
        "a": pa.array([[1, 2], None, [3]]),
        "a.b": pa.array(["x", "y", None]).dictionary_encode(),
        "money": pa.array(["1.10", "2.20", None]).cast(pa.decimal128(10, 2)),
        "day": pa.array([1, 2, None], pa.date32()),
        "bytes": pa.array([b"\xff", b"", None]),
        "none": pa.nulls(3),
        "file_row_number": pa.array([7, 8, 9], pa.uint64()),
        "row": pa.array([1.5, 2.5, 3.5], pa.float32()),
    }
)


def test_every_type_and_name_is_compared(engine: Engine) -> None:
    edited = {
        "a": [[1, 2], None, [4]], "a.b": ["x", None, None], "money": [None, "2.21", None], "day": [1, 3, None],
        "bytes": [b"\xff", b"", b"x"], "none": [None] * 3, "file_row_number": [7, 8, 2**63], "row": [1.5, 2.5, 3.0],
    }  # fmt: skip
    kinds = {name: ODD.schema.field(name).type for name in edited}
    columns = {
        name: pa.array(values, pa.string()).cast(kinds[name])
        if name in ("a.b", "money")
        else pa.array(values, kinds[name])
        for name, values in edited.items()
    }
    after = pa.table({"k": ODD.column("k")} | columns)
    found = compared(engine, record(engine, ODD), record(engine, after))
    assert {column.name: column.changed for column in found.columns} == {
        "a": 1, "a.b": 1, "money": 2, "day": 1, "bytes": 1, "none": 0, "file_row_number": 1, "row": 1,
    }  # fmt: skip
    money = found.column("money")
    assert money
    assert money.before
    assert (money.nature, money.emptied, money.before.mean) == ("numeric", 1, pytest.approx(1.65))
    last = listed(engine, found)[-1]
    assert last.key == {"k": 3}
    assert set(last.before or {}) == {"a", "bytes", "file_row_number", "row"}
    for ending in ("csv", "jsonl", "parquet"):
        path = engine.workspace.root / f"rows.{ending}"
        assert engine.data.diffs.export(found, Listing(), path) == 3
        assert path.stat().st_size


def test_export_writes_every_row_with_both_values(engine: Engine) -> None:
    import pyarrow.parquet as pq

    before = record(engine, flights(70_000), ["id"])
    later = [float(place % 100) + (place % 2) for place in range(70_000)]
    after = record(engine, flights(70_000, delay=pa.array(later)).slice(1), ["id"])
    found = compared(engine, before, after)
    path = engine.workspace.root / "rows.parquet"
    assert engine.data.diffs.export(found, Listing(), path) == found.differing == 35_001
    table = pq.read_table(path)
    assert table.column_names[:4] == ["change", "id", "delay before", "delay after"]
    assert table.slice(35_000).to_pylist()[0] | {"at before": None} == {
        "change": "removed", "id": 0, "delay before": 0.0, "delay after": None, "month before": 1,
        "month after": None, "carrier before": "AA", "carrier after": None, "at before": None, "at after": None,
    }  # fmt: skip
    assert table.column("id").to_pylist()[:3] == [1, 3, 5]
    with pytest.raises(BadInput, match="exists already"):
        engine.data.diffs.export(found, Listing(), path)


def test_pages_follow_each_other_across_row_groups(engine: Engine) -> None:
    before = record(engine, flights(70_000), ["id"])
    order = [*range(60_000, 70_001), *range(1, 60_000)]
    shifted = flights(70_001, delay=pa.array([float(place % 100) + 1 for place in range(70_001)])).take(order)
    found = compared(engine, before, record(engine, shifted, ["id"]))
    assert (found.changed, found.removed, found.added) == (69_999, 1, 1)
    page = engine.data.diffs.rows(found, Listing(column="delay"), 65_500, 100)
    assert (page.total, [row.key["id"] for row in page.rows]) == (69_999, list(range(65_501, 65_601)))
    assert all((row.after or {})["delay"] == (row.before or {})["delay"] + 1 for row in page.rows)
    last = engine.data.diffs.rows(found, Listing(), 69_998, 100).rows
    assert [(row.change, row.key["id"]) for row in last] == [("changed", 69_999), ("removed", 0), ("added", 70_000)]


def test_a_comparison_is_made_once_and_again_when_its_rows_are_gone(engine: Engine) -> None:
    before, after = record(engine, flights(20), ["id"]), record(engine, flights(21), ["id"])
    found = compared(engine, before, after)
    room = engine.data.diffs
    assert room.find(before, after, ["id"]) == found
    assert room.find(after, before, ["id"]) is None
    assert room.find(before, after, []) is None
    (engine.workspace.hidden / "diffs" / found.file).write_bytes(b"PAR1")
    with pytest.raises(NotFound, match="not kept any more"):
        room.rows(found)
    (engine.workspace.hidden / "diffs" / found.file).unlink()
    assert room.find(before, after, ["id"]) is None
    assert compared(engine, before, after).added == 1


def test_versions_and_keys_are_chosen_or_refused_in_words(engine: Engine) -> None:
    room = engine.data.diffs
    first = record(engine, flights(20), ["id"])
    with pytest.raises(NotFound, match="no version before t v1"):
        room.pair()
    second = record(engine, flights(21), ["id"])
    assert [one.title for one in room.pair()] == ["t v1", "t v2"]
    assert [one.title for one in room.pair("v2", "v1")] == ["t v2", "t v1"]
    assert room.key(first, second) == ["id"]
    assert room.key(first, second, ["month", "id", "month"]) == ["month", "id"]
    assert room.key(first, second, []) == []
    with pytest.raises(NotFound, match="no column 'none'"):
        room.key(first, second, ["none"])
    bare = record(engine, flights(22).drop_columns(["id"]), [])
    assert room.key(first, bare) == [], "a key that one version lacks can't pair rows"


def test_a_comparison_that_is_stopped_keeps_nothing(engine: Engine) -> None:
    before, after = record(engine, flights(20), ["id"]), record(engine, flights(21), ["id"])
    context = JobContext.for_test(engine.store)
    context.stop.set()
    with pytest.raises(Cancelled):
        compare(context, {"before": before.id, "after": after.id, "key": ["id"]})
    assert engine.data.diffs.find(before, after, ["id"]) is None
    assert not list(engine.workspace.data.glob(".diffing*"))


def test_a_comparison_does_not_keep_a_version_from_being_collected(engine: Engine) -> None:
    import os

    made = [record(engine, flights(20 + place), ["id"]) for place in range(5)]
    for version in made:
        os.utime(version.path, (1, 1))
    compared(engine, made[0], made[1])
    gone = engine.data.collect("me", keep=3).what
    assert gone == ["t v1", "t v2"] or gone == ["t v2", "t v1"]


def test_old_files_of_rows_go(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from lemnis.engine.data.diff import kept

    monkeypatch.setattr(kept, "FILES_KEPT", 2)
    made = [record(engine, flights(20 + place), ["id"]) for place in range(4)]
    for version in made[1:]:
        compared(engine, made[0], version)
    assert len(list((engine.workspace.hidden / "diffs").iterdir())) == 2
    assert engine.data.diffs.find(made[0], made[1], ["id"]) is None
    assert engine.data.diffs.find(made[0], made[3], ["id"]) is not None
