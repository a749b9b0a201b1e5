"""A real PostgreSQL server of the test's own, on a socket in its folder."""

import glob
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.errors import BadInput

FOUND = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
BIN = Path(FOUND[-1]) if FOUND else Path("/nowhere")
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
pytestmark = pytest.mark.skipif(
    not FOUND or bool(AS_NOBODY and not shutil.which("setpriv")), reason="not installed: a PostgreSQL server"
)
PASSWORD = "s3cret-of-the-test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A function that runs SQL on the server as its owner; the server ends with the module."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as name:  # a socket's path must be short
        folder = Path(name)
        if AS_NOBODY:
            os.chown(folder, 65534, 65534)
        data = folder / "data"
        make = [BIN / "initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*AS_NOBODY, *make], check=True, capture_output=True, cwd=folder, env={"LANG": "C.UTF-8"})
        (data / "pg_hba.conf").write_text("local all owner trust\nlocal all all scram-sha-256\n")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        start = [BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
        subprocess.run([*AS_NOBODY, *start], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        try:

            def sql(text: str) -> str:
                done = subprocess.run(
                    [BIN / "psql", "-h", folder, "-U", "owner", "-d", "postgres", "-qtAc", text],
                    check=True, capture_output=True, text=True,
                )  # fmt: skip
                return done.stdout.strip()

            sql(f"create role reader login password '{PASSWORD}'")
            sql(
                """create table "주문" (id int primary key, "이름" text, price numeric(10,2), at timestamptz, ok bool,
                x float8, tags text[], doc jsonb);
                insert into "주문" values (1, '김', 10.50, '2026-01-02 03:04:05+09', true, 1.5, '{a,b}', '{"k": 1}'),
                (2, null, null, null, null, null, null, null);
                grant select on "주문" to reader"""
            )
            sql.host = str(folder)  # type: ignore[attr-defined]
            yield sql
        finally:
            subprocess.run([*AS_NOBODY, BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, cwd=folder,
                           stdout=subprocess.DEVNULL)  # fmt: skip


@pytest.fixture
def declared(desk: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that declares a source of the server, with the password from the environment."""
    monkeypatch.setenv("TEST_PG", PASSWORD)

    def declare(**facts: Any) -> None:
        address = f"postgresql://reader:${{TEST_PG}}@/postgres?host={server.host}"
        desk.declare(sources={"table": {"path": address, "format": "postgresql", **facts}})

    return declare


def test_a_table_is_read_with_its_types(desk: Any, declared: Any) -> None:
    declared(table="주문")
    assert desk.sync()["sources"][0]["new"] is True
    first, second = desk.rows()
    assert (first["id"], first["이름"], first["price"], first["ok"], first["x"]) == (1, "김", "10.50", True, 1.5)
    assert first["at"].isoformat() == "2026-01-01T18:04:05+00:00"
    assert first["tags"] == '["a","b"]'
    assert set(second.values()) == {2, None}
    assert desk.sync()["sources"][0]["new"] is False


def test_a_query_is_read_and_may_not_write(desk: Any, server: Any, declared: Any) -> None:
    declared(query='select id * 2 as twice from "주문" order by id')
    desk.sync()
    assert desk.rows() == [{"twice": 2}, {"twice": 4}]
    server('grant all on "주문" to reader')
    for query in (
        'with x as (delete from "주문" returning id) select * from x',
        'delete from "주문"',
        "select 1; select 2",
    ):
        declared(query=query)
        with pytest.raises(BadInput):
            desk.sync()
    assert server('select count(*) from "주문"') == "2"


def test_what_changed_on_the_server_is_a_new_snapshot(desk: Any, server: Any, declared: Any) -> None:
    server("create table growing (a int); grant select on growing to reader; insert into growing values (1)")
    declared(table="public.growing")
    desk.sync()
    server("insert into growing values (2)")
    assert desk.sync()["sources"][0]["new"] is True
    assert desk.rows() == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"table": "none"}, "does not exist"),
        ({"query": "select nothing from nowhere"}, "does not exist"),
        ({}, "nothing is asked"),
        ({"table": 'x"; drop table "주문'}, "does not exist"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(
    desk: Any, declared: Any, facts: dict[str, str], words: str
) -> None:
    declared(**facts)
    with pytest.raises(BadInput, match=words):
        desk.sync()


def test_the_password_is_nowhere_and_must_not_stand_in_the_address(
    desk: Any, server: Any, declared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared(table="주문")
    desk.sync()
    monkeypatch.setenv("TEST_PG", "wrong-" + PASSWORD)
    with pytest.raises(BadInput) as refused:
        desk.sync()
    assert PASSWORD not in f"{refused.value.problem} {refused.value.place} {refused.value.remedy}"
    kept = b"".join(path.read_bytes() for path in desk.root.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
    desk.declare(
        sources={"table": {"path": f"postgresql://reader:{PASSWORD}@/postgres", "format": "postgresql", "table": "t"}}
    )
    with pytest.raises(BadInput, match="a password stands in the address") as refused:
        desk.sync()
    assert PASSWORD not in refused.value.problem


def test_a_server_that_is_not_there_is_said(desk: Any, tmp_path: Path) -> None:
    desk.declare(sources={"table": {"path": f"postgresql:///x?host={tmp_path}", "format": "postgresql", "table": "t"}})
    with pytest.raises(BadInput, match="connection"):
        desk.sync()
