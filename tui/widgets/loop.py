"""The loop: ten stages in order with key, name and state; tab bar and lifecycle at once."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from lemnis.engine.text import safe
from lemnis.tui.format import verdict
from lemnis.tui.messages import StageWanted
from lemnis.tui.sentences import told
from lemnis.tui.stages import BY_NAME, STAGES, StageInfo
from lemnis.tui.widgets.cells import fitted


class StageState(Protocol):
    """What the loop needs to know of one stage."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def why(self) -> str: ...


class Unknown(Struct, frozen=True):
    """The state of a stage that nobody has read yet."""

    name: str
    state: str = "…"
    why: str = ""


class Loop(Widget):
    """Two lines: names above, states below; where it is narrow, the words of the open stage and of those in need."""

    open: reactive[str] = reactive("problem")
    states: reactive[dict[str, StageState]] = reactive(dict)

    def show(self, states: Sequence[StageState]) -> None:
        """Show the states of the stages, by name."""
        self.states = {state.name: state for state in states}

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 2

    def render(self) -> RenderResult:
        return self._wide() if self.size.width >= 140 else self._narrow()

    @property
    def here(self) -> str:
        """How the open stage stands out; sixteen colours have no quiet background, so there it is reversed."""
        return "bold reverse" if self.app.native_ansi_color else "bold on $here"

    def _state(self, stage: StageInfo) -> StageState:
        return self.states.get(stage.name) or self.states.get(stage.title) or Unknown(stage.name)

    def _wide(self) -> Content:
        cell = self.size.width // len(STAGES)
        names, words = Content(""), Content("")
        for stage in STAGES:
            judged = verdict(self._state(stage).state)
            name = fitted(Content.assemble((f" {stage.key} ", "$key"), f" {stage.said}"), cell - 1)
            word = fitted(Content.assemble(" ", (judged.text, judged.style)), cell - 1)
            if stage.name == self.open:
                name, word = name.stylize(self.here), word.stylize(self.here)
            last = stage is STAGES[-1]
            names += name + Content.styled("↺" if last else "›", "$faint")
            words += word + " "
        return names + "\n" + words

    def _narrow(self) -> Content:
        tiny = self.size.width < 70
        names = Content("")
        for stage in STAGES:
            judged = verdict(self._state(stage).state)
            text = Content.assemble(
                (stage.key, "$key"), (judged.glyph, judged.style), "" if tiny else fitted(Content(stage.brief), 4)
            )
            names += (text.stylize(self.here) if stage.name == self.open else text) + ("" if tiny else " ")
        here = BY_NAME[self.open]
        judged = verdict(self._state(here).state)
        words = Content.assemble((f" {here.said} ", "bold"), (judged.text, judged.style))
        needy = [stage for stage in STAGES if self._state(stage).state == "attention" and stage.name != self.open]
        if needy and not tiny:
            mark = verdict("attention")
            words += Content.assemble(
                ("  ·  ", "$faint"), (f"{mark.text}: ", mark.style), ", ".join(f"{s.key} {s.said}" for s in needy)
            )
        why = told(self._state(here).why)
        if why and judged.word != "…":
            words += Content.assemble(("  ·  ", "$faint"), (safe(why, limit=200), "$muted"))
        return names + "\n" + fitted(words, self.size.width)

    def on_click(self, event: Click) -> None:
        if self.size.width >= 140:
            index = event.x // (self.size.width // len(STAGES))
        else:
            index = event.x // (2 if self.size.width < 70 else 7)
        if 0 <= index < len(STAGES):
            self.post_message(StageWanted(STAGES[index].name))
