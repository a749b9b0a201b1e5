"""Rows are the Parquet file's rows, whichever way they are paged."""

import duckdb
import pyarrow as pa
import pytest

from lemnis.engine.data import Version
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.explore import ExploreRoom
from lemnis.engine.store import Store


def test_a_page_may_cross_row_groups(store: Store, version: Version, table: pa.Table) -> None:
    page = ExploreRoom(store).rows(version.id, offset=65_530, limit=20)
    assert (page.total, page.offset, len(page.rows)) == (70_000, 65_530, 20)
    place = page.columns.index("id")
    assert [row[place] for row in page.rows] == list(range(65_530, 65_550))
    assert page.rows[0][page.columns.index("at")] == "2013-08-16 12:50:00"


def test_the_last_page_is_short_and_the_one_behind_it_empty(store: Store, version: Version) -> None:
    room = ExploreRoom(store)
    assert len(room.rows(version.id, offset=69_990, limit=50).rows) == 10
    assert room.rows(version.id, offset=70_000, limit=50).rows == []


def test_a_sorted_and_filtered_page_is_duckdbs(store: Store, version: Version) -> None:
    page = ExploreRoom(store).rows(
        version.id, offset=5, limit=10, order="delay", descending=True, where="carrier = 'UA' -- only one"
    )
    wanted = duckdb.sql(
        f"from read_parquet('{version.path}') select id where carrier = 'UA' order by delay desc limit 10 offset 5"
    ).fetchall()
    assert [(row[page.columns.index("id")],) for row in page.rows] == wanted
    assert page.total == duckdb.sql(f"from read_parquet('{version.path}') where carrier = 'UA'").shape[0]


def test_pages_of_a_sorted_view_neither_repeat_nor_skip_rows(store: Store, version: Version) -> None:
    room = ExploreRoom(store)
    pages = [room.rows(version.id, offset, 400, order="same", where="id < 1000") for offset in (0, 400, 800)]
    place = pages[0].columns.index("id")
    assert [row[place] for page in pages for row in page.rows] == list(range(1000))


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
    with pytest.raises(BadInput) as refused:
        ExploreRoom(store).rows(version.id, where=where)
    assert said in refused.value.problem


def test_an_impossible_page_or_column_is_refused(store: Store, version: Version) -> None:
    with pytest.raises(LemnisError):
        ExploreRoom(store).rows(version.id, offset=-1)
    with pytest.raises(LemnisError):
        ExploreRoom(store).rows(version.id, order="nope")
