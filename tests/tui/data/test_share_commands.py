"""`lemnis data push|pull` and `lemnis share`, with jobs in processes of their own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sharing import Desk
from small_problem import make_engine
from support import engine_at

from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    both = Desk(make_engine(tmp_path / "ours")), Desk(engine_at(tmp_path / "theirs"))
    yield both
    for desk in both:
        desk.engine.jobs.stop_supervisor()
        desk.engine.store.close()


@pytest.mark.slow
def test_a_version_goes_from_one_workspace_to_another(
    desks: tuple[Desk, Desk], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lemnis(desk: Desk, *arguments: str) -> tuple[int, Any]:
        code = run(hoisted(["-w", str(desk.root), *arguments, "--json"]))
        out, err = capsys.readouterr()
        return code, json.loads(out or err)

    ours, theirs = desks
    code, refused = lemnis(ours, "data", "push")
    assert (code, refused["error"]["code"]) == (2, "not_found")
    assert "[remotes.team]" in refused["error"]["hint"]
    for desk in desks:
        desk.remote("../hub")
    code, sent = lemnis(ours, "data", "push")
    assert (code, [one["state"] for one in sent["things"]], sent["files"]) == (0, ["new"], 1)
    code, listed = lemnis(theirs, "share", "list")
    assert (code, [(one["ref"], one["here"], one["there"]) for one in listed["things"]]) == (
        0, [("small@v1", False, True)],
    )  # fmt: skip
    code, pulled = lemnis(theirs, "data", "pull", "small@v1")
    assert (code, [(one["here"], one["state"]) for one in pulled["things"]]) == (0, [("small v1", "new")])
    code, shown = lemnis(theirs, "data", "show")
    assert shown["id"] == ours.engine.data.version().id
    assert shown["origin"]["workspace_name"] == "ours"
    assert run(hoisted(["-w", str(theirs.root), "data", "show"])) == 0
    assert "from     small v1 of workspace ours" in capsys.readouterr().out
    code, failed = lemnis(theirs, "data", "pull", "nothing")
    assert (code, failed["error"]["code"]) == (2, "not_found")
