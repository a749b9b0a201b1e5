"""`lemnis validate`: one JSON document, exit code 1 when something fell short, words where nothing is known."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from lemnis.engine import Engine
from lemnis.engine.explore import jobs as explore_jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs
from lemnis.tui.commands import validate
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted

Answer = tuple[int, str, str]
Lemnis = Callable[..., Answer]


@pytest.fixture
def lemnis(bare: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lemnis:
    """Run a command on the workspace; its jobs are done in this very process."""

    def follow(session: Any, job_id: int) -> Any:
        return SimpleNamespace(result=jobs.run(JobContext.for_test(session.engine.store), {}))

    monkeypatch.setattr(validate, "follow", follow)

    def command(*arguments: str) -> Answer:
        code = run(hoisted(["-w", str(bare.workspace.root), "validate", *arguments]))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_run_ends_with_1_and_its_document_tells_all(lemnis: Lemnis) -> None:
    code, out, err = lemnis("run", "--json")
    found = json.loads(out)
    assert (code, err) == (1, "")
    assert {name: found[name] for name in ("passed", "warned", "failed", "not_evaluated")} == {
        "passed": 1, "warned": 1, "failed": 1, "not_evaluated": 1,
    }  # fmt: skip
    assert [check["name"] for check in found["checks"]] == ["code_known", "gone", "size_range", "rows"]
    assert found["checks"][0]["top"] == [{"value": "[/x]\x1b[2J", "rows": 100}]


def test_for_people_text_of_the_data_is_harmless(lemnis: Lemnis) -> None:
    code, out, _ = lemnis("run")
    assert code == 1
    assert "? not evaluated" in out
    assert "1 passed, 1 warned, 1 failed, 1 not evaluated" in out
    _, out, _ = lemnis("failures", "code_known", "--limit", "2")
    assert "[/x]␛[2J" in out
    assert "\x1b" not in out
    assert "rows 0 to 2 of 100" in out


def test_failing_rows_are_exported_and_never_over_a_file(lemnis: Lemnis, tmp_path: Path) -> None:
    lemnis("run")
    target = str(tmp_path / "rows.jsonl")
    assert json.loads(lemnis("failures", "code_known", "--export", target, "--json")[1])["rows"] == 100
    assert len(Path(target).read_text().splitlines()) == 100
    code, _, err = lemnis("failures", "code_known", "--export", target)
    assert code == 2
    assert "exists already" in err
    code, _, err = lemnis("failures", "gone")
    assert code == 2
    assert "was not evaluated" in err


def test_a_waiver_needs_a_date_and_shows_in_the_history(lemnis: Lemnis) -> None:
    lemnis("run")
    code, _, err = lemnis("waive", "code_known", "--why", "agreed")
    assert code == 2
    assert "2026-12-31" in err
    waiver = json.loads(
        lemnis("waive", "code_known", "--why", "agreed", "--who", "ann", "--until", "2096-01-01", "--json")[1]
    )["waiver"]
    assert (waiver["check"], waiver["who"]) == ("code_known", "ann")
    lemnis("run")
    history = json.loads(lemnis("history", "code_known", "--json")[1])["history"]
    assert [point["verdict"] for point in history] == ["fail", "warn"]
    assert lemnis("waive", "code_known", "--why", "over", "--take-back")[0] == 0
    assert "not waived any more" in lemnis("waive", "code_known", "--why", "over", "--take-back")[1]


def test_suggestions_need_a_profile(lemnis: Lemnis) -> None:
    code, _, err = lemnis("suggest")
    assert code == 2
    assert "lemnis explore profile" in err


@pytest.mark.slow
def test_new_rows_and_reasons_have_their_documents(lemnis: Lemnis) -> None:
    lemnis("run")
    lemnis("run")
    page = json.loads(lemnis("failures", "code_known", "--which", "persisting", "--json")[1])
    assert (page["total"], page["columns"][0]) == (100, "code")
    assert json.loads(lemnis("failures", "code_known", "--which", "new", "--json")[1])["total"] == 0
    assert json.loads(lemnis("why", "code_known", "--json")[1]) == {"check": "code_known", "reasons": []}
    assert "No value stands out" in lemnis("why", "code_known")[1]


def test_codes_are_listed_changed_and_taken_back(lemnis: Lemnis) -> None:
    lemnis("run")
    unknown = json.loads(lemnis("codes", "unknown", "code_known", "--json")[1])
    assert [(code["value"], code["rows"]) for code in unknown["codes"]] == [("[/x]\x1b[2J", 100)]
    assert "[/x]␛[2J" in lemnis("codes", "unknown", "code_known")[1]
    code, _, err = lemnis("codes", "add", "code_known", "a", "--why", "again")
    assert (code, "is a code of code_known already" in err) == (2, True)
    event = json.loads(lemnis("codes", "map", "code_known", "[/x]\x1b[2J", "--to", "a", "--why", "typo", "--json")[1])
    assert (event["event"]["act"], event["event"]["target"]) == ("map", "a")
    assert "stands for a" in lemnis("codes", "show", "code_known")[1]
    assert json.loads(lemnis("codes", "list", "--json")[1])["lists"][0]["name"] == "code_known"
    assert "took back change 1" in lemnis("codes", "undo", "1", "--why", "no typo")[1]
    assert "added c" in lemnis("codes", "add", "code_known", "c", "--why", "new", "--start", "2026-01-01")[1]
    assert "ended c" in lemnis("codes", "deprecate", "code_known", "c", "--end", "2027-01-01", "--why", "old")[1]
    quarantined = json.loads(lemnis("codes", "quarantine", "code_known", "[/x]\x1b[2J", "--why", "bad", "--json")[1])
    assert quarantined["event"]["rows"] == 100


def test_proposals_are_shown_and_taken_by_name(lemnis: Lemnis, bare: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    explore_jobs.profile(JobContext.for_test(bare.store), {"version": None})

    def follow(session: Any, job_id: int) -> Any:
        result = msgspec.json.encode(jobs.suggest(JobContext.for_test(session.engine.store), {})).decode()
        with session.engine.store.write() as db:
            db.execute("update jobs set state = 'finished', result = ? where id = ?", [result, job_id])

    monkeypatch.setattr(validate, "follow", follow)
    found = json.loads(lemnis("suggest", "--json")[1])
    names = [proposal["check"]["name"] for proposal in found["proposals"]]
    assert "size_unique" in names
    assert 'name = "size_unique"' in found["toml"]
    assert "faults caught" in lemnis("suggest")[1]
    assert json.loads(lemnis("suggest", "--accept", "size_unique", "--json")[1]) == {"accepted": ["size_unique"]}
    code, _, err = lemnis("suggest", "--accept", "size_unique")
    assert (code, "is not proposed" in err) == (2, True)
    assert lemnis("suggest", "--accept-all")[0] == 0
    assert {check.name for check in bare.validate.declared()} >= set(names)
