"""The query language: what it means, checked against a plain Python reading over random runs; and what it refuses."""

import re
import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.errors import BadInput
from lemnis.engine.pattern import regexp
from lemnis.engine.query import Column, Fields, Pairs, QueryError, compile_order, compile_query

NOW = 1_790_000_000_000
DAY = 86_400_000
FIELDS = Fields(
    id="runs.id",
    bare="runs.name",
    columns={
        "id": Column("runs.id", "number"),
        "name": Column("runs.name"),
        "state": Column("runs.state", words={"killed": "cancelled"}, folded=True),
        "created": Column("runs.created_at", "time"),
        "age": Column("runs.created_at", "age"),
        "duration": Column("runs.ended_at - runs.created_at", "duration"),
        "note": Column("runs.note"),
    },
    pairs={
        "metrics": Pairs("run_metrics", "run_id", numeric=True),
        "params": Pairs("run_params", "run_id"),
        "tags": Pairs("run_tags", "run_id"),
    },
    aliases={
        "status": "state",
        "metric": "metrics",
        "param": "params",
        "tag": "tags",
        "attributes": "",
        "run_name": "name",
    },
)
RUNS: list[dict[str, Any]] = [
    {
        "id": 1,
        "name": "late baseline",
        "state": "finished",
        "at": NOW - 5 * DAY,
        "metrics": {"auc": 0.81, "val loss": 0.4},
        "params": {"learning_rate": "0.1", "num leaves": "31", "boosting": "gbdt"},
        "tags": {"baseline": "", "mlflow.user": "ana"},
        "note": "",
    },
    {
        "id": 2,
        "name": "late wide",
        "state": "failed",
        "at": NOW - DAY // 2,
        "metrics": {"auc": 0.79},
        "params": {"learning_rate": "1e-1", "num leaves": "127"},
        "tags": {"team": "Blue"},
        "note": "too wide",
    },
    {
        "id": 3,
        "name": "Späte Flüge %",
        "state": "cancelled",
        "at": NOW - 60_000,
        "metrics": {"auc": None},
        "params": {},
        "tags": {},
        "note": "",
    },
]


