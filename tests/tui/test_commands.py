import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine.config import Span, load_config
from lemnis.engine.errors import BadInput
from lemnis.tui.commands.group import GROUPS, run
from lemnis.tui.commands.session import Session, hoisted


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    engine = engine_at(tmp_path / "ws")
    engine.jobs.submit("jobs.selftest", "[red]\x1b[2J", {})
    engine.store.close()
    monkeypatch.chdir(tmp_path / "ws")
    return tmp_path / "ws"


def test_global_options_may_stand_anywhere_before_the_dashes() -> None:
    line = ["jobs", "list", "--json", "-w", "x", "--limit", "3"]
    assert hoisted(line) == ["--json", "-w", "x", "jobs", "list", "--limit", "3"]
    assert hoisted(["run", "--", "python", "--json"]) == ["run", "--", "python", "--json"]
    with pytest.raises(BadInput):
        hoisted(["status", "-w"])


@given(st.lists(st.sampled_from(["jobs", "list", "--json", "--debug", "-x", "7"])))
def test_hoisting_loses_nothing_and_repeats_to_itself(line: list[str]) -> None:
    assert sorted(hoisted(line)) == sorted(line)
    assert hoisted(hoisted(line)) == hoisted(line)


def test_nothing_but_global_options_means_the_console() -> None:
    assert Session.only_globals(["-w", "x", "--read-only"])
    assert Session.only_globals([])
    assert not Session.only_globals(["--json"])
    assert not Session.only_globals(["status"])
    assert Session.of(["-w", "x", "--read-only"]) == Session(Path("x"), read_only=True)


def test_a_list_for_people_is_harmless_and_one_for_programs_is_one_document(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["jobs", "list"]) == 0
    shown = capsys.readouterr().out
    assert "[red]␛[2J" in shown
    assert "\x1b" not in shown
    assert run(["--json", "jobs", "list"]) == 0
    job = json.loads(capsys.readouterr().out)["jobs"][0]
    assert job["title"] == "[red]\x1b[2J"
    assert set(job) >= {"id", "kind", "state", "why", "pid", "progress", "allocation", "created_at", "started_at"}


def test_status_names_ten_stages_with_state_why_and_next(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", "status"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["workspace"] == str(workspace)
    assert [stage["key"] for stage in document["stages"]] == list("1234567890")
    assert all(set(stage) == {"key", "name", "state", "why", "next"} for stage in document["stages"])


def test_what_is_wrong_goes_to_stderr_with_a_remedy_and_code_2(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["jobs", "show", "99"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: There is no job 99.\n  try: ")
    assert run(["--json", "jobs", "show", "99"]) == 2
    told = capsys.readouterr()
    assert set(json.loads(told.err)["error"]) == {"code", "message", "hint"}


@pytest.mark.parametrize(
    "line", [["nope"], ["jobs", "nope"], ["jobs", "show"], ["jobs", "show", "x"], ["status", "--x"]]
)
def test_bad_usage_is_code_2_without_a_traceback(
    line: list[str], workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told


def test_without_a_workspace_the_remedy_is_init_or_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["status"]) == 2
    assert "lemnis init" in capsys.readouterr().err


def test_a_bug_is_a_sentence_and_code_3_unless_debugging(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lemnis.engine.lifecycle.Lifecycle.stages", lambda self: 1 // 0)
    assert run(["status"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        run(["--debug", "status"])


def test_read_only_refuses_a_change(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--read-only", "jobs", "cancel", "1"]) == 2
    assert "read-only" in capsys.readouterr().err


def test_a_queued_job_is_cancelled(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "cancel", "1"]) == 0
    assert "cancelled" in capsys.readouterr().out


def test_doctor_finds_something_out_about_everything(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", "doctor"]) in (0, 1)
    names = {finding["name"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert names >= {"terminal", "Python", "SQLite", "owners", "disk", "clock", "ports", "NVML", "LightGBM on OpenCL"}


def test_init_declares_files_and_proposes_what_could_be_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["id;when;amount;fraud"] + [f"{n};2024-01-{n % 28 + 1:02d};{n / 7:.2f};{n % 2}" for n in range(60)]
    (tmp_path / "card [v2].csv").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    assert run(["--json", "init", "--from", "card [v2].csv"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["base"] == "card_v2"
    assert made["rows_seen"] == 60
    assert made["targets"][0] == {"column": "fraud", "task": "binary"}
    assert (made["time"], made["key"]) == ("when", "id")
    assert made["split"] == ["2024-01-01", "2024-01-20", "2024-01-24", "2024-01-29"]
    assert load_config(tmp_path / "lemnis.toml").dataset.split.train == Span(start="2024-01-01", end="2024-01-20")
    assert run(["data", "sources"]) == 0
    assert run(["init"]) == 2, "an existing lemnis.toml is never replaced"


def test_a_pipe_that_closes_early_is_no_error(workspace: Path) -> None:
    command = f"{sys.executable} -m lemnis.tui --help | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage: lemnis")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_what_nobody_listens_to_is_said_to_nobody(workspace: Path, closed: str) -> None:
    command = f"{sys.executable} -m lemnis.tui --help {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not this system")
def test_a_full_disk_is_told_in_a_sentence(workspace: Path) -> None:
    command = f"{sys.executable} -m lemnis.tui --help > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == "error: There is no space left where something was written."


def test_every_listed_group_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in GROUPS:
        assert f"  {name} " in listed
        assert run([name, "--help"]) == 0
        assert "Usage: lemnis" in capsys.readouterr().out
