"""The store: one SQLite, durable writes, refusals in sentences."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database
from sqlite_utils.utils import sqlite3 as sqlite_of_sqlite_utils  # pyright: ignore[reportPrivateImportUsage]
from support import until

from lemnis.engine import Engine
from lemnis.engine.errors import ReadOnly, StoreError
from lemnis.engine.store import Store, connection, journal_notice, wal_is_safe
from lemnis.engine.store.connection import FEWER_STATEMENTS, IDLE, Connections
from lemnis.engine.store.schema import migrations
from lemnis.engine.store.store import SCHEMA_VERSION
from lemnis.engine.workspace import Workspace


def test_there_is_one_sqlite_library_in_the_process() -> None:
    assert connection.sqlite3 is sqlite_of_sqlite_utils


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 51, 3), True),
        ((3, 51, 2), False),
        ((3, 50, 7), True),
        ((3, 50, 6), False),
        ((3, 44, 6), True),
        ((3, 40, 1), False),
        ((4, 0, 0), True),
    ],
)
def test_the_wal_is_used_only_where_its_bug_is_fixed(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_an_old_sqlite_falls_back_to_the_rollback_journal_and_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "wal_is_safe", lambda: False)
    assert "rollback journal" in journal_notice()
    opened = connection.connect(engine.workspace.hidden / "old.db", durable=True)
    assert opened.execute("pragma journal_mode").fetchone()[0] == "delete"
    opened.close()


def test_every_table_is_strict_and_every_rule_of_the_state_holds(engine: Engine) -> None:
    for name in connection.NAMES:
        tables = engine.store.rows("select name, sql from sqlite_master where type = 'table'", name=name)
        ours = [row for row in tables if not row["name"].startswith(("sqlite_", "_sqlite"))]
        assert ours
        assert [row["name"] for row in ours if "strict" not in row["sql"].lower()] == []
    pragmas = {p: engine.store.value(f"pragma {p}") for p in ("foreign_keys", "synchronous", "journal_mode")}
    assert pragmas == {"foreign_keys": 1, "synchronous": 2, "journal_mode": "wal"}
    assert engine.store.value("pragma synchronous", name="metrics") == 1


def test_a_failed_block_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), engine.store.write() as db:
        db.table("models").insert({"name": "a", "created_at": 1})
        raise RuntimeError
    assert engine.store.value("select count(*) from models") == 0


def test_a_statement_is_compiled_once_even_where_the_workspace_was_made(engine: Engine) -> None:
    store, compiled = engine.store, list[object]()

    def asked(*what: object) -> int:  # while a statement is compiled
        compiled.append(what)
        return 0

    def written() -> None:
        with store.write() as db:
            db.execute("insert into models (name, created_at) values ('a', 1) on conflict do nothing")
        store.row("select name from models where name = ?", ["a"])

    written()
    store.connection().set_authorizer(asked)
    written()  # a new authorizer has everything compiled anew
    compiled.clear()
    written()
    assert compiled == []


def test_a_block_inside_a_block_is_one_transaction(engine: Engine) -> None:
    with pytest.raises(RuntimeError), engine.store.write() as db:
        with engine.store.write() as inner:
            inner.table("models").insert({"name": "a", "created_at": 1})
        db.table("models").insert({"name": "b", "created_at": 1})
        raise RuntimeError
    assert engine.store.value("select count(*) from models") == 0


def test_a_read_only_store_refuses_to_write_and_reads(engine: Engine) -> None:
    store = Store(engine.workspace, read_only=True)
    assert store.value("select count(*) from models") == 0
    with pytest.raises(ReadOnly), store.write():
        pass
    store.close()


def test_a_sparing_process_keeps_fewer_pages_in_every_thread(engine: Engine) -> None:
    store, usual, kept = engine.store, engine.store.value("pragma cache_size"), list[int]()
    store.spare_memory()
    kept.append(store.value("pragma cache_size"))
    thread = threading.Thread(target=lambda: kept.append(store.value("pragma cache_size", name="metrics")))
    thread.start()
    thread.join()
    assert kept == [-128, -128]
    assert usual != -128


def opened_by(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what a store opens from now on."""
    opened, connect = list[Any](), connection.sqlite3.connect

    def counted(*place: Any, **rules: Any) -> Any:
        opened.append(connect(*place, **rules))
        return opened[-1]

    monkeypatch.setattr(connection.sqlite3, "connect", counted)
    store.close()
    return opened


def still_open(opened: list[Any]) -> int:
    def works(each: Any) -> bool:
        try:
            each.execute("select 1")
        except connection.sqlite3.ProgrammingError:
            return False
        return True

    return sum(map(works, opened))