def database(runs: list[dict[str, Any]]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.create_function("regexp", 2, regexp, deterministic=True)
    db.executescript(
        """create table runs (id integer primary key, name text, state text, created_at integer, ended_at integer,
             note text) strict;
           create table run_metrics (run_id integer, key text, value real) strict;
           create table run_params (run_id integer, key text, value text, number real) strict;
           create table run_tags (run_id integer, key text, value text, number real) strict;"""
    )
    for run in runs:
        row = [run["id"], run["name"], run["state"], run["at"], run["at"] + 90_000, run["note"]]
        db.execute("insert into runs values (?, ?, ?, ?, ?, ?)", row)
        for key, value in run["metrics"].items():
            db.execute("insert into run_metrics values (?, ?, ?)", [run["id"], key, value])
        for family in ("params", "tags"):
            for key, value in run[family].items():
                number = float(value) if re.fullmatch(r"[\d.]+(e-?\d+)?", value) else None
                db.execute(f"insert into run_{family} values (?, ?, ?, ?)", [run["id"], key, value, number])
    return db


def found(db: sqlite3.Connection, text: str) -> list[int]:
    where = compile_query(text, FIELDS, now_ms=NOW)
    return [row[0] for row in db.execute(f"select id from runs where {where.sql} order by id", where.values)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3]),
        ("metrics.auc > 0.8", [1]),
        ("metrics.auc > 0.8 and params.learning_rate = 0.1 or tag:baseline", [1]),
        ("params.learning_rate = 0.1", [1, 2]),
        ("params.learning_rate = '0.10'", [1, 2]),
        ("params.boosting != 3", [1]),
        ("params.boosting > 3", []),
        ("params.boosting in (gbdt, dart)", [1]),
        ("params.learning_rate not in (0.2, x)", [1, 2]),
        ("params.`num leaves` = '31'", [1]),
        ('params."num leaves" >= 31', [1, 2]),
        ("metrics.`val loss` < 0.5", [1]),
        ("not metrics.auc > 0.8", [2, 3]),
        ("-tag:baseline", [2, 3]),
        ("!state:fail", [1, 3]),
        ("has:metrics.auc", [1, 2]),
        ("has:note", [2]),
        ("not has:metrics.auc", [3]),
        ("age < 3d", [2, 3]),
        ("age < 90s | age > 4d", [1, 3]),
        ("duration = 90s", [1, 2, 3]),
        ("duration > 1m", [1, 2, 3]),
        ("late", [1, 2]),
        ("LATE wide", [2]),
        ("late or flüge", [1, 2, 3]),
        ("'late wide'", [2]),
        ("name ~ ^late.*e$", [1, 2]),
        ("name !~ '(?i)LATE'", [3]),
        ("name ~ 'Sp.te'", [3]),
        ("note:wide", [2]),
        ("tag:Blue", [2]),
        ("tags.team = Blue", [2]),
        ("metrics.auc between 0.7 and 0.8", [2]),
        ("metrics.auc between 0.7..0.8 or id = 3", [2, 3]),
        ("id in (1, 3)", [1, 3]),
        ("metrics.auc >= 0.79 and (state = failed or name = 'late baseline')", [1, 2]),
        # MLflow's own strings, as its documentation writes them.
        ("metrics.auc > 0.8 AND params.`num leaves` = '31'", [1]),
        ("attributes.status = 'FINISHED'", [1]),
        ("attributes.status IN ('FAILED', 'KILLED')", [2, 3]),
        ("attributes.run_name LIKE 'late%'", [1, 2]),
        ("attributes.run_name ILIKE 'LATE w%'", [2]),
        ("attributes.run_name LIKE '% %%'", [1, 2, 3]),
        ("tags.mlflow.user = 'ana'", [1]),
        ("tags.team IS NOT NULL and params.learning_rate IS NULL", []),
        ("tags.team IS NULL", [1, 3]),
        (f"created > {NOW - DAY}", [2, 3]),
        ("created < 2020-01-01", []),
        ("created >= 2020-01-01T10:30", [1, 2, 3]),
    ],
)
def test_a_query_finds_the_runs_that_it_says(text: str, ids: list[int]) -> None:
    assert found(database(RUNS), text) == ids


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("metrics.auc >", 14, "a value"),
        ("metrics.auc > high", 15, "a number"),
        ("auc > 0.8", 1, "There is no field"),
        ("late and colour = red", 10, "There is no field"),
        ("age < tomorrow", 7, "a length of time"),
        ("created < tomorrow", 11, "a date"),
        ("(late or wide", 14, "a closing bracket"),
        ("late wide)", 10, "the end"),
        ("id in 3", 7, "a list in brackets"),
        ("name ~ '('", 8, "regular expression"),
        ("name = 'late", 8, "quote is not closed"),
        ("or late", 1, "a field, a word or a bracket"),
        ("has:", 5, "a field"),
        ("note is not", 12, "null"),
        ("metrics.auc like 3", 18, "like"),
        ("id:7", 1, "text"),
        ("late \ud800", 6, "not text"),
    ],
)
def test_an_error_points_at_the_column_and_says_what_was_expected(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryError, match=re.escape(says)) as caught:
        compile_query(text, FIELDS, now_ms=NOW)
    assert (caught.value.column, caught.value.place) == (column, f"column {column}")


def test_a_hostile_regular_expression_ends_at_once() -> None:
    runs = [{**RUNS[0], "name": "a" * 5000 + "!"}]
    assert found(database(runs), "name ~ '(a|aa)+$'") == []


def test_deep_and_endless_queries_are_refused_in_words() -> None:
    for text in ("(" * 500, "not " * 900 + "x", "x " * 900, "x" * 5000, "a|" * 800):
        with pytest.raises(BadInput):
            compile_query(text + " > ", FIELDS, now_ms=NOW)


def test_sorting_puts_what_is_missing_last_in_both_directions() -> None:
    db = database(RUNS)
    for key, descending, ids in [
        ("metrics.auc", True, [1, 2, 3]),
        ("metrics.auc", False, [2, 1, 3]),
        ("params.num leaves", False, [1, 2, 3]),
        ("age", True, [1, 2, 3]),
        ("age", False, [3, 2, 1]),
        ("name", False, [3, 1, 2]),
    ]:
        order = compile_order(key, FIELDS, descending=descending)
        rows = db.execute(f"select id from runs order by {order.sql}", order.values)
        assert [row[0] for row in rows] == ids, (key, descending)


WORDS = ["late", "wide", "gbdt", "0.1", "3", "-2.5", "3d", "metrics.auc", "params.x", "has", "tag", "and", "or", "not"]
MARKS = [
    "(",
    ")",
    ",",
    ":",
    "=",
    "!=",
    "<",
    "~",
    "|",
    "-",
    "!",
    "'",
    '"',
    "`",
    "'a b'",
    "`c d`",
    "in",
    "is",
    "null",
    "..",
]


