"""The palette: every action and stage by name, with its key and its command; generated from `actions`."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from lemnis.engine import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.actions import ACTIONS, TABLE, Action
from lemnis.tui.address import KINDS, looks_like, parsed
from lemnis.tui.keys.keymap import DEFAULT, Keymap
from lemnis.tui.keys.selection import rank
from lemnis.tui.language import _
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.sentences import told
from lemnis.tui.stages import BY_NAME
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.table import Table

if TYPE_CHECKING:
    from lemnis.tui.app import Console

FAR = 1000  # how much a place in the list counts beside how well a text fits


def described(action: Action, keymap: Keymap = DEFAULT) -> str:
    """Return what the palette shows of an action: label, key and command."""
    where = f"{BY_NAME[action.scope].said}: " if action.scope in BY_NAME else ""
    command = f"   lemnis {action.command}" if action.command else ""
    return f"{where}{action.said}   {keymap.label(action)}{command}"


class Palette(Provider):
    """What can be done with the row under the cursor first, then the open stage, everywhere, the other stages."""

    @property
    def _actions(self) -> list[Action]:
        app, table = cast("Console", self.app), self.focused
        here = table.id or "" if isinstance(table, Table) and table.key else ""
        hidden = {"app.command_palette", "app.back"}

        def place(action: Action) -> int:
            may = app.stage is None or action.scope != app.here or bool(app.stage.check_action(action.name, ()))
            return rank(action, stage=app.here, table=here, possible=may)

        return sorted((action for action in ACTIONS if action.id not in hidden), key=place)

    @property
    def _keymap(self) -> Keymap:
        return cast("Console", self.app).keymap

    async def discover(self) -> Hits:
        for action in self._actions:
            if action.scope != TABLE:
                yield DiscoveryHit(described(action, self._keymap), partial(self._do, action), help=action.told)
        yield DiscoveryHit(_("Theme"), self.app.search_themes, help=_("Choose other colours."))

    async def search(self, query: str) -> Hits:
        if looks_like(query):
            yield self._place(query)
        matcher = self.matcher(query)
        for place, action in enumerate(self._actions):
            text = described(action, self._keymap)
            score = max(matcher.match(text), matcher.match(action.help) * 0.8)
            if score > 0:  # of what fits alike, what is listed first comes first
                yield Hit(
                    score * (1 - place / FAR), matcher.highlight(text), partial(self._do, action), help=action.told
                )
        if matcher.match(_("Theme")) > 0:
            yield Hit(
                matcher.match(_("Theme")),
                matcher.highlight(_("Theme")),
                self.app.search_themes,
                help=_("Other colours."),
            )

    def _place(self, query: str) -> Hit:
        """Return the hit that goes to an address, or says what is wrong with it."""
        try:
            place = parsed(query)
        except LemnisError as error:
            say = partial(self.app.notify, error.remedy, title=error.problem, severity="error", markup=False)
            return Hit(2.0, Content(f"{told(error.problem)} {told(error.remedy)}"), say, text=query)
        return Hit(
            2.0,
            Content(_("Go to {place}").format(place=safe(place))),
            partial(self.app.post_message, PlaceWanted(place)),
            text=query,
            help=f"{_(KINDS[place.kind].words).capitalize()}.   lemnis open {place}",
        )

    async def _do(self, action: Action) -> None:
        await self.app.run_action(f"app.do('{action.id}')")


class PaletteScreen(CommandPalette, Dialog[None]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Textual's palette, asked for what its list can't answer yet, or not any more, as keys that come together do.

    A search that was stopped hands in what it found also when the list is gone.
    """

    @property
    def complete(self) -> bool:
        return self._list_visible and super().complete

    def _watch__list_visible(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.query(CommandList):
            super()._watch__list_visible()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # a list that was not drawn yet has no pages
            super()._action_command_list(action)
