import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_problem import SPLIT, flights, make_engine

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.data.versions import record_version
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "w")
    yield opened
    opened.jobs.stop_supervisor()


def lemnis(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(hoisted(["-w", str(engine.workspace.root), *arguments, "--json"]))
    out, err = capsys.readouterr()
    return code, json.loads(out or err)


def old(engine: Engine, rows: int) -> Version:
    roles = {"id": "key", "at": "time", "late": "label"}
    made = record_version(engine.store, flights(rows), name="small", roles=roles, split=SPLIT, now=rows)
    os.utime(made.path, (1, 1))
    return made


def test_verify_ends_with_1_and_names_the_damaged_file(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = lemnis(engine, capsys, "data", "verify", "--all")
    assert (code, found["files"], found["hashed"], found["faults"]) == (0, 1, 1, [])
    path = engine.data.version().path
    path.chmod(0o644)
    path.write_bytes(b"spoilt")
    code, found = lemnis(engine, capsys, "data", "verify")
    assert (code, found["hashed"]) == (1, 1)
    assert [(fault["title"], fault["condition"]) for fault in found["faults"]] == [("small v1", "damaged")]
    assert run(hoisted(["-w", str(engine.workspace.root), "data", "verify"])) == 1
    assert "▲ small v1 is damaged: data/" in capsys.readouterr().out
    kept = engine.data.verification()
    assert kept is not None
    assert kept[1].faults[0].title == "small v1"


def test_gc_says_what_would_go_asks_and_removes(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    made = [old(engine, rows) for rows in (20, 21, 22)]
    code, found = lemnis(engine, capsys, "data", "gc", "--dry-run", "--keep", "2")
    assert (code, found["files"], found["removed"], found["kept"]) == (0, 2, ["small v3", "small v2"], 2)
    assert all(version.path.exists() for version in made)
    code, refused = lemnis(engine, capsys, "data", "gc", "--keep", "2")
    assert (code, refused["error"]["code"]) == (2, "bad_input")
    assert all(version.path.exists() for version in made), "nobody said yes"
    code, done = lemnis(engine, capsys, "data", "gc", "--keep", "2", "--yes")
    assert (code, done["files"], done["kept"]) == (0, 2, 2)
    assert [version.path.exists() for version in made] == [False, False, True]
    assert lemnis(engine, capsys, "data", "gc", "--yes")[1]["files"] == 0
