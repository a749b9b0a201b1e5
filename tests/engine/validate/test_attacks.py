"""SQL that people type into checks, as an attacker would: nothing is written or read, and every check says why.

The names S01 … S19 are those of the list of hostile inputs for validation rules.
"""

# pyright: basic

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import LemnisError
from lemnis.engine.explore.sandbox import Limits, ask
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.files import sha256_of
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs
from lemnis.engine.workspace import create_workspace

Attack = Callable[[str], CheckResult]
FAST = Limits(wall_seconds=8, cpu_seconds=2, memory_bytes=192 << 20)

QUERIES = {
    "S01 drop": "drop view data",
    "S01 create": "create table t as select 1",
    "S01 insert": "insert into data values (1)",
    "S01 merge": "merge into data using data as d on data.x = d.x when matched then delete",
    "S01 attach": "attach ':memory:' as m",
    "S01 use": "use memory",
    "S01 two": "select 1; select 2",
    "S03 insert in with": "with x as (insert into data values (1) returning *) select * from x",
    "S04 copy": "copy data to '{new}'",
    "S04 copy over the data": "copy (select 1) to '{data}' (format parquet)",
    "S04 export": "export database '{new}'",
    "S04 attach file": "attach '{new}' as f",
    "S04 install": "install httpfs",
    "S04 load": "load httpfs",
    "S06 csv": "select * from read_csv('/etc/passwd')",
    "S06 text": "select * from read_text('/etc/passwd')",
    "S06 glob": "select * from glob('/*')",
    "S06 path": "select * from '/etc/passwd'",
    "S06 metadata": "select * from parquet_metadata('{data}')",
    "S06 sniff": "select * from sniff_csv('/etc/passwd')",
    "S06 http": "select * from read_csv('http://127.0.0.1:1/x.csv')",
    "S07 set": "set memory_limit = '100GB'",
    "S07 reset": "reset memory_limit",
    "S07 pragma": "pragma profiling_output = '{new}'",
    "S07 call": "call enable_logging()",
    "S09 setting": "select current_setting('allowed_paths')",
    "S09 settings": "select * from duckdb_settings()",
    "S09 functions": "select * from duckdb_functions()",
    "S09 databases": "select * from pragma_database_list",
    "S09 query": "select * from query('select 1')",
    "S09 environment": "select getenv('HOME')",
    "S10 python": "select * from pa",
    "S12 fan-out": "select count(*) from data a, data b, data c, data d where (a.x * b.x + c.x * d.x) % 7 = 1",
    "S12 group": "select range, count(*) from range(500000000) group by 1",
    "S12 sort": "select * from range(500000000) order by hash(range)",
    "S12 window": "select sum(range) over (order by range) from range(100000000)",
    "S13 list": "select range(1000000000)",
    "S13 repeat": "select repeat('x', 4000000000)",
    "S13 pad": "select lpad('x', 2000000000, 'y')",
    "S13 recursion": "with recursive r as (select 1 n union all select n + 1 from r) select count(*) from r",
    "S15 brackets": "select " + "(" * 7000 + "1" + ")" * 7000,
    "S15 sum": "select " + "+".join(["1"] * 8000),
    "S16 and": "select * from data where " + " and ".join(["x = 1"] * 50_000),
    "S18 random": "select x from data where random() < 0.5",
    "S18 now": "select x from data where now() > timestamp '2000-01-01'",
    "S18 uuid": "select uuid()",
    "S18 sample": "select x from data using sample 3 rows",
    "S19 open comment": "select 1 /*",
    "S19 open quote": "select '",
    "S19 dollar": "select $$",
    "S19 text": "select '" + "x" * 900_000 + "'",
}
CONDITIONS = {
    "S01 two": "true; drop view data",
    "S03 bracket": "true) or (select count(*) from read_text('/etc/passwd')) > (0",
    "S03 union": "x = 1) union all select * from read_text('/etc/passwd') where (true",
    "S06 subquery": "x in (select length(content) from read_text('/etc/passwd'))",
    "S07 set": "set threads = 9",
    "S09 setting": "current_setting('threads') = '1'",
    "S13 repeat": "length(repeat('x', 4000000000)) > x",
    "S13 list": "len(range(1000000000)) > x",
    "S16 and": " and ".join(["x = 1"] * 5_000),
    "S18 random": "random() < 0.5",
    "S19 comment": "x = 1 --",
    "S19 open comment": "x = 1 /*",
    "aggregate": "sum(x) > 3",
    "window": "row_number() over () > 3",
    "nothing": "   ",
}
# Each runs in a child of its own, and some into its limits: one of each kind is enough for every day.
DAILY = {"S12 fan-out", "S13 pad", "S19 comment"} | {
    next(name for name in names if name[:3] == kind)
    for names in (QUERIES, CONDITIONS)
    for kind in sorted({name[:3] for name in names} - {"S12", "S13"})
}
FINE = {"S19 comment"}  # a comment that ends with its line hides nothing


