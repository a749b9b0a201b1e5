"""Console: composes the ten stages and moves between them; what a stage shows is the stage's affair."""

from pathlib import Path
from typing import Any, cast

from textual.app import App, ComposeResult
from textual.containers import Container
from textual.widget import Widget

from lemnis.engine import Engine
from lemnis.tui.actions import bindings
from lemnis.tui.messages import EngineSeen, StageWanted, TopicsMoved
from lemnis.tui.pump import Pump
from lemnis.tui.stages import BY_NAME
from lemnis.tui.stages.stage import Stage
from lemnis.tui.theme import DARK, LIGHT, meanings
from lemnis.tui.widgets.bars import FactLine, KeyBar
from lemnis.tui.widgets.loop import Loop
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.text import Empty

HERE = Path(__file__).parent
NARROW, SHORT = 100, 20


class Console(App[None]):
    """The whole console over one engine."""

    CSS_PATH = [HERE / "theme.tcss", *sorted(HERE.glob("stages/*/pane.tcss"))]
    BINDINGS = bindings("everywhere")
    TITLE = "Lemnis"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]

    def __init__(self, engine: Engine, *, stage: str = "problem") -> None:
        super().__init__()
        self.engine = engine
        self.here = stage
        self.pump = Pump(engine, self)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_css_variables(self) -> dict[str, str]:
        variables = meanings(super().get_css_variables(), ansi=self.current_theme.ansi)
        self.theme_variables = variables
        return variables

    def compose(self) -> ComposeResult:
        yield Loop()
        yield FactLine()
        yield Container(id="stages")
        yield PromptLine(id="filter")
        yield KeyBar()

    async def on_mount(self) -> None:
        self.query_one(FactLine).workspace = self.engine.workspace.root.name
        await self.open_stage(self.here)
        self.pump.start()

    def on_unmount(self) -> None:
        self.pump.stop()

    # Moving between stages.

    @property
    # Any: the view of a stage is its own affair.
    def stage(self) -> "Stage[Any] | None":
        """The stage a person sees, None while its room is missing."""
        found = self.query(f"#stage-{self.here}").first(Widget) if self.query(f"#stage-{self.here}") else None
        return cast("Stage[Any]", found) if isinstance(found, Stage) else None

    async def open_stage(self, name: str, thing: str = "") -> None:
        """Show a stage, importing its room the first time, and perhaps one thing in it."""
        self.here = name
        self.query_one(Loop).open = name
        box = self.query_one("#stages", Container)
        for child in box.children:
            child.display = child.id == f"stage-{name}"
        stage = self.stage
        if stage is None and not self.query(f"#stage-{name}"):
            await box.mount(self.make_stage(name))
            stage = self.stage
        elif stage is not None:
            stage.reload()
        if stage is not None:
            if thing:
                stage.goto(thing)
            self.screen.focus_next(f"#stage-{name} *")

    def make_stage(self, name: str) -> Widget:
        """Return the stage's widget; an honest empty state where its room does not exist."""
        info = BY_NAME[name]
        kind = info.load()
        if kind is None:
            return Container(Empty(f"{info.title} has nothing to show yet."), id=f"stage-{name}", classes="stage")
        return kind(self.engine, info)

    async def action_stage(self, name: str) -> None:
        await self.open_stage(name)

    async def on_stage_wanted(self, message: StageWanted) -> None:
        await self.open_stage(message.stage, message.thing)

    # What the pump says.

    def on_topics_moved(self, message: TopicsMoved) -> None:
        if self.stage is not None:
            self.stage.topics_moved(message.topics)

    def on_engine_seen(self, message: EngineSeen) -> None:
        self.query_one(FactLine).engine = message
