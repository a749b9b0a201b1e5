"""What a person types can read the tables it is given, within bounds, and nothing else."""

import ctypes
import json
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.explore.sandbox import Answer, Limits, ask, short_message, streams
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.explore.screening import LIMIT_BYTES, Refused, screen

SMALL = Limits(wall_seconds=10, cpu_seconds=1, memory_bytes=128 << 20)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    path = tmp_path_factory.mktemp("tables") / "it's.parquet"
    pq.write_table(pa.table({"x": list(range(1000)), "word": ["a", "b"] * 500}), path)
    return {"data": path}


def typed(sql: str, views: dict[str, Path], limits: Limits = SMALL) -> Answer:
    return ask([Statement(sql=sql, typed=sql, keep=3)], views, limits)[0]


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def allowed(sql: str) -> bool:
    try:
        screen(connection(), sql, {"data", "planes"})
    except (Refused, duckdb.Error):
        return False
    return True


def test_rows_are_kept_up_to_a_bound_and_counted_beyond_it(views: dict[str, Path]) -> None:
    answer = typed("select x from data where x % 2 = 0 order by x desc", views)
    assert answer.total == 500
    assert answer.table.column("x").to_pylist() == [998, 996, 994]


def test_all_rows_can_be_read_as_they_come(views: dict[str, Path]) -> None:
    with streams([Statement(sql="select x from data")], views) as each:
        assert sum(batch.num_rows for stream in each for batch in stream) == 1000


@pytest.mark.parametrize(
    "sql",
    [
        "from data",
        "with big as (select * from data where x > 5) select word, count(*) from big group by all having count(*) > 1",
        "select * from data a join planes p on a.x = p.y where a.word in (select word from data)",
        "select *, row_number() over (partition by word order by x) from data union all select 1, 'a', 2",
        "select upper(word), coalesce(x, 0), case when x > 1 then 1 end, cast(x as varchar) || '!' from data",
        "select * from range(3)",
        "values (1)",
    ],
)
def test_a_select_over_the_tables_is_allowed(sql: str) -> None:
    assert allowed(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into data values (1, 'a')",
        "with x as (insert into data values (1, 'a')) select 1",
        "select 1; drop table data",
        "attach ':memory:' as other",
        "copy data to '/tmp/x.csv'",
        "set threads = 9",
        "pragma database_list",
        "call enable_logging()",
        "install httpfs",
        "export database '/tmp/x'",
        "explain analyze select 1",
        "describe data",
        "show tables",
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
        "select * from glob('/*')",
        "select * from parquet_metadata('x')",
        "select * from query('select 1')",
        "select * from duckdb_settings()",
        "select * from information_schema.tables",
        "select * from main.data",
        "select * from unknown",
        "select current_setting('threads')",
        "select getenv('HOME')",
        "select random() from data",
        "select now(), x from data",
        "select x from data using sample 10",
        "select nextval('s')",
        "select (select * from read_text('/etc/passwd'))",
        "select list_transform([1], lambda y: random()) from data",
        "select x from data order by random()",
        "select x from data limit (select count(*) from read_text('/etc/passwd'))",
        "",
        "select",
        "select 1 --" + "x" * LIMIT_BYTES,
    ],
)
def test_anything_else_is_refused_before_it_runs(sql: str) -> None:
    assert not allowed(sql)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_the_screening(text: str) -> None:
    assert allowed(text) in (True, False)
    assert allowed(f"select '{text.replace(chr(39), chr(39) * 2)}'") or "\0" in text or not text.isprintable()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select sum(a.x * b.x * c.x) from data a, data b, data c", "more than 1 s of CPU"),
        ("select repeat('x', 4000000000)", "more than 128 MiB"),
        ("select list(range) from range(100000000)", "more than 128 MiB"),
    ],
)
def test_a_query_that_wants_too_much_is_stopped_with_the_reason(views: dict[str, Path], sql: str, said: str) -> None:
    with pytest.raises(Unavailable) as stopped:
        typed(sql, views)
    assert said in stopped.value.problem


def test_a_query_that_takes_too_long_is_stopped(views: dict[str, Path]) -> None:
    with pytest.raises(Unavailable, match=r"longer than 0\.1 s"):
        typed("select 1", views, Limits(wall_seconds=0.1))


def test_a_mistake_is_told_in_one_sentence(views: dict[str, Path]) -> None:
    with pytest.raises(BadInput) as refused:
        typed("select wrd from data", views)
    assert "wrd" in refused.value.problem
    assert "\n" not in refused.value.problem
    assert short_message("\n\n") == "DuckDB gave no reason."


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has Landlock")
def test_the_child_can_neither_write_a_file_nor_connect(tmp_path: Path) -> None:
    attempt = """
import json, socket, sys
from lemnis.engine.explore.sandboxed import limit_process
limit_process(1 << 30, 5)
found = {}
for name, act in {
    "write": lambda: open(sys.argv[1], "w").write("x"),
    "make": lambda: __import__("os").mkdir(sys.argv[1] + ".d"),
    "connect": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2),
    "read": lambda: open("/etc/hostname").read(),
}.items():
    try:
        act()
        found[name] = True
    except OSError:
        found[name] = False
print(json.dumps(found))
"""
    target = tmp_path / "victim"
    target.write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", attempt, str(target), port], capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    assert found["read"]
    assert not found["write"]
    if landlock_version() >= 4:
        assert found == {"write": False, "make": False, "connect": False, "read": True}
        assert target.read_text() == "kept"


def landlock_version() -> int:
    """Return what the kernel's Landlock can do; 0 without it."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))
