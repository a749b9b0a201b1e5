"""Touring: the part of the console that begins, moves and leaves the tour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.app import App
from textual.dom import DOMNode

from lemnis.engine import Engine
from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import _
from lemnis.tui.messages import StageWanted
from lemnis.tui.remembered import tour_place
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets.bars import KeyBar
from lemnis.tui.widgets.table import Table

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

    from lemnis.tui.tour.panel import TourPanel


class Touring(App[None]):
    """What an app over an engine adds to be toured.

    Attributes:
        engine: The one that is shown.
        tour_first: Begin with the tour.
    """

    engine: Engine
    tour_first = False

    async def on_mount(self) -> None:
        if self.tour_first:
            await self.action_tour()

    @property
    def tour(self) -> "TourPanel | None":
        """The tour's panel, None while there is no tour."""
        from lemnis.tui.tour.panel import TourPanel

        around = self.screen_stack[0].children if self.screen_stack else ()
        return next((widget for widget in around if isinstance(widget, TourPanel)), None)

    async def action_tour(self) -> None:
        """Begin the tour where it was left, or leave it."""
        if await self.leave_tour():
            return
        from lemnis.tui.tour.panel import TourPanel
        from lemnis.tui.tour.steps import resumed

        tour = resumed(tour_place(self.engine.workspace.root))
        main = self.screen_stack[0]
        await main.mount(TourPanel(tour, self.engine.workspace.root), before=main.query_one(KeyBar))
        self.post_message(StageWanted(tour.step.stage))

    async def action_tour_next(self) -> None:
        """Go to the next step; begin the tour where there is none, and end it behind its last step."""
        if self.tour is None or not self.tour.move(1):
            await self.action_tour()

    async def action_tour_back(self) -> None:
        if self.tour is not None and not self.tour.move(-1):
            self.notify(_("This is the tour's first step."), markup=False)

    async def leave_tour(self) -> bool:
        """Take the tour's panel away; say whether there was one."""
        panel = self.tour
        if panel is None:
            return False
        again = key_of("app.tour")
        await panel.remove()
        self.notify(_("You left the tour. {again} goes on where it was.").format(again=again), markup=False)
        return True

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do an action, and let the tour know of it."""
        done = await super().run_action(action, default_namespace, namespaces)
        panel = self.tour if done else None
        if panel is not None:
            scope = scope_of(default_namespace)
            for each in ACTIONS:
                if each.name == action and each.scope == scope:
                    panel.did(each.id)
        return done


def scope_of(node: DOMNode | None) -> str:
    """Return the scope whose actions a node answers to."""
    if isinstance(node, Stage):
        return node.info.name
    from lemnis.tui.widgets.grid import Grid

    return TABLE if isinstance(node, Table | Grid) else GLOBAL