@pytest.fixture
def attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attack:
    """Declare a check with a hostile text beside a good one, run both, and see that nothing but verdicts came of it."""
    monkeypatch.setattr("lemnis.engine.validate.runner.Bounds", lambda threads: FAST)

    def run(declaration: str) -> CheckResult:
        good = '[[checks]]\nname = "good"\nkind = "not_null"\ncolumn = "x"\n'
        store = Store(create_workspace(tmp_path / "it", f'[[checks]]\nname = "it"\n{declaration}\n{good}'))
        version = record_version(store, pa.table({"x": list(range(1000))}), name="it", roles={}, split={})
        before = {path: sha256_of(path) for path in [version.path, store.workspace.config]}
        text = store.workspace.config.read_text()
        filled = text.replace("{data}", str(version.path)).replace("{new}", str(tmp_path / "new"))
        store.workspace.config.write_text(filled)
        run_id = jobs.run(JobContext.for_test(store), {})["check_run"]
        results = {result.name: result for result in ValidateRoom(store).results(run_id)}
        assert results["good"].verdict == "pass"
        assert sha256_of(version.path) == before[version.path]
        assert not (tmp_path / "new").exists()
        assert len(results["it"].message) < 1000
        return results["it"]

    return run


def cases(texts: dict[str, str]) -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name not in DAILY else []) for name in texts]


@pytest.mark.parametrize("name", cases(QUERIES))
def test_a_hostile_query_is_not_evaluated_and_does_nothing(attack: Attack, name: str) -> None:
    found = attack(f'kind = "sql"\nquery = {json.dumps(QUERIES[name])}')
    assert (found.verdict, found.failing) == ("not evaluated", None), found.message
    assert found.message


@pytest.mark.parametrize("name", cases(CONDITIONS))
def test_a_hostile_condition_is_not_evaluated_and_does_nothing(attack: Attack, name: str) -> None:
    found = attack(f'kind = "condition"\ncondition = {json.dumps(CONDITIONS[name])}')
    assert (found.failing is not None) == (name in FINE), found.message


@pytest.mark.slow
def test_one_bomb_takes_no_other_condition_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.engine.validate.runner.Bounds", lambda threads: FAST)
    conditions = ["x >= 0", CONDITIONS["S13 repeat"], "x < 5"]
    declared = "".join(
        f'[[checks]]\nname = "c{place}"\nkind = "condition"\ncondition = "{text}"\n'
        for place, text in enumerate(conditions)
    )
    store = Store(create_workspace(tmp_path / "it", declared))
    record_version(store, pa.table({"x": list(range(10))}), name="it", roles={}, split={})
    run_id = jobs.run(JobContext.for_test(store), {})["check_run"]
    found = {result.name: result.failing for result in ValidateRoom(store).results(run_id)}
    assert found == {"c0": 0, "c1": None, "c2": 5}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has Landlock")
@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1 as x) to '{data}' (format parquet)",
        "copy (select 1 as x) to '{data}.new' (format parquet)",
        "copy (select 1 as x) to '{folder}/new.csv'",
        "export database '{folder}/new'",
        "attach '{folder}/new.db' as other",
    ],
)
def test_the_child_writes_nothing_even_where_the_screening_is_left_out(tmp_path: Path, sql: str) -> None:
    """DuckDB's own list of allowed paths lets a query overwrite what it may read: the kernel must not."""
    import pyarrow.parquet as pq

    data = tmp_path / "data.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3]}), data)
    before = sha256_of(data)
    with pytest.raises(LemnisError):
        ask([Statement(sql=sql.format(data=data, folder=tmp_path))], {"data": data}, FAST)
    assert sha256_of(data) == before
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]
