import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.data.duck import literal, open_duck, quote, read_table
from lemnis.engine.data.parquet import row_groups
from lemnis.engine.data.split import kind_of, spans_of
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import BadInput, NotFound, Unavailable

SPLIT = {"test": ("2013-02-01", "2013-03-01"), "train": ("2013-01-01", "2013-02-01")}
ROLES = {"t": "time", "y": "label", "id": "key"}


def days(zone: str | None = None, kind: str = "timestamp") -> Any:
    import pyarrow as pa

    start = datetime.date(2013, 1, 1)
    dates = [start + datetime.timedelta(days=number) for number in range(70)]
    times = [datetime.datetime(day.year, day.month, day.day) for day in dates]
    column = pa.array(dates) if kind == "date" else pa.array(times, pa.timestamp("us", tz=zone))
    return pa.table({"t": column, "y": [number % 3 == 0 for number in range(70)], "id": list(range(70))})


def record(engine: Engine, table: Any, **changes: Any) -> Version:
    return record_version(engine.store, table, **{"name": "days", "roles": ROLES, "split": SPLIT, **changes})


@pytest.mark.parametrize(("zone", "kind"), [("UTC", "timestamp"), (None, "timestamp"), (None, "date")])
def test_the_parts_hold_the_rows_of_their_span_for_every_kind_of_time(engine: Engine, zone: str, kind: str) -> None:
    version = record(engine, days(zone, kind))
    assert {name: part.rows for name, part in version.split.items()} == {"train": 31, "test": 28}
    assert list(version.split) == ["train", "test"]
    for part, rows in (("train", range(31)), ("test", range(31, 59)), (None, range(70))):
        assert read_table(version, ["id"], part).column("id").to_pylist() == list(rows)


def test_the_same_table_is_the_same_version_and_other_roles_are_another(engine: Engine) -> None:
    first = record(engine, days())
    assert record(engine, days()).number == first.number == 1
    assert record(engine, days(), roles={"t": "time", "y": "label"}).number == 2
    assert record(engine, days(), name="other").title == "other v1"


def test_a_version_is_found_by_number_and_by_the_start_of_its_id(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no dataset version yet"):
        engine.data.version()
    first = record(engine, days(), now=1)
    second = record(engine, days().slice(1), now=2)
    for ref, version in ((None, second), (1, first), ("v1", first), (first.id, first), (second.short, second)):
        assert engine.data.version(ref).id == version.id
    for ref in ("9", "zzz", ""):
        with pytest.raises(NotFound):
            engine.data.version(ref)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"roles": {"none": "label"}}, "not in the dataset"),
        ({"roles": {"y": "label"}}, "needs a time column"),
        ({"roles": {"id": "time"}}, "no times"),
        ({"split": {"train": ("soon", "later")}}, "no dates"),
        ({"split": {"train": ("2013-02-01", "2013-01-01")}}, "ends before it starts"),
        ({"split": {"train": ("2013-01-01", "2013-02-01"), "test": ("2013-01-31", "2013-03-01")}}, "overlap"),
    ],
)
def test_roles_and_splits_that_do_not_fit_are_refused(engine: Engine, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        record(engine, days(), **changes)
    assert engine.data.versions() == []


def test_an_unknown_column_or_part_names_those_there_are(engine: Engine) -> None:
    version = record(engine, days())
    with pytest.raises(NotFound) as refused:
        read_table(version, ["none"])
    assert "t, y, id" in refused.value.remedy
    with pytest.raises(NotFound, match="no part 'later'"):
        read_table(version, part="later")


def test_a_version_whose_file_is_gone_says_so_and_linking_brings_it_back(engine: Engine) -> None:
    version = record(engine, days())
    version.path.unlink()
    with pytest.raises(Unavailable, match="is gone"):
        read_table(version)
    assert record(engine, days()).number == version.number
    assert read_table(version).num_rows == 70


def test_a_file_that_is_half_written_is_never_seen(engine: Engine) -> None:
    import pyarrow as pa

    def broken() -> Any:
        yield from days().to_batches()
        raise BadInput("the source broke off")

    with pytest.raises(BadInput, match="broke off"):
        record(engine, pa.RecordBatchReader.from_batches(days().schema, broken()))
    assert list(Path(engine.workspace.data).iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("int64", "numeric"),
        ("decimal128(10, 2)", "numeric"),
        ("string", "categorical"),
        ("bool", "boolean"),
        ("timestamp[us, tz=UTC]", "time"),
        ("date32[day]", "time"),
        ("dictionary<values=string, indices=int32, ordered=0>", "categorical"),
    ],
)
def test_every_type_has_a_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@given(st.lists(st.integers(0, 200_000), max_size=5))
@settings(max_examples=20, deadline=None)
def test_row_groups_keep_every_row_in_order_whatever_the_batches(sizes: list[int]) -> None:
    import pyarrow as pa

    total = sum(sizes)
    whole = pa.array(range(total), pa.int64())
    batches, start = [], 0
    for size in sizes:
        batches.append(pa.record_batch([whole.slice(start, size)], ["a"]))
        start += size
    schema = pa.schema([("a", pa.int64())])
    groups = list(row_groups(pa.RecordBatchReader.from_batches(schema, batches)))
    assert [group.num_rows for group in groups[:-1]] == [65_536] * (len(groups) - 1)
    assert sum(group.num_rows for group in groups) == total
    if groups:
        assert pa.concat_tables(groups).column("a").combine_chunks().equals(whole)


dates = st.dates(datetime.date(1971, 1, 1), datetime.date(2100, 1, 1))


@given(st.lists(dates, min_size=2, max_size=6, unique=True))
def test_parts_that_follow_each_other_are_accepted_in_order_of_time(days: list[datetime.date]) -> None:
    ends = [day.isoformat() for day in sorted(days)]
    split = {f"part {number}": pair for number, pair in enumerate(pairwise(ends))}
    spans = spans_of(dict(reversed(split.items())))
    assert list(spans) == list(split)
    assert all(start < end for start, end in spans.values())


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
@settings(max_examples=30, deadline=None)
def test_any_name_and_text_is_quoted_so_that_it_is_only_a_name_or_a_text(text: str) -> None:
    with open_duck() as duck:
        result = duck.execute(f"select {literal(text)} as {quote(text)}")
        assert (result.description[0][0], result.fetchall()) == (text, [(text,)])
