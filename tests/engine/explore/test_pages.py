"""Rows, counts and values are those of a plain Python reference, whichever way they are filtered, sorted and paged."""

import math
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lemnis.engine.data import Version
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, Cancelled, LemnisError
from lemnis.engine.explore import Asked, ExploreRoom, Filter, RowReader, Values, View, chosen, export_rows
from lemnis.engine.explore.filters import Op
from lemnis.engine.explore.terms import simple_filters
from lemnis.engine.store import Store

HOSTILE = '[x]\x1b"; drop'
SMALL: dict[str, list[Any]] = {
    "number": [3, None, 1, 2, 2, -5, 2**53 + 1, 0],
    "size": [0.1, float("nan"), None, float("inf"), -1.5, 0.1, 2.0, -0.0],
    "word": ["UA", "ua", None, "", "항공\x1b[2J", "it's", "UA", 'say "x"'],
    "flag": [True, False, None, True, False, None, True, True],
    HOSTILE: ["a", "b", "a", None, "b", "a", "c", "\x00"],
}
COLUMNS = list(SMALL)


@pytest.fixture(scope="module")
def small(store: Store) -> Iterator[RowReader]:
    """A version whose three row groups hold the values above again and again."""
    table = pa.table({name: values * 3 for name, values in SMALL.items()}).append_column(
        "single", pa.array([0.1, None, 2.5] * 8, pa.float32())
    )
    version = record_version(store, table, name="small", roles={}, split={}, now=1)
    with closing(RowReader(version, threads=2)) as reader:
        yield reader


@pytest.fixture(scope="module")
def reader(version: Version) -> Iterator[RowReader]:
    with closing(RowReader(version, threads=2)) as reader:
        yield reader


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def fits(one: Filter, value: Any) -> bool:
    """Return what a filter means, in plain Python."""
    if one.op in ("in", "not in"):
        found = (None in one.values) if missing(value) else (value in [v for v in one.values if v is not None])
        return found if one.op == "in" else not found
    if one.op in ("contains", "starts"):
        text, part = ("" if missing(value) else str(value).lower()), str(one.values[0]).lower()
        return not missing(value) and (part in text if one.op == "contains" else text.startswith(part))
    if missing(value):
        return False
    other: Any = one.values[0]
    if one.op == "within":
        high: Any = one.values[1]
        return (other is None or value >= other) and (high is None or value < high)
    compare: dict[str, Callable[[], bool]] = {
        "!=": lambda: value != other,
        "<": lambda: value < other,
        "<=": lambda: value <= other,
        ">": lambda: value > other,
        ">=": lambda: value >= other,
    }
    return compare[one.op]()


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    column = draw(st.sampled_from(COLUMNS))
    known = [value for value in SMALL[column] if not missing(value)]
    values: list[Any] = draw(st.lists(st.sampled_from([*known, None]), min_size=1, max_size=3))
    op: Op
    if column in ("word", HOSTILE):
        op = draw(st.sampled_from(["in", "not in", "!=", "<", ">=", "contains", "starts"]))
    elif column == "flag":
        op = draw(st.sampled_from(["in", "not in", "!="]))
    else:
        op = draw(st.sampled_from(["in", "not in", "!=", "<", "<=", ">", ">=", "within"]))
    if op == "within":
        low, high = draw(st.sampled_from([*known, None])), draw(st.sampled_from(known))
        return Filter(column=column, op=op, values=(low, high))
    if op in ("in", "not in"):
        return Filter(column=column, op=op, values=tuple(values))
    return Filter(column=column, op=op, values=(draw(st.sampled_from(known)),))


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(st.lists(filters(), max_size=3), st.sampled_from(["", *COLUMNS]), st.booleans(), st.integers(0, 30))
def test_a_page_is_the_one_of_plain_python(
    small: RowReader, asked: list[Filter], order: str, descending: bool, offset: int
) -> None:
    rows = [{name: values[place % 8] for name, values in SMALL.items()} for place in range(24)]
    wanted = [row for row in rows if all(fits(one, row[one.column]) for one in asked)]
    if order:
        known = [row for row in wanted if not missing(row[order])]
        known.sort(key=lambda row: row[order], reverse=descending)
        wanted = known + [row for row in wanted if missing(row[order])]
    view = View(small, Asked(filters=tuple(asked), order=order, descending=descending))
    view.find()
    page = view.page(offset, 7, COLUMNS)
    assert (view.total, view.complete) == (len(wanted), True)
    said = [[None if missing(value) else value for value in row] for row in page.rows]
    assert said == [
        [None if missing(row[name]) else row[name] for name in COLUMNS] for row in wanted[offset : offset + 7]
    ]


