"""A look before anything is kept."""

from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.errors import BadInput


def look(desk: Any, path: str) -> Any:
    return desk.engine.data.preview(path)


def test_a_file_is_shown_with_its_dialect_columns_and_rows_and_nothing_is_kept(desk: Any) -> None:
    desk.write("고객.csv", "이름;값\n김;1,5\n박;2\n".encode("cp949"))
    before = sorted(path for path in desk.root.rglob("*") if ".db" not in path.name)
    found = look(desk, "고객.csv")
    assert (found.source.delimiter, found.source.encoding, found.source.decimal) == (";", "cp949", ",")
    assert [(column.name, column.type) for column in found.columns] == [("이름", "VARCHAR"), ("값", "DOUBLE")]
    assert found.rows == [["김", "1.5"], ["박", "2.0"]]
    assert (found.rows_seen, found.whole, found.warnings, found.refused) == (2, True, [], "")
    assert sorted(path for path in desk.root.rglob("*") if ".db" not in path.name) == before


def test_mixed_types_are_named_with_the_line(desk: Any) -> None:
    desk.write("t.csv", "a,b\n" + "1,x\n" * 500 + "oops,x\n" + "2,x\n" * 10)
    assert look(desk, "t.csv").warnings == ["a is text, though 510 of 511 values are BIGINT: line 502 holds 'oops'"]


def test_odd_names_are_named(desk: Any) -> None:
    desk.write("t.csv", "\x1b[2Ja, b\nx,1\n")
    first, second = look(desk, "t.csv").warnings
    assert "column 1 holds control characters" in first
    assert "column 2 begins or ends with a space" in second
    assert "\x1b" not in first


@pytest.mark.parametrize(
    ("content", "words"), [("a,a\n1,2\n", "stands twice"), ("a,b\n1\n", "1 cells"), ("", "is empty")]
)
def test_a_file_that_a_sync_would_refuse_says_so(desk: Any, content: str, words: str) -> None:
    desk.write("t.csv", content)
    assert words in look(desk, "t.csv").refused


def test_a_declared_source_is_looked_at_as_it_is_declared(desk: Any) -> None:
    desk.source("a;b\n1;2\n")
    assert "the header is one column" in look(desk, "table").refused
    desk.source("a;b\n1;2\n", delimiter=";")
    assert look(desk, "table").rows == [["1", "2"]]


@pytest.mark.slow
def test_a_large_file_is_looked_at_in_part(desk: Any) -> None:
    desk.write("t.csv", "a,b\n" + "1,some text that is long enough\n" * 400_000)
    found = look(desk, "t.csv")
    assert not found.whole
    assert 200_000 < found.rows_seen < 300_000
    assert len(found.rows) == 50


def test_other_formats_are_shown_too(desk: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1, None], "b": [[1], None]}), desk.root / "t.parquet")
    assert look(desk, "t.parquet").rows == [["1", "[1]"], [None, None]]
    desk.write("t.jsonl", '{"a": 1, "한": "글"}\n')
    assert look(desk, "t.jsonl").rows == [["1", "글"]]


def test_what_is_not_there_is_refused(desk: Any) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        look(desk, "none.csv")
