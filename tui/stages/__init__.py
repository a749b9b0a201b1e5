"""The ten stages of the loop: key, name, and where its room is; a room is imported when its tab is first opened."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.tui.language import _, sense

if TYPE_CHECKING:
    from typing import Any

    from lemnis.tui.stages.stage import Stage


class StageInfo(Struct, frozen=True):
    """One tab; `name` is the same word in the engine, the tests, the commands and the actions."""

    key: str
    name: str
    title: str
    short: str

    @property
    def said(self) -> str:
        """The title in the language of the console."""
        return _(self.title)

    @property
    def brief(self) -> str:
        """What a narrow screen has room for, four cells, in the language of the console."""
        return sense(self.short, "tab")

    @property
    def module(self) -> str:
        return f"lemnis.tui.stages.{self.name}.room"

    # Any: the view a stage draws is its own affair.
    def load(self) -> "type[Stage[Any]] | None":
        """Import and return the stage's class ``<Title>Stage``; None while it has no room."""
        if find_spec(self.module) is None:
            return None
        return getattr(import_module(self.module), f"{self.title}Stage")


STAGES = (
    StageInfo("1", "problem", "Problem", "Prob"),
    StageInfo("2", "data", "Data", "Data"),
    StageInfo("3", "explore", "Explore", "Expl"),
    StageInfo("4", "features", "Features", "Feat"),
    StageInfo("5", "validate", "Validate", "Vali"),
    StageInfo("6", "experiments", "Experiments", "Expe"),
    StageInfo("7", "evaluate", "Evaluate", "Eval"),
    StageInfo("8", "deploy", "Deploy", "Depl"),
    StageInfo("9", "monitor", "Monitor", "Moni"),
    StageInfo("0", "resources", "Resources", "Reso"),
)
BY_NAME = {stage.name: stage for stage in STAGES}