@settings(max_examples=120)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS + MARKS), max_size=14).map(" ".join)))
def test_any_text_is_either_a_query_that_runs_or_bad_input(text: str) -> None:
    try:
        where = compile_query(text, FIELDS, now_ms=NOW)
    except BadInput:
        pass
    else:
        EMPTY.execute(f"select id from runs where {where.sql}", where.values).fetchall()


EMPTY = database(RUNS)
MARKED = "zqx"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="'"), max_size=20))
def test_no_text_of_the_person_is_ever_in_the_sql(text: str) -> None:
    for query in (
        f"name = '{MARKED}{text}'",
        f"tags.`{MARKED}` = '{text}'",
        f"'{MARKED}{text}'",
        f"note:'{MARKED}{text}'",
    ):
        where = compile_query(query, FIELDS, now_ms=NOW)
        assert MARKED not in where.sql
        assert any(MARKED in str(value) for value in where.values)


# A random query as (text, what it says about one run): the second half is the plain reading.
numbers = st.integers(-3, 3).map(lambda n: n / 2)
texts = st.sampled_from(["red", "blue", "1", "0.5"])
OPERATORS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}


def metric_term(key: str, operator: str, value: float) -> tuple[str, Any]:
    def says(run: dict[str, Any]) -> bool:
        have = run["metrics"].get(key)
        return have is not None and OPERATORS[operator](have, value)

    return f"metrics.{key} {operator} {value}", says


def param_term(operator: str, value: str) -> tuple[str, Any]:
    def number(text: str) -> float | None:
        return float(text) if re.fullmatch(r"[\d.]+", text) else None

    def says(run: dict[str, Any]) -> bool:
        have = run["params"].get("p")
        if have is None:
            return False
        if number(value) is None:
            return OPERATORS[operator](have, value)
        return operator == "!=" if number(have) is None else OPERATORS[operator](number(have), number(value))

    return f"params.p {operator} '{value}'", says


leaves = st.one_of(
    st.builds(metric_term, st.sampled_from(["a", "b"]), st.sampled_from(sorted(OPERATORS)), numbers),
    st.builds(param_term, st.sampled_from(["=", "!="]), texts),
    st.sampled_from(["a", "b"]).map(lambda k: (f"has:metrics.{k}", lambda run: run["metrics"].get(k) is not None)),
    st.sampled_from(["x", "y"]).map(lambda tag: (f"tag:{tag}", lambda run: tag in run["tags"])),
)


def grown(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        parts.map(lambda p: (f"not ({p[0]})", lambda run: not p[1](run))),
        st.tuples(parts, parts).map(
            lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda run: p[0][1](run) and p[1][1](run))
        ),
        st.tuples(parts, parts).map(lambda p: (f"({p[0][0]} or {p[1][0]})", lambda run: p[0][1](run) or p[1][1](run))),
    )


queries = st.recursive(leaves, grown, max_leaves=8)
run_lists = st.lists(
    st.fixed_dictionaries(
        {
            "metrics": st.dictionaries(st.sampled_from(["a", "b"]), st.none() | numbers),
            "params": st.dictionaries(st.just("p"), texts),
            "tags": st.dictionaries(st.sampled_from(["x", "y"]), st.just("")),
        }
    ),
    max_size=5,
).map(lambda runs: [{**RUNS[0], **run, "id": place} for place, run in enumerate(runs, 1)])


@given(queries, run_lists)
def test_sql_and_a_plain_reading_agree_on_random_runs(query: tuple[str, Any], runs: list[dict[str, Any]]) -> None:
    assert found(database(runs), query[0]) == [run["id"] for run in runs if query[1](run)]


@given(leaves, leaves, leaves, run_lists)
def test_and_binds_tighter_than_or_and_de_morgan_holds(a: Any, b: Any, c: Any, runs: list[dict[str, Any]]) -> None:
    db = database(runs)
    flat = found(db, f"{a[0]} or {b[0]} {c[0]}")
    assert flat == [run["id"] for run in runs if a[1](run) or (b[1](run) and c[1](run))]
    assert found(db, f"not ({a[0]} and {b[0]})") == found(db, f"-({a[0]}) | !({b[0]})")
    assert found(db, f"not ({a[0]} or {b[0]})") == found(db, f"not {a[0]} and not {b[0]}")
