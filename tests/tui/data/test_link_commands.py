import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pairs import EVIL, pairs_at

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted


class Shell:
    def __init__(self, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        self.engine, self.root, self.capsys = engine, engine.workspace.root, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = run(hoisted(["-w", str(self.root), "data", "link", *arguments]))
        out, err = self.capsys.readouterr()
        return code, out, err

    def json(self, *arguments: str) -> Any:
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    engine = pairs_at(tmp_path / "w")
    return Shell(engine, capsys)


def test_a_declared_link_is_looked_at_before_anything_is_made(shell: Shell) -> None:
    found = shell.json("right", "--preview")
    assert (found["position"], found["base"], found["link"]["prefix"]) == (1, "left", "r_")
    assert found["fan_out"] == {"0": 4, "1": 0, "2": 1, "3–9": 0, "10+": 0}
    assert found["report"]["match_rate"] == 0.2
    assert found["orphans"] == [{"key": ["b"], "rows": 2, "asked": 2}, {"key": [EVIL], "rows": 1, "asked": 1}]
    assert (found["unused"], found["duplicates"]) == (
        [{"key": ["c"], "rows": 1, "asked": 0}],
        [{"key": ["a"], "rows": 2, "asked": 1}],
    )
    assert found["warnings"] == ["The join makes 6 rows of 5: 1 keys stand more than once in right. Add a key."]
    code, out, _ = shell("1", "--preview")
    assert code == 0
    assert "left ⟕ right on k = right.k" in out
    assert "2 keys, 3 rows (60.00%) find none" in out
    assert "\x1b" not in out
    assert shell.engine.data.versions() == []


def test_a_new_link_is_tried_changed_and_declared_and_taken_out_again(shell: Shell) -> None:
    tried = shell.json("--preview", "--right", "late", "--on", "k", "--prefix", "l_")
    assert [one["rows"] for one in tried["report"]["travel"]] == [2], "the link before gives this row twice"
    assert 'Use an as-of join: asof = "seen".' in tried["warnings"][0]
    assert "decided 2013-01-01 00:00, seen 2013-02-01 00:00" in tried["warnings"][0]
    assert len(shell.engine.config().dataset.links) == 1
    done = shell.json("--declare", "--right", "late", "--on", "k", "--prefix", "l_", "--asof", "seen", "--why", "new")
    assert (done["declared"], done["report"]["kind"], done["warnings"]) == (2, "asof", [])
    assert shell.engine.problem.history()[0].why == "new"
    assert shell.json("2", "--declare", "--tolerance", "9d")["declared"] == 2
    assert shell.engine.config().dataset.links[1].tolerance == "9d"
    assert shell.json("late", "--remove") == {"removed": {"position": 2, "source": "late", "uses": ""}}
    assert [link.source for link in shell.engine.config().dataset.links] == ["right"]
    assert "# the first" in shell.engine.workspace.config.read_text()


def test_what_uses_the_columns_of_a_link_is_said_before_it_goes(shell: Shell) -> None:
    with open(shell.engine.workspace.config, "a") as file:
        file.write(
            '[[checks]]\nname = "small"\nkind = "range"\ncolumn = "r_z"\nmax = 9\n'
            '[[checks]]\nname = "told"\nkind = "condition"\ncondition = "R_Z > id"\n'
            '[[checks]]\nname = "other"\nkind = "condition"\ncondition = "r_zz > id"\n'
            '[[checks]]\nname = "elsewhere"\nkind = "not_null"\nsource = "right"\ncolumn = "r_z"\n'
        )
    jobs.link(JobContext.for_test(shell.engine.store), {})
    shell.engine.features.choose("wide", ["id", "r_z"], "ann", "all")
    shell.engine.features.choose("narrow", ["id"], "ann", "few")
    uses = "feature set wide (1 of them) and checks small, told use its columns"
    assert shell.engine.lifecycle.link_dependents(1).words == uses
    code, out, err = shell("right", "--remove")
    assert (code, out, uses in err, "say --yes" in err) == (2, "", True, True)
    assert len(shell.engine.config().dataset.links) == 1
    assert shell.json("right", "--remove", "--yes")["removed"]["uses"] == uses
    assert shell.engine.config().dataset.links == []


def test_all_keys_of_a_side_are_exported_once(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "orphans.csv"
    assert shell.json("right", "--export", str(path))["exported"] == 2
    with open(path, newline="") as file:
        assert list(csv.reader(file)) == [["k", "rows", "asked_by"], ["b", "2", "2"], [EVIL, "1", "1"]]
    code, _, err = shell("right", "--export", str(path))
    assert (code, "is there already" in err) == (2, True)
    code, out, _ = shell("right", "--export", str(tmp_path / "twice.csv"), "--side", "duplicates")
    assert "1 keys that stand more than once on the right are in" in out


def test_keys_are_proposed(shell: Shell) -> None:
    found = shell.json("--propose", "--right", "late")["proposals"]
    assert [(one["on"], one["asof"]) for one in found] == [({"k": "k"}, "")]
    code, out, _ = shell("--propose", "--right", "late")
    assert (code, "k = k" in out, "the same name" in out) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing", "--preview"], "No link 'nothing' is declared"),
        (["--preview"], "No source is named"),
        (["right"], "Add --preview or --declare"),
        (["--preview", "--right", "late"], "has no keys"),
        (["--preview", "--right", "late", "--on", "id=k"], "they can't be compared"),
        (["--declare", "--left", "late", "--right", "right", "--on", "k"], "The base of [dataset] is left, not late."),
        (["--preview", "--right", "lost", "--on", "k"], "no snapshot yet"),
        (["--preview", "--right", "late", "--on", "k", "--side", "both"], "both"),
    ],
)
def test_what_can_not_be_looked_at_is_said(shell: Shell, arguments: list[str], words: str) -> None:
    code, out, err = shell(*arguments)
    assert (code, out) == (2, "")
    assert words in err
