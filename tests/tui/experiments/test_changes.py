"""What changed between two runs: their code as git tells it, their data by key or by columns, and what `K` says."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import SPLIT, add_run, flights, make_engine
from support import settle, shows

from lemnis.engine import Engine
from lemnis.engine.data.diff.jobs import diff
from lemnis.engine.data.versions import record_version
from lemnis.engine.evaluate import Pair, PairedTest, Significance
from lemnis.engine.experiments.code import code_diff
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.screens.compare import Compare
from lemnis.tui.screens.compared.changes import changes_of
from lemnis.tui.screens.compared.explained import explained
from lemnis.tui.screens.compared.words import Compared

ROLES = {"id": "key", "at": "time", "late": "label"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=ann", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path, text: str) -> str:
    """Commit a file and return the commit."""
    (folder / "train.py").write_text(text)
    git(folder, "add", "train.py")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def test_the_code_of_two_commits_is_compared_and_nothing_else_is_run(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    ran = tmp_path / "ran"
    git(tmp_path, "config", "diff.external", f"touch {ran}")
    git(tmp_path, "config", "diff.evil.textconv", f"touch {ran}; cat")
    (tmp_path / ".gitattributes").write_text("*.py diff=evil\n")
    first = committed(tmp_path, "rate = 0.1\n")
    second = committed(tmp_path, "rate = 0.2 # \x1b[2J[b]\n")
    found = code_diff(tmp_path, first, f"{second}+")
    assert "-rate = 0.1" in found.lines
    assert any(line.startswith("+rate = 0.2") and "\x1b" not in line for line in found.lines)
    assert found.why == "this run had changes that were not committed; they are not shown"
    assert not ran.exists()
    third = committed(tmp_path, "x\n" * 1000)
    long = code_diff(tmp_path, second, third)
    assert len(long.lines) == 400
    assert long.more > 500
    assert code_diff(tmp_path, first, first) == code_diff(tmp_path, "", "")
    assert "not in this repository" in code_diff(tmp_path, first, "a" * 40).why
    assert "git repository" in code_diff(tmp_path, first, "--output=/tmp/x").why


async def test_the_diff_of_two_runs_tells_of_their_data_and_their_code(engine: Engine) -> None:
    root = engine.workspace.root
    git(root, "init", "-q")
    codes = [committed(root, f"rate = {number}\n") for number in (1, 2)]
    before = engine.data.version(1)
    table = flights(1300).drop_columns(["weekend"])
    after = record_version(engine.store, table, name="small", roles=ROLES, split=SPLIT)
    runs = [
        add_run(engine, f"r{number}", version_id=version.id, code_version=code, params={"a": number})
        for number, (version, code) in enumerate(zip((before, after), codes, strict=True))
    ]
    base, run = (engine.experiments.run(one) for one in runs)
    told = changes_of(engine, base, run)
    assert told.data[:2] == ("- 1,200 rows of small v1", "+ 1,300 rows of small v2")
    assert "- column weekend bool" in told.data
    diff(JobContext.for_test(engine.store), {"before": before.id, "after": after.id, "key": ["id"]})
    counted = changes_of(engine, base, run).data
    assert counted[:2] == ("- 0 rows by id", "+ 100 rows by id")
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(Compare(engine, runs))
        await shows(pilot, "Compare 2 runs")
        await pilot.press("7")
        await shows(pilot, "@@ parameter a", "@@ data", "+ 100 rows by id", "- column weekend bool")
        await pilot.press("G")
        await shows(pilot, "-rate = 1", "+rate = 2")
        await pilot.press("1", "j", "K")
        await shows(pilot, "A condition of the training")
    assert changes_of(engine, base, base).data == ()


def test_a_tested_measure_is_explained_with_its_formula_rule_and_figures(engine: Engine) -> None:
    runs = [add_run(engine, name, params={"a": name}) for name in ("one", "two")]
    test = PairedTest(
        metric="roc_auc", base=0.7, value=0.72, delta=0.02, better=True, low=0.01, high=0.03, p=0.002, method="DeLong",
        adjusted=0.004,
    )  # fmt: skip
    pair = Pair(
        run_id=2, baseline_id=1, part="test", rows=90, of=90, blocks="days", block_count=9, tests=[test]
    )  # fmt: skip
    known = Significance(
        baseline_id=1, part="test", parts=["test"], pairs={2: pair}, refused={}, missing=[], warning=""
    )
    found = Compared(engine.experiments.compare(runs), known)
    title, text = explained(found, "test roc_auc") or ("", "")
    assert title == "roc_auc"
    for words in (
        "ties count half", "90 test rows, 9 days", "DeLong's variance", "adjusted by Holm", "below 0.05",
        "#2: 0.7200 − 0.7000 = +0.0200, 95 % +0.0100 to +0.0300, p=0.002 alone, p=0.004 by Holm: better",
    ):  # fmt: skip
        assert words in text
    assert (explained(found, "roc_auc 2") or ("",))[0] == "roc_auc of #2"
    assert explained(found, "parameters a") is not None
    assert explained(found, "# metrics") is None
