"""The tour's panel: the step in a few lines above the footer; it goes on as a person does what it asks."""

from pathlib import Path

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from lemnis.engine.text import safe
from lemnis.tui.keys.named import ID, key_of
from lemnis.tui.language import _
from lemnis.tui.messages import StageWanted
from lemnis.tui.remembered import remember
from lemnis.tui.sentences import told
from lemnis.tui.stages import BY_NAME
from lemnis.tui.tour.steps import STEPS, Tour, asks
from lemnis.tui.widgets.cells import fitted
from lemnis.tui.widgets.loop import Loop

LEAST = 12  # cells that say enough of where the tour is


class TourPanel(Widget):
    """Where the tour is, what the tab shows with the workspace's own figures, and which key is next."""

    def __init__(self, tour: Tour, root: Path) -> None:
        """Lead on from where `tour` is, in the workspace at `root`."""
        super().__init__(id="tour")
        self.tour, self.root = tour, root

    def on_mount(self) -> None:
        loop = self.screen.query_one(Loop)
        self.watch(loop, "open", self.stage_opened, init=False)
        self.watch(loop, "states", self.refresh_states, init=False)

    # How it goes on.

    def move(self, by: int) -> bool:
        """Go to another step and open its tab; say whether there was one."""
        moved = self.tour.moved(by)
        if moved is self.tour:
            return False
        self.take(moved)
        self.post_message(StageWanted(moved.step.stage))
        return True

    def stage_opened(self, stage: str) -> None:
        self.take(self.tour.opened(stage))

    def did(self, action_id: str) -> None:
        """Hear that an action was done."""
        self.take(self.tour.did(action_id))

    def take(self, tour: Tour) -> None:
        if tour == self.tour:
            return
        further = tour.place != self.tour.place
        self.tour = tour
        self.refresh(layout=True)
        if further:
            self.run_worker(self.keep, thread=True, exit_on_error=False, group="tour")

    def keep(self) -> None:
        """Remember the place, whichever it is by now. Blocks."""
        remember(self.root, tour=self.tour.place)

    # How it looks.

    def refresh_states(self) -> None:
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self.lines(self.size.width))

    def lines(self, width: int) -> list[Content]:
        """Return what is drawn, none of it wider than `width` cells."""
        if width < 2:
            return [Content("")]
        return [
            self.head(width),
            *(Content(" ") + line for line in self.sentence().wrap(width - 1)),
            *self.asked(width),
        ]

    def head(self, width: int) -> Content:
        """Return the line above: place, tab, the workspace's own figures, and the keys of the tour itself."""
        step = self.tour.step
        state = self.screen.query_one(Loop).states.get(step.stage)
        why = f"  {safe(told(state.why), limit=160)}" if state is not None and state.why else ""
        ways = Content("")
        for key, words in (
            (key_of("app.tour_next"), _("next")),
            (key_of("app.tour_back"), _("back")),
            ("esc", _("leave")),
        ):
            ways += Content.assemble((f" {key} ", "$key"), words, " ")
        where = Content.assemble(
            (f" {_('Tour')} {self.tour.place + 1}/{len(STEPS)} ", "bold $stage-accent"),
            (BY_NAME[step.stage].said, "bold"),
            (why, "$muted"),
        )
        return fitted(where, max(0, width - ways.cell_length)) + ways if width >= ways.cell_length + LEAST else ways

    def sentence(self) -> Content:
        """Return what the tab shows, with keys in place of ids."""
        parts = ID.split(_(self.tour.step.shows))
        return Content.assemble(*((key_of(part), "$key") if index % 2 else part for index, part in enumerate(parts)))

    def asked(self, width: int) -> list[Content]:
        """Return what is to be done next, on one line or on one each."""
        asked = [
            Content.assemble((" ✓ " if done else " → ", "$ok" if done else "$muted"), (key, "$key"), f" {words} ")
            for key, words, done in asks(self.tour, key_of)
        ]
        line = Content("").join(asked)
        return [line] if line.cell_length <= width else [fitted(each, width) for each in asked]
