"""Every way in which runs are looked up gives the same runs in the same order as the plainest SQL."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.experiments import search
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.query import compile_order, compile_query

RUNS = 240


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Runs with values that are often equal, missing or NaN; some archived, some deleted."""
    engine = engine_at(tmp_path_factory.mktemp("many"))
    rng = random.Random(3)
    with engine.store.write() as db:
        for number in range(1, RUNS + 1):
            db.table("runs").insert(
                {
                    "id": number,
                    "name": f"run {number % 7}",
                    "state": rng.choice(["finished", "failed"]),
                    "created_at": number // 3,
                    "archived_at": 1 if number % 11 == 0 else None,
                    "deleted_at": 1 if number % 13 == 0 else None,
                }
            )
            for key in "ab":
                if rng.random() < 0.8:
                    value = rng.choice([None, *(step / 4 for step in range(-4, 5))])
                    db.execute(
                        "insert into run_metrics (run_id, key, value, step) values (?, ?, ?, 0)", [number, key, value]
                    )
            if rng.random() < 0.8:
                text, value = rng.choice([("red", None), ("blue", None), ("1", 1.0), ("1.0", 1.0), ("0.5", 0.5)])
                db.execute("insert into run_params values (?, 'p', ?, ?)", [number, text, value])
            for key in ("x", "y"):
                if rng.random() < 0.1:
                    db.execute("insert into run_tags values (?, ?, 'x', null)", [number, key])
    yield engine
    engine.store.close()


terms = st.sampled_from(
    [
        *("metrics.a > 0", "metrics.a <= -0.5", "metrics.a = 1", "metrics.b between -0.5..0.5", "has:metrics.b"),
        *(
            "params.p = 1",
            "params.p = red",
            "params.p != 0.5",
            "params.p in (blue, 1)",
            "params.p like 'b%'",
            "tag:x",
            "tag:y",
            "tags.x = x",
        ),
        *("state = failed", "name = 'run 3'", "id > 100", "run", "id < 40", "metrics.absent > 1", "name ~ 3$"),
    ]
)
queries = st.recursive(
    terms,
    lambda parts: st.one_of(
        parts.map(lambda part: f"not ({part})"),
        st.lists(parts, min_size=2, max_size=3).map(lambda each: "(" + " and ".join(each) + ")"),
        st.lists(parts, min_size=2, max_size=3).map(lambda each: "(" + " or ".join(each) + ")"),
    ),
    max_leaves=6,
)
sorts = st.sampled_from(["", "metrics.a", "metrics.absent", "params.p", "tags.x", "name", "age", "duration", "id"])


def plainly(engine: Engine, query: str, sort: str, descending: bool, shelf: search.Shelf) -> list[int]:
    """Return what one statement over all runs finds."""
    where = compile_query(query, FIELDS, now_ms=0)
    order = compile_order(sort, FIELDS, descending=descending) if sort else None
    sql = f"select id from runs where {search.ON_SHELF[shelf]} and {where.sql} order by "
    sql += f"{order.sql}, id desc" if order else "id desc"
    values = (*where.values, *(order.values if order else ()))
    return [row[0] for row in engine.store.rows(sql, values)]


@given(
    query=st.just("") | queries,
    sort=sorts,
    descending=st.booleans(),
    shelf=st.sampled_from(["active", "active", "archived", "deleted"]),
    few=st.sampled_from([0, 20, 2000]),
    steps=st.sampled_from([100, 500_000]),
    start=st.integers(0, RUNS),
)
def test_every_way_finds_the_same_runs(
    many: Engine, query: str, sort: str, descending: bool, shelf: search.Shelf, few: int, steps: int, start: int
) -> None:
    expected = plainly(many, query, sort, descending, shelf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)
        patch.setattr(search, "STEPS", steps)
        asked = search.read_search(query, sort, descending=descending, shelf=shelf)
        assert list(search.all_of(many.store, asked)) == expected
        assert search.count_of(many.store, asked) == len(expected)
        assert search.page_of(many.store, asked, 7, start) == expected[start : start + 7]
        assert search.page_of(many.store, asked, 500) == expected


def test_a_rare_condition_is_started_from_and_an_order_is_walked_along(many: Engine) -> None:
    rare = search.read_search("tag:x and metrics.a > 0", "metrics.a")
    base, few = search.base_of(many.store, rare)
    assert few
    assert base is not None
    assert "run_tags" in search.listed(rare, base, each_row=True).sql
    by_metric = search.read_search("", "metrics.a")
    sql, values = search.with_value(by_metric, each_row=True).numbers(10, 0)
    plan = " ".join(row["detail"] for row in many.store.rows(f"explain query plan {sql}", values))
    assert "COVERING INDEX run_metrics_order" in plan
    assert "TEMP B-TREE" not in plan


def test_a_text_is_found_in_the_index_that_orders_the_values(many: Engine) -> None:
    for query in ("params.p = red", "params.p in (blue, red)"):
        sql, values = search.listed(search.read_search(query), None, each_row=False).counting()
        plan = " ".join(row["detail"] for row in many.store.rows(f"explain query plan {sql}", values))
        assert "run_params_order (key=? AND number=? AND value=?)" in plan


def test_lists_read_a_run_from_its_small_index_alone(many: Engine) -> None:
    for query in ("", "state = failed and name ~ 3 and note:late", "seed = 3 or preset = wide or age < 3d"):
        sql, values = search.listed(search.read_search(query), None, each_row=True).numbers(10, 0)
        plan = [row["detail"] for row in many.store.rows(f"explain query plan {sql}", values)]
        assert plan == ["SEARCH runs USING COVERING INDEX runs_listed (deleted_at=? AND archived_at=?)"]


@given(st.lists(st.integers(1, 2**40), max_size=40), st.integers(1, 60))
def test_numbers_are_the_same_however_they_are_cut(numbers: list[int], piece: int) -> None:
    text = "[" + ",".join(map(str, numbers)) + "]"
    assert list(search.numbers_in(text, piece)) == numbers
