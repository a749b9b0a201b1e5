"""`lemnis runs compare`: tests on the same rows, refusals, and the four formats agreeing on the numbers."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commanding import call
from small_problem import add_run, do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.evaluate.pairing import pair
from lemnis.engine.jobs import Job, JobsRoom
from lemnis.engine.jobs.context import JobContext


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two trained runs, one called as markup and formulas are; jobs are done in this process when waited for."""
    opened = make_engine(tmp_path / "box")
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)

    def done_at_once(room: JobsRoom, job_id: int, on_progress: object = None) -> Job:
        pair(JobContext.for_test(room.store), room.job(job_id).arguments)
        return room.job(job_id)

    monkeypatch.setattr(JobsRoom, "wait", done_at_once)
    do_train(opened, opened.experiments.start(name="plain"))
    do_train(opened, opened.experiments.start(features=["weekend"], name="=cmd|x_y*[a](b) & 50%"))
    yield opened
    opened.store.close()


def printed(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(engine, "runs", "compare", *arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def document(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(engine, capsys, *arguments, "--json"))


def test_the_document_has_every_test_with_its_verdict(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = add_run(engine, "waiting", state="queued")
    found = document(engine, capsys, "1", "2", str(waiting))
    assert {"runs", "metrics", "parameters", "conditions", "significance", "importance"} == set(found)
    known = found["significance"]
    assert (known["part"], known["parts"], known["missing"]) == ("validation", ["validation"], [])
    assert known["refused"] == [{"run_id": waiting, "why": "it has no model: queued"}]
    (only,) = known["pairs"]
    assert (only["run_id"], only["rows"], only["blocks"]) == (2, 372, "days")
    auc = next(test for test in only["tests"] if test["metric"] == "roc_auc")
    assert auc["method"] == "DeLong"
    assert auc["verdict"] == "worse"
    assert auc["low"] < auc["delta"] < auc["high"] < 0
    assert auc["p"] == auc["adjusted"] < 0.05
    shares = {row["feature"]: row["gain_share"] for row in found["importance"]}
    assert set(shares) == {"distance", "weekend", "carrier"}
    assert (shares["weekend"][1], shares["distance"][1]) == (1.0, None)
    assert document(engine, capsys, "1", "2", "--no-test")["significance"] is None
    assert document(engine, capsys, "2", "1", "--baseline", "1")["significance"] == known | {"refused": []}


def test_every_format_says_the_same_numbers(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(engine, capsys, "1", "2")["significance"]["pairs"][0]
    auc = next(test for test in found["tests"] if test["metric"] == "roc_auc")
    rows = list(csv.DictReader(io.StringIO(printed(engine, capsys, "1", "2", "--format", "csv"))))
    row = next(row for row in rows if row["name"] == "roc_auc")
    assert (row["kind"], row["run"], row["verdict"]) == ("validation metric", "2", "worse")
    assert [float(row[name]) for name in ("value", "baseline", "delta", "low", "high", "p", "p_holm")] == [
        auc["value"], auc["base"], auc["delta"], auc["low"], auc["high"], auc["p"], auc["adjusted"]
    ]  # fmt: skip
    shown = f"−{abs(auc['delta']):.4f}"
    assert shown in printed(engine, capsys, "1", "2")
    markdown = printed(engine, capsys, "1", "2", "--format", "md")
    assert shown in markdown
    assert "### " not in markdown
    tex = printed(engine, capsys, "1", "2", "--format", "latex")
    assert shown.replace("−", "$-$") in tex


def test_text_from_data_is_neither_markup_nor_a_formula_nor_a_command(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown = printed(engine, capsys, "1", "2", "--format", "md", "--all")
    assert r"\#2 =cmd\|x\_y\*\[a\](b) & 50%" in markdown
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines() if line.startswith("|")]
    assert set(widths) == {4, 10}  # three columns, and the nine of the tests: no text makes one more
    tex = printed(engine, capsys, "1", "2", "--format", "latex", "--all")
    assert r"\#2 =cmd|x\_y*[a](b) \& 50\%" in tex
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}")
    assert not re.search(r"(?<!\\)[#%]", tex.replace("% \\usepackage{booktabs}", ""))
    table = list(csv.reader(io.StringIO(printed(engine, capsys, "1", "2", "--format", "csv", "--all"))))
    assert {len(row) for row in table} == {12}
    assert not any(cell.startswith(("=", "+", "@")) for row in table for cell in row)


def test_a_file_takes_its_format_from_its_name(
    engine: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, start in (("a.md", "# Comparison"), ("a.csv", "kind,name"), ("a.json", "{"), ("a.tex", "% \\use")):
        assert f"Wrote {tmp_path / name}" in printed(engine, capsys, "1", "2", "-o", str(tmp_path / name))
        assert (tmp_path / name).read_text().startswith(start)
    found = document(engine, capsys, "1", "2", "-o", str(tmp_path / "b.csv"))
    assert found == {"written": str(tmp_path / "b.csv"), "format": "csv"}
    for wrong in (["-o", str(tmp_path / "a.xls")], ["--format", "pdf"], ["--part", "train"]):
        assert call(engine, "runs", "compare", "1", "2", *wrong) == 2
        assert "try: " in capsys.readouterr().err


def test_two_to_twenty_runs_are_compared(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    ids = ["1", "2", *(str(add_run(engine, f"run {place}", metrics={"auc": 0.5})) for place in range(18))]
    assert len(document(engine, capsys, *ids)["runs"]) == 20
    for wrong in (["1"], ["1", "1"], [*ids, str(add_run(engine, "one more"))]):
        assert call(engine, "runs", "compare", *wrong) == 2
        assert "2 to 20 can" in capsys.readouterr().err


def test_a_read_only_workspace_shows_what_was_tested_before(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(engine, capsys, "1", "2", "--read-only")["significance"]["missing"] == [2]
    document(engine, capsys, "1", "2")
    assert document(engine, capsys, "1", "2", "--read-only")["significance"]["missing"] == []
