"""The model card on the screen: facts, only what differs, and the way from a run that is not registered."""

from types import SimpleNamespace

import pytest
from support import settle, shows

from lemnis.engine import Engine
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.modelcard import Card, CardRoom, Fact, Section
from lemnis.tui.app import Console


async def test_the_card_of_a_registered_run_is_shown_and_compared_with_the_version_before(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def card(room: CardRoom, model: str, version: int) -> Card:
        facts = [Fact(name="roc_auc", value=0.7 + version / 100), Fact(name="rows", value=200)]
        return Card(model=model, version=version, at=0, sections=[Section(title="Measured[on] test", facts=facts)])

    async with Console(engine, stage="evaluate").run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await shows(pilot, "register the run in Deploy")
        monkeypatch.setattr(DeployRoom, "models", lambda room: [SimpleNamespace(name="late")])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        found = [SimpleNamespace(version=2, run_id=1, aliases=[]), SimpleNamespace(version=1, run_id=2, aliases=[])]
        monkeypatch.setattr(DeployRoom, "versions", lambda room, model: found)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        monkeypatch.setattr(CardRoom, "card", card)
        await pilot.press("M")
        await shows(pilot, "late version 2", "Measured[on] test", "0.72", "200")
        await pilot.press("d")
        screen = await shows(pilot, "what differs from 1", "0.71", "→ 0.72")
        assert "rows" not in screen
        await pilot.press("left_square_bracket")
        await shows(pilot, "late version 1", "there is none before")
