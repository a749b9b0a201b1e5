"""`lemnis resources`: one JSON document, the described fields, and words where something is missing."""

import json
from pathlib import Path

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.resources.sampler import Sampler
from lemnis.engine.workspace import create_workspace
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted


@pytest.fixture
def box(tmp_path: Path) -> str:
    engine = Engine(create_workspace(tmp_path / "box", "[pool]\ncores = 1\n"))
    sampler = Sampler(engine.store)

    def kept() -> bool:
        sampler.sample()  # the first reading has no rates, and two within one clock tick have none either
        return bool(engine.resources.sources())

    until(kept)
    engine.store.close()
    return str(tmp_path / "box")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run(hoisted([*arguments, "--json"])) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_top_needs_no_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = document(capsys, "resources", "top", "-n", "3")
    assert found["host"]["cpu_percent"] is not None  # type: ignore[index]
    assert len(found["processes"]["rows"]) == 3  # type: ignore[index]
    assert found["gpus"]["devices"] or found["gpus"]["reason"]  # type: ignore[index]
    assert run(["resources", "top", "--once"]) == 0
    assert "memory" in capsys.readouterr().out


def test_pools_usage_and_history_are_documents(box: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "-w", box, "resources", "pools")["cores"] == 1
    assert {"since", "jobs", "disk"} <= document(capsys, "-w", box, "resources", "usage").keys()
    found = document(capsys, "-w", box, "resources", "history", "memory_percent", "--minutes", "1", "--points", "30")
    assert found["step_s"] == 2
    assert any(value is not None for value in found["values"]["memory_percent"])  # type: ignore[index]


def test_people_get_tables(box: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["pools"], ["usage"], ["history", "memory_percent"]):
        assert run(hoisted(["-w", box, "resources", *command])) == 0
        assert capsys.readouterr().out.strip()


def test_an_unknown_figure_is_bad_input_with_those_there_are(box: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(hoisted(["-w", box, "resources", "history", "humidity"])) == 2
    assert "cpu_percent" in capsys.readouterr().err


def test_help_describes_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("top", "pools", "usage", "history"):
        assert run(["resources", command, "--help"]) == 0
        words = " ".join(capsys.readouterr().out.split())
        assert "With --json: {" in words or "one reading: {" in words


SHARED = "[pool]\ncores = 1\n[pool.quotas.ann]\nguaranteed = { cores = 1 }\n"


def test_a_dry_run_and_a_priority_are_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(create_workspace(tmp_path / "shared", SHARED))
    with engine.store.write() as db:
        for number, user, state in ((1, "bob", "running"), (3, "bob", "queued")):
            db.table("jobs").insert(
                {"id": number, "kind": "x", "title": f"work {number}", "arguments": "{}", "state": state,
                 "created_at": 1000 + number, "started_at": 1000, "submitted_by": user, "preemptible": 1}
            )  # fmt: skip
    engine.store.close()
    box = str(tmp_path / "shared")
    pool = document(capsys, "-w", box, "resources", "pools")
    assert [(one["name"], one["guaranteed"][0], one["borrowed"][0]) for one in pool["accounts"]] == [  # type: ignore[index, union-attr]
        ("ann", 1, 0), ("bob", 0, 1),
    ]  # fmt: skip
    found = document(capsys, "-w", box, "resources", "pools", "--what-if", "3", "--priority", "120")
    assert found["after"]["preempts"] == [1]  # type: ignore[index]
    assert run(hoisted(["-w", box, "resources", "pools", "--what-if", "3", "--priority", "120"])) == 0
    assert "preempts  job 1 of bob" in capsys.readouterr().out
    assert run(hoisted(["-w", box, "jobs", "priority", "3", "70"])) == 0
    capsys.readouterr()
    job = document(capsys, "-w", box, "jobs", "show", "3")
    assert job["priority"] == 70
    assert job["events"][0]["what"] == "priority 50 → 70"  # type: ignore[index]
    assert run(hoisted(["-w", box, "resources", "pools", "--priority", "3"])) == 2
    assert "--what-if" in capsys.readouterr().err
