from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.expressions import FUNCTIONS, check_expression
from lemnis.engine.errors import BadInput


@pytest.fixture(scope="module")
def duck() -> Iterator[Any]:
    with open_duck(views={}) as connection:
        yield connection


@pytest.mark.parametrize(
    "text",
    [
        "a > 15",
        "case when a is null then 0 else 1 end",
        "cast(a as varchar) || 'x'",
        "a between 1 and 2 or b in ('x', 'y')",
        "strftime(t, '%Y') like '20%'",
        "date_trunc('day', t) at time zone 'UTC' + interval 1 day",
        "coalesce(a, 0) -- a comment",
        "extract(hour from t)",
    ],
)
def test_what_makes_one_value_of_a_row_is_accepted(duck: Any, text: str) -> None:
    check_expression(duck, text, ["a", "b", "t"], "here")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a;drop table x",
        "1); drop table x; --",
        "a, b",
        "a as x",
        "*",
        "columns('a')",
        "a from other",
        "a where true",
        "a union select 1",
        "(select 1)",
        "exists (from read_text('/etc/passwd'))",
        "getenv('HOME')",
        "current_setting('memory_limit')",
        "current_date",
        "now()",
        "random()",
        "repeat('x', 4000000000)",
        "lpad('x', 2000000000, 'x')",
        "range(1000000000)",
        "list_transform([1], x -> x)",
        "count(*) over ()",
        "sum(a)",
        "$1",
        "#1",
        "a /* open",
        "nothing",
        "(" * 20_000 + "a" + ")" * 20_000,
        "a" + " + a" * 100_000,
        "a\0",
    ],
)
def test_what_could_do_more_is_refused(duck: Any, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_expression(duck, text, ["a", "b", "t"], "here")
    assert refused.value.place == "here"
    assert refused.value.problem.isprintable()


def test_a_wrong_name_gets_a_suggestion(duck: Any) -> None:
    with pytest.raises(BadInput) as refused:
        check_expression(duck, "arr_dely > 15", ["arr_delay", "dep_delay"], "here")
    assert "arr_delay" in refused.value.remedy


def test_every_function_that_is_allowed_exists(duck: Any) -> None:
    known = {row[0] for row in duck.execute("select function_name from duckdb_functions()").fetchall()}
    assert {name for name in FUNCTIONS if name not in known} <= {"coalesce", "ifnull"}  # operators of their own


@given(st.text(max_size=60))
@example("&0")
@settings(max_examples=100, deadline=None)
@pytest.mark.slow
def test_any_text_is_accepted_or_refused_but_never_breaks(duck: Any, text: str) -> None:
    try:
        check_expression(duck, text, ["a"], "here")
    except BadInput:
        return
    assert len(duck.extract_statements(f"select (\n{text}\n) from (select 1 as a) limit 0")) == 1


def test_a_locked_connection_reads_nothing_but_its_views(desk: Any) -> None:
    import duckdb

    desk.source("a\n1\n")
    desk.sync()
    path = desk.engine.data.snapshots()[0].path
    with open_duck(views={"data": path}) as duck:
        assert duck.execute("select a from data").fetchall() == [(1,)]
        for text in ("from read_text('/etc/hostname')", "set memory_limit = '8GB'", "install httpfs", "load spatial"):
            with pytest.raises(duckdb.Error):
                duck.execute(text)