@quick
@given(st.sampled_from(COLUMNS), st.lists(filters(), max_size=1), st.sampled_from(["", "a", "^u"]))
def test_values_are_counted_as_plain_python_counts(
    small: RowReader, column: str, asked: list[Filter], search: str
) -> None:
    rows = [{name: values[place % 8] for name, values in SMALL.items()} for place in range(24)]
    held = [row[column] for row in rows if all(fits(one, row[one.column]) for one in asked)]
    wanted = Counter(None if missing(value) else value for value in held)
    with closing(Values(View(small, Asked(filters=tuple(asked))), column)) as values:
        values.count()
        everything = values.page(0, 50)
        assert {one.value: one.rows for one in everything.counts} == wanted
        assert [one.rows for one in everything.counts] == sorted(wanted.values(), reverse=True)
        assert (values.rows, values.missing) == (len(held), wanted[None])
        assert [one.upto for one in everything.counts][-1:] == [len(held)][: len(wanted)]
        for one in everything.counts:  # the filter that a line stands for finds as many rows as it says
            view = View(small, Asked(filters=(*asked, chosen(column, [one]))))
            view.find()
            assert view.total == one.rows
        if column == "word":
            low = {value for value in wanted if value is not None}
            part = {v for v in low if (v.lower().startswith("u") if search == "^u" else search in v.lower())}
            assert {one.value for one in values.page(0, 50, search=search).counts} - {None} == part


def test_bins_hold_the_rows_that_their_filter_finds(reader: RowReader) -> None:
    for column in ("id", "delay", "at", "odd", "gust", "same"):
        with closing(Values(View(reader, Asked()), column, binned=True)) as values:
            values.count()
            part = values.page(0, 100, by="value")
            assert sum(one.rows for one in part.counts) == 70_000
            assert part.total <= 52
            for one in part.counts:
                view = View(reader, Asked(filters=(chosen(column, [one]),)))
                view.find()
                assert view.total == one.rows, (column, one)
    with pytest.raises(BadInput), closing(Values(View(reader, Asked()), "carrier", binned=True)) as values:
        values.count()


def test_several_values_or_bins_become_one_filter(reader: RowReader) -> None:
    with closing(Values(View(reader, Asked()), "gust", binned=True)) as values:
        values.count()
        lines = values.page(0, 100, by="value").counts
    picked = [lines[0], lines[2], lines[-1]]
    assert picked[-1].value is None
    view = View(reader, Asked(filters=(chosen("gust", picked),)))
    view.find()
    assert view.total == sum(one.rows for one in picked)


def test_a_page_may_cross_row_groups(store: Store, version: Version) -> None:
    page = ExploreRoom(store).rows(version.id, offset=65_530, limit=20)
    assert (page.total, page.offset, len(page.rows)) == (70_000, 65_530, 20)
    place = page.columns.index("id")
    assert [row[place] for row in page.rows] == list(range(65_530, 65_550))
    assert page.rows[0][page.columns.index("at")] == "2013-08-16 12:50:00"


def test_the_last_page_is_short_and_the_one_behind_it_empty(store: Store, version: Version) -> None:
    room = ExploreRoom(store)
    assert len(room.rows(version.id, offset=69_990, limit=50).rows) == 10
    assert room.rows(version.id, offset=70_000, limit=50).rows == []


