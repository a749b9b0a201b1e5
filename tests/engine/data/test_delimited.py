import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lemnis.engine.data.delimited import fitting_types
from lemnis.engine.data.duck import literal, open_duck
from lemnis.engine.errors import BadInput


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a,b\n1,2\n3,4,5\n6,7\n", 3, "3 cells where the header has 2"),
        ("a,b\n1,2\n3\n", 3, "1 cells where the header has 2"),
        ('a,b\n1,2\n"3,4\n5,6\n', 3, "never closed"),
        ("a;b\n1;2\n", 1, "the header is one column"),
        ("", 1, "is empty"),
        ("a,a\n1,2\n", 1, "stands twice"),
        ("a,\n1,2\n", 1, "column 2 has no name"),
        ("a,b\nÅ,2\n".encode("latin-1"), None, "not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), None, "not UTF-8"),
        ("a,b\n" + "1,2\n" * 70_000 + "1,2,3\n", 70_002, "3 cells"),
    ],
)
def test_text_that_is_not_the_table_it_should_be_is_refused_with_its_line(
    desk: Any, content: str | bytes, line: int | None, problem: str
) -> None:
    desk.source(content)
    with pytest.raises(BadInput) as refused:
        desk.sync()
    assert problem in refused.value.problem
    assert line is None or refused.value.place.endswith(f":{line}")
    assert desk.engine.data.snapshots() == []
    assert desk.engine.data.sources()[0].state == "failed"


def test_a_type_that_was_set_and_does_not_hold_is_refused_with_line_and_value(desk: Any) -> None:
    desk.source("a\n1\nx\n", types={"a": "BIGINT"})
    with pytest.raises(BadInput, match="holds 'x'") as refused:
        desk.sync()
    assert refused.value.place.endswith("table.csv:3")


@pytest.mark.parametrize(
    ("cells", "type_name"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "2.5", "1e3"], "double"),
        (["007", "1"], "string"),
        (["true", "FALSE"], "bool"),
        (["2013-01-01", "2013-12-31"], "date32[day]"),
        (["2013-01-01 10:00", "2013-01-01T11:00:01.5"], "timestamp[us]"),
        (["2013-01-01T10:00:00Z", "2013-01-01 11:00+02:00"], "timestamp[us, tz=UTC]"),
        (["2013-13-01"], "string"),
        (["NA", "NA"], "string"),
        (["1", "NA"], "int64"),
        (["9" * 30], "double"),
        (["inf", "1"], "string"),
    ],
)
def test_a_column_gets_the_first_type_that_every_cell_fits(desk: Any, cells: list[str], type_name: str) -> None:
    desk.source("a,b\n" + "".join(f"{cell},x\n" for cell in cells), null=["NA"])
    desk.sync()
    assert desk.types()["a"] == type_name


def test_a_value_far_down_decides_the_type_too(desk: Any) -> None:
    desk.source("a\n" + "1\n" * 30_000 + "x\n")
    desk.sync()
    assert desk.types() == {"a": "string"}
    assert len(desk.rows()) == 30_001


def test_windows_line_ends_lose_no_row(desk: Any) -> None:
    desk.source("a,b\r\n1,2\r\n")
    desk.sync()
    assert desk.rows() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_the_one_that_is_declared(desk: Any, delimiter: str) -> None:
    desk.source(f"a{delimiter}b\n1{delimiter}x,y\n", delimiter=delimiter)
    desk.sync()
    assert desk.rows() == [{"a": 1, "b": "x,y"}]


def test_a_header_alone_is_a_table_without_rows(desk: Any) -> None:
    desk.source("a,b\n")
    assert desk.sync()["sources"][0]["rows"] == 0


def test_an_evil_header_is_only_a_name(desk: Any) -> None:
    desk.source('"a"";drop table x;--",b\n1,2\n')
    desk.sync()
    assert desk.rows() == [{'a";drop table x;--': 1, "b": 2}]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_quoted_text_comes_back_as_it_was(desk: Any, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b"), *rows])
    desk.source(text.getvalue(), types={"a": "VARCHAR", "b": "VARCHAR"}, null=["\\N"])
    desk.sync()
    expected = [{"a": None if a == "\\N" else a, "b": None if b == "\\N" else b} for a, b in rows]
    assert desk.rows() == expected


@given(st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=20, deadline=None)
def test_every_number_is_seen_as_one(number: float) -> None:
    with open_duck() as duck:
        fits = fitting_types(duck, f"(select {literal(str(number))} as x)", {"x": ["BIGINT", "DOUBLE"]})
    assert fits == {"x": ["BIGINT", "DOUBLE"] if isinstance(number, int) else ["DOUBLE"]}
