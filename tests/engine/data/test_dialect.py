"""Dialects are proposed from a file's beginning; what is proposed reads the file as it was written."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.data.dialect import proposed_dialect
from lemnis.engine.errors import BadInput


@pytest.mark.parametrize(
    ("sample", "facts"),
    [
        (b"a,b\n1,2\n", {"delimiter": ",", "header": True, "encoding": "utf-8"}),
        (b"a\tb\n1\t2\n", {"delimiter": "\t"}),
        (b"a;b\n1,5;2\n2;3,25\n", {"delimiter": ";", "decimal": ","}),
        (b"1|x\n2|y\n", {"delimiter": "|", "header": False}),
        (b"a,b\n'x,1',2\n'y',3\n", {"quote": "'"}),
        (b'a,b\n"say \\"hi\\"",1\n', {"escape": "\\"}),
        ("이름,나이\n김철수,30\n박,41\n".encode("cp949"), {"encoding": "cp949"}),
        ("a,b\né,1\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("a,b\nx,1\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("a,b\nx,1\n".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"encoding": "utf-8", "header": True}),
        (b"", {"delimiter": ","}),
    ],
)
def test_the_dialect_that_fits_is_proposed(sample: bytes, facts: dict[str, Any]) -> None:
    found = proposed_dialect(sample)
    assert {name: getattr(found, name) for name in facts} == facts


words = st.text(st.characters(categories=["L", "Nd", "Zs"], include_characters=",;|'"), min_size=1, max_size=8)


@given(st.lists(st.tuples(words, words, words), min_size=3, max_size=20), st.sampled_from(",;\t|"))
@settings(max_examples=60)
def test_quoted_text_is_parted_where_it_was_joined(rows: list[tuple[str, str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    assert proposed_dialect(text.getvalue().encode()).delimiter == delimiter


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-8"])
def test_declared_encodings_are_read_and_a_byte_outside_is_named_with_its_line(desk: Any, encoding: str) -> None:
    text = "name,n\nÅÄÖ,1\n" if encoding in ("cp1252", "latin-1") else "이름,n\n김철수,1\n"
    desk.source(text.encode(encoding), encoding=encoding)
    desk.sync()
    assert list(desk.rows()[0].values()) == [text.split("\n")[1].split(",")[0], 1]


def test_a_byte_that_does_not_belong_to_the_encoding_is_named(desk: Any) -> None:
    desk.source("이름\n김\n".encode("cp949") + b"\xff\xff\n", encoding="cp949")
    with pytest.raises(BadInput, match="not cp949 text") as refused:
        desk.sync()
    assert refused.value.place.endswith("table.csv:3")


def test_an_unknown_encoding_is_refused(desk: Any) -> None:
    desk.source("a\n1\n", encoding="rot13")
    with pytest.raises(BadInput, match="no text encoding"):
        desk.sync()


def test_numbers_with_a_decimal_comma_are_numbers(desk: Any) -> None:
    desk.source("a;b\n1,5;1.000\n-2;2\n", delimiter=";", decimal=",")
    desk.sync()
    assert desk.types() == {"a": "double", "b": "string"}
    assert [row["a"] for row in desk.rows()] == [1.5, -2.0]


def test_a_file_without_a_header_has_the_names_that_are_declared(desk: Any) -> None:
    desk.source("1,x\n2,y\n", header=False, columns=["수", "글"])
    desk.sync()
    assert desk.rows() == [{"수": 1, "글": "x"}, {"수": 2, "글": "y"}]
    desk.source("1,x\n", header=False, columns=["one"])
    with pytest.raises(BadInput, match="1 columns are declared, but the first row has 2 cells"):
        desk.sync()


@pytest.mark.parametrize(
    ("quote", "escape", "cell"), [("'", "'", "'it''s'"), ('"', "\\", '"it\\"s"'), ("", '"', 'it"s')]
)
def test_quotes_and_escapes_are_those_declared(desk: Any, quote: str, escape: str, cell: str) -> None:
    desk.source(f"a,b\n{cell},1\n", quote=quote, escape=escape)
    desk.sync()
    assert desk.rows()[0]["a"] in ("it's", 'it"s')
