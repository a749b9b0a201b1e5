"""`lemnis explore labels` and `lemnis explore label` as a script uses them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from korean import CLASSES, make_workspace
from labelled import TRUE, answered, made

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.commands.group import run


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(make_workspace(tmp_path / "민원실", 60))
    context = JobContext.for_test(opened.store)
    jobs.sync(context, {})
    jobs.link(context, {})
    with opened.store.write() as db:
        db.execute("update jobs set state = 'finished'")
    yield opened
    opened.jobs.stop_supervisor()
    opened.store.close()


def command(engine: Engine, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert run(["-w", str(engine.workspace.root), "--json", "explore", *words]) == code
    out, err = capsys.readouterr()
    return json.loads(out or err)


def test_a_question_is_declared_and_listed_with_its_keys(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["labels", "add", "tone", "--column", "어조", "--class", "정중", "--class", "불만", "--key", "불만=b"]
    assert command(engine, capsys, *words)["key_of"] == {"정중": "f", "불만": "b"}
    assert [found["name"] for found in command(engine, capsys, "labels", "list")["labels"]] == ["topic", "tone"]
    assert command(engine, capsys, *words, code=2)["error"]["message"].startswith("There are labels 'tone' already")
    bad = ["labels", "add", "x", "--column", "c", "--class", "a", "--class", "b", "--key", "a=u"]
    assert "gives 'a' the key 'u'" in command(engine, capsys, *bad, code=2)["error"]["message"]


def test_a_queue_is_made_by_a_worker_and_answered_by_command(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = command(engine, capsys, "labels", "queue", "topic", "--rows", "3", "--overlap", "1")["queue"]
    assert (queue["rows"], queue["kind"], queue["overlap"]) == (3, "order", 1)
    task = command(engine, capsys, "labels", "next", str(queue["id"]), "--as", "kim")["task"]
    key = task["item"]["row_key"]
    assert task["cells"]["지역"]
    for who, value in (("kim", "교통"), ("lee", "환경")):
        command(engine, capsys, "label", "topic", key, value, "--queue", str(queue["id"]), "--as", who)
    command(engine, capsys, "label", "topic", key, "--note", "다시 보기", "--as", "kim")
    command(engine, capsys, "label", "topic", key, "--unsure", "--as", "yun")
    (found,) = command(engine, capsys, "labels", "list")["labels"]
    assert (found["split"], found["unsure"], found["labellers"]) == (1, 1, {"kim": 1, "lee": 1, "yun": 1})
    command(engine, capsys, "label", "topic", key, "교통", "--gold", "--as", "park")
    kinds = [event["kind"] for event in command(engine, capsys, "labels", "history", "topic", "--row", key)["events"]]
    assert kinds == ["gold", "unsure", "note", "label", "label"]
    assert command(engine, capsys, "labels", "queues")["queues"][0]["done"] == 1
    assert "no class" in command(engine, capsys, "label", "topic", key, "복지부", code=2)["error"]["message"]


@pytest.mark.slow
def test_agreement_errors_files_and_a_version_by_command(
    engine: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    queue = made(engine, "order", rows=50, overlap=0.4)
    answered(engine, queue.id, "kim")
    answered(engine, queue.id, "lee")
    found = command(engine, capsys, "labels", "agreement", "topic")
    assert (found["alpha"]["value"], found["alpha"]["n"], found["pairs"][0]["kappa"]["n"]) == (1, 20, 20)
    file = tmp_path / "labels.jsonl"
    assert command(engine, capsys, "labels", "export", "topic", str(file))["rows"] == 50
    assert command(engine, capsys, "labels", "export", "topic", str(file), "--every")["rows"] == 70
    assert command(engine, capsys, "labels", "import", "topic", str(file))["taken"] == 0
    done = command(engine, capsys, "labels", "apply", "topic")
    assert (done["applied"]["rows"], done["version"]) == (50, engine.data.version().id)
    assert sum(engine.data.version().label_counts.values()) == 50


def test_text_for_people_is_one_line_a_thing_and_read_only_writes_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["-w", str(engine.workspace.root)]
    assert run([*where, "explore", "labels", "list"]) == 0
    assert "f 교통 0, j 환경 0, d 시설 0, k 복지 0" in capsys.readouterr().out
    assert run([*where, "explore", "labels", "agreement", "topic"]) == 0
    assert "not defined (n = 0)" in capsys.readouterr().out
    assert run([*where, "--read-only", "explore", "label", "topic", "민원-20250001", "교통"]) == 2
    assert "read-only" in capsys.readouterr().err
    assert engine.explore.labels.history("topic") == []


@pytest.mark.slow
def test_probable_errors_are_listed_for_review_and_change_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = made(engine, "order", rows=60)
    wrong = {"민원-20250007", "민원-20250031"}
    answered(engine, queue.id, "kim", lambda key: CLASSES[(CLASSES.index(TRUE[key]) + 2 * (key in wrong)) % 4])
    events = len(engine.explore.labels.history("topic"))
    found = command(engine, capsys, "labels", "errors", "topic")
    assert wrong & {error["row_key"] for error in found["errors"]}
    error = next(error for error in found["errors"] if error["row_key"] in wrong)
    assert error["given"] != error["suggested"] == TRUE[error["row_key"]]
    assert (found["queue"]["kind"], found["queue"]["resolves"]) == ("errors", True)
    assert len(engine.explore.labels.history("topic")) == events