def test_threads_that_read_one_after_another_share_a_connection(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine.store
    opened = opened_by(store, monkeypatch)
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(store.value, "select count(*) from models").result() == 0
            assert pool.submit(store.rows_within, 10_000, "select count(*) from models").result()
    assert len(opened) == 1
    store.close()
    assert still_open(opened) == 0


def test_connections_that_many_read_with_at_once_are_closed_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, together = engine.store, threading.Barrier(6)
    opened = opened_by(store, monkeypatch)
    connections = Connections("state", store.path("state"), read_only=True)

    def read(_: int) -> int:
        borrowed = connections.borrow()
        together.wait(10)  # nobody has given one back
        found = borrowed.execute("select count(*) from models").fetchone()[0]
        connections.give_back(borrowed)
        return int(found)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, range(6))) == [0] * 6
    assert (len(opened), still_open(opened)) == (6, IDLE)
    connections.close()
    assert still_open(opened) == 0


def test_a_store_that_nobody_has_any_more_is_gone_at_once_with_what_it_opened(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_by(engine.store, monkeypatch)
    store = Store(engine.workspace, read_only=True)
    assert store.value("select count(*) from models") == 0
    gone = weakref.ref(store)
    gc.disable()  # a console has what it keeps out of the collector's sight
    try:
        del store
        assert gone() is None
    finally:
        gc.enable()
    assert len(opened) == 1


def test_a_thread_that_writes_reads_what_it_has_not_committed_and_others_do_not(engine: Engine) -> None:
    store, count = engine.store, "select count(*) from models"
    store.close()
    with ThreadPoolExecutor(1) as other:
        assert store.value(count) == other.submit(store.value, count).result() == 0
        with store.write() as db:
            db.execute("insert into models (name, created_at) values ('a', 1)")
            assert (store.value(count), other.submit(store.value, count).result()) == (1, 0)
        assert (store.value(count), other.submit(store.value, count).result()) == (1, 1)


def test_a_sparing_process_keeps_fewer_statements(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, opened = list[int](), connection.sqlite3.connect

    def counted(*place: Any, cached_statements: int, **rules: Any) -> Any:
        kept.append(cached_statements)
        return opened(*place, cached_statements=cached_statements, **rules)

    monkeypatch.setattr(connection.sqlite3, "connect", counted)
    store = Store(engine.workspace, read_only=True)
    store.value("select 1")
    store.spare_memory()
    store.value("select 1", name="metrics")
    assert kept == [connection.STATEMENTS, FEWER_STATEMENTS]
    store.close()


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.make_dirs()
    workspace.state.write_bytes(b"not a database at all, whatever its name says" * 20)
    with pytest.raises(StoreError, match=r"state\.db can't be opened"):
        Store(workspace)


def test_a_newer_state_is_refused_not_changed(engine: Engine) -> None:
    engine.store.connection().execute("pragma user_version = 999")
    with pytest.raises(StoreError, match="newer Lemnis"):
        Store(engine.workspace)


def test_the_schema_version_is_the_highest_number_of_a_migration() -> None:
    empty = Database(memory=True)
    steps = [step.name for name in connection.NAMES for step in migrations(name).pending(empty)]
    assert max(int(step[1:4]) for step in steps) == SCHEMA_VERSION
    empty.close()


def test_two_processes_that_open_a_new_workspace_together_make_one_schema(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from lemnis.engine.workspace import Workspace; from lemnis.engine.store import \
Store; s = Store(Workspace(Path({str(tmp_path)!r}))); print(s.value('select count(*) from revisions'))"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {process.communicate(timeout=60)[0].strip() for process in started} == {"11"}


def test_a_revision_moves_with_its_topic_alone(engine: Engine) -> None:
    before = engine.revisions()
    with engine.store.write() as db:
        db.table("models").insert({"name": "a", "created_at": 1})
    after = engine.revisions()
    assert {topic for topic in after if after[topic] != before[topic]} == {"deploy"}


def test_the_data_version_moves_when_another_thread_commits(engine: Engine) -> None:
    before = engine.store.data_version()

    def write() -> None:
        with engine.store.write() as db:
            db.table("models").insert({"name": "a", "created_at": 1})
        engine.store.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert engine.store.data_version() != before


@given(st.text(max_size=80))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    opened = connection.sqlite3.connect(":memory:")
    kept = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert opened.execute("select ?", [kept]).fetchone()[0] == kept
    opened.close()


def test_what_a_killed_writer_was_told_is_kept_is_kept(engine: Engine) -> None:
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from lemnis.engine.workspace import Workspace
        from lemnis.engine.store import Store
        store = Store(Workspace(Path({str(engine.workspace.root)!r})))
        number = store.value("select count(*) from models")
        while True:
            with store.write() as db:
                db.table("models").insert({{"name": f"m{{number}}", "created_at": number}})
            print(number, flush=True)
            number += 1
        """
    )
    acknowledged = -1
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        start = acknowledged + 1
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged >= start + 25:
                os.kill(writer.pid, signal.SIGKILL)
                break
        writer.stdout.close()
        writer.wait()
        kept = until(lambda: engine.store.value("select count(*) from models"))
        assert kept >= acknowledged + 1
        acknowledged = kept - 1
    assert engine.store.value("pragma integrity_check") == "ok"