def test_typed_sql_a_filter_and_an_order_go_together(store: Store, version: Version, reader: RowReader) -> None:
    asked = ExploreRoom(store).asked(version, ["carrier = 'UA' or gust > 3 -- typed", "delay > 10"], "delay")
    assert (len(asked.filters), asked.where) == (1, "carrier = 'UA' or gust > 3 -- typed")
    condition = "(carrier = 'UA' or gust > 3) and delay > 10"
    wanted = duckdb.execute(
        f"from read_parquet('{version.path}') select id where {condition} order by delay"
    ).fetchall()
    view = View(reader, asked)
    view.find()
    assert view.total == len(wanted)
    assert [tuple(row) for row in view.page(500, 300, ["id"]).rows] == wanted[500:800]


def test_pages_of_a_sorted_view_neither_repeat_nor_skip_rows(reader: RowReader) -> None:
    view = View(reader, Asked(order="same"))
    view.find()
    pages = [view.page(offset, 400, ["id"]) for offset in (0, 400, 69_600)]
    assert [row[0] for page in pages for row in page.rows] == [*range(800), *range(69_600, 70_000)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("carrier = UA", [("carrier", "in", ("UA",))]),
        ("carrier = 'U''A' and delay >= -1.5e3", [("carrier", "in", ("U'A",)), ("delay", ">=", (-1500.0,))]),
        ("gust is missing AND carrier is not UA", [("gust", "in", (None,)), ("carrier", "not in", ("UA",))]),
        ("tail in (N1, 'N2') and late = true", [("tail", "in", ("N1", "N2")), ("late", "in", (True,))]),
        ("at >= 2013-02-01 and tail starts with N", [("at", ">=", ("2013-02-01",)), ("tail", "starts", ("N",))]),
        ('"[/x]\x1b" contains bold', [("[/x]\x1b", "contains", ("bold",))]),
        ("id != 3", [("id", "!=", (3,))]),
        ("carrier = tail", None),
        ("carrier = UA or late", None),
        ("delay between 1 and 5", None),
        ("delay > gust", None),
        ("late", None),
        ("carrier = UA;", None),
        ("id in (select 1)", None),
        ("id > 'abc'", None),
        ("at > 'soon'", None),
        ("carrier not in ('UA')", None),
        ("(carrier = UA)", None),
        ("carrier = 5", None),
        ("", None),
    ],
)
def test_simple_conditions_are_read_as_filters_and_others_stay_sql(
    version: Version, text: str, read: list[tuple[str, str, tuple[Any, ...]]] | None
) -> None:
    found = simple_filters(text, version.columns) if text else None
    assert (found and [(one.column, one.op, one.values) for one in found]) == read


@pytest.mark.parametrize(
    "text", ["delay > 10.5", "carrier != 'UA'", "tail = 'N7'", "gust <= 3", "\"at\" < '2013-01-05'"]
)
def test_a_filter_means_what_the_same_sql_means(store: Store, version: Version, reader: RowReader, text: str) -> None:
    asked = ExploreRoom(store).asked(version, [text])
    assert asked.filters
    view, typed = View(reader, asked), View(reader, Asked(where=text))
    view.find()
    typed.find()
    assert view.total == typed.total


def test_single_precision_numbers_equal_what_is_written(small: RowReader) -> None:
    for one, rows in ((Filter(column="single", op="in", values=(0.1,)), 8), (chosen_single(small), 8)):
        view = View(small, Asked(filters=(one,)))
        view.find()
        assert view.total == rows


def chosen_single(reader: RowReader) -> Filter:
    with closing(Values(View(reader, Asked()), "single")) as values:
        values.count()
        return chosen("single", values.page(0, 1, by="value").counts)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nonsense = 1", "nonsense"),
        ("1 = 1) union all (select * from data", ""),
        ("true; drop table data", "syntax error"),
        ("id in (select 1 from read_text('/etc/passwd'))", "read_text() can't be read from"),
        ("random() < 0.5", "random() is not allowed"),
    ],
)
def test_a_condition_that_is_wrong_or_reaches_out_is_refused(
    store: Store, version: Version, where: str, said: str
) -> None:
    room = ExploreRoom(store)
    with pytest.raises(BadInput) as refused:
        room.rows(version.id, asked=room.asked(version, [where]))
    assert said in refused.value.problem


