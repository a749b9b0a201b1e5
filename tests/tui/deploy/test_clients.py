"""What MLflow's clients registered stands among the versions, and says why it is not served."""

import json
from pathlib import Path

import pytest
from registered import mlmodel, register
from support import becomes, engine_at, screen_text

from lemnis.tui.app import Console
from lemnis.tui.commands.group import run
from lemnis.tui.stages.deploy.room import DeployStage
from lemnis.tui.widgets import Table


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_client_s_version_is_shown_and_can_not_be_promoted(tmp_path: Path, size: tuple[int, int]) -> None:
    engine = engine_at(tmp_path / "w")
    register(engine, "late flights", {"MLmodel": mlmodel("sklearn")}, ("champion",))
    async with Console(engine, stage="deploy").run_test(size=size, notifications=True) as pilot:
        stage = pilot.app.query_one(DeployStage)
        await becomes(pilot, lambda: stage.client_version is not None)
        await becomes(pilot, lambda: "MLflow sklearn" in screen_text(pilot))
        assert "1 of MLflow's clients" in screen_text(pilot)
        stage.query_one("#versions", Table).focus()
        await pilot.press("P")
        await becomes(pilot, lambda: "An MLflow client registered" in screen_text(pilot))
        await pilot.press("enter")
        await becomes(pilot, lambda: "not served here: flavour sklearn" in screen_text(pilot))


def test_models_list_has_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = engine_at(tmp_path / "w")
    register(engine, "late flights", {"MLmodel": mlmodel("sklearn")}, ("champion",))
    assert run(["-w", str(tmp_path / "w"), "models", "list"]) == 0
    assert "not served here: flavour sklearn" in capsys.readouterr().out
    assert run(["-w", str(tmp_path / "w"), "--json", "models", "list"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["clients"]
    assert (found["name"], found["version"], found["flavours"]) == ("late flights", 1, ["sklearn"])