def test_an_impossible_page_or_column_is_refused(store: Store, version: Version) -> None:
    room = ExploreRoom(store)
    for wrong in (
        lambda: room.rows(version.id, offset=-1),
        lambda: room.rows(version.id, asked=Asked(order="nope")),
        lambda: room.rows(version.id, asked=Asked(filters=(Filter(column="nope", op="in", values=(1,)),))),
        lambda: room.rows(version.id, asked=Asked(filters=(Filter(column="at", op=">", values=("soon",)),))),
    ):
        with pytest.raises(LemnisError):
            wrong()


def test_a_search_and_a_count_can_be_stopped(reader: RowReader) -> None:
    view = View(reader, Asked(filters=(Filter(column="delay", op=">", values=(5.5,)),)))
    with pytest.raises(Cancelled):
        view.find(view.stop)
    values = Values(View(reader, Asked()), "delay")
    with pytest.raises(Cancelled), closing(values):
        values.count(lambda _: values.stop())
    with pytest.raises(Cancelled):
        View(reader, Asked()).page(0, 10, ["none"], wanted=lambda: False)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_what_is_filtered_and_sorted_is_exported(reader: RowReader, tmp_path: Path, ending: str) -> None:
    view = View(reader, Asked(filters=(Filter(column="carrier", op="in", values=("EV",)),), order="delay"))
    path, seen = tmp_path / f"rows{ending}", list[int]()
    written = export_rows(view, path, ["id", "delay", "parts", "[/x]\x1b"], tell=seen.append)
    assert (written, seen[-1]) == (view.total, view.total)
    read = {".csv": "read_csv", ".jsonl": "read_json", ".parquet": "read_parquet"}[ending]
    ids = [row[0] for row in duckdb.execute(f"select id from {read}('{path}')").fetchall()]
    assert ids[:50] == [row[0] for row in view.page(0, 50, ["id"]).rows]
    assert len(ids) == written
    with pytest.raises(BadInput):
        export_rows(view, path)
    if ending == ".parquet":
        assert pq.read_schema(path).field("parts").type == pa.list_(pa.int64())


def test_a_stopped_export_leaves_no_file(reader: RowReader, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        export_rows(View(reader, Asked()), tmp_path / "rows.csv", wanted=lambda: False)
    assert list(tmp_path.iterdir()) == []
    assert replace(Asked(), order="id").words == ""


def test_a_reader_that_is_closed_keeps_no_rows_whatever_is_still_read(version: Version) -> None:
    names = [column.name for column in version.columns]
    reader = RowReader(version)
    before = pa.total_allocated_bytes()
    reader.cells.group(0, names)
    assert pa.total_allocated_bytes() > before
    reader.close()
    reader.cells.group(0, names)
    assert pa.total_allocated_bytes() == before


def test_a_reader_rests_once_what_it_reads_is_read_and_goes_on_where_it_was(version: Version) -> None:
    with closing(RowReader(version)) as reader:
        view = View(reader, Asked(order="delay"))
        before = pa.total_allocated_bytes()
        view.find()
        first = view.page(0, 20, ["id", "delay"]).rows
        assert pa.total_allocated_bytes() > before
        with reader.duck.query() as query:
            reader.rest()
            assert query.fetch("select 1") == [(1,)]
            assert not reader.duck.resting
        assert reader.duck.resting
        assert pa.total_allocated_bytes() == before
        assert view.page(0, 20, ["id", "delay"]).rows == first
        with reader.duck.query() as query:
            assert query.fetch("select 2") == [(2,)]
        assert not reader.duck.resting


def test_browsing_imports_no_pandas(version: Version) -> None:
    """It takes a third of a second and memory that a console keeps until it ends."""
    code = (
        "import pickle, sys\n"
        "from lemnis.engine.explore import Asked, RowReader, View\n"
        "reader = RowReader(pickle.load(sys.stdin.buffer))\n"
        "view = View(reader, Asked(where='delay > 0', order='delay'))\n"
        "view.find()\n"
        "assert view.page(0, 10, ['id', 'delay', 'carrier']).rows\n"
        "reader.close()\n"
        "print('pandas' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(version), check=True, stdout=subprocess.PIPE)
    assert told.stdout.decode().strip() == "False"
