"""The palette: every action and stage by name, with its key and its command; generated from `actions`."""

import re
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE, Action, key_label
from lemnis.tui.messages import IncidentWanted
from lemnis.tui.stages import BY_NAME


def described(action: Action) -> str:
    """Return what the palette shows of an action: label, key and command."""
    where = f"{BY_NAME[action.scope].title}: " if action.scope in BY_NAME else ""
    command = f"   lemnis {action.command}" if action.command else ""
    return f"{where}{action.label}   {key_label(action.key)}{command}"


class Palette(Provider):
    """Actions of the open stage first, then stages and what works everywhere, then the other stages' actions."""

    @property
    def _actions(self) -> list[Action]:
        here = getattr(self.app, "here", "")
        rank = {here: 0, GLOBAL: 1, TABLE: 2}
        hidden = {"app.command_palette", "app.back"}
        return sorted(
            (action for action in ACTIONS if action.id not in hidden), key=lambda action: rank.get(action.scope, 3)
        )

    async def discover(self) -> Hits:
        for action in self._actions:
            if action.scope != TABLE:
                yield DiscoveryHit(described(action), partial(self._do, action), help=action.help)
        yield DiscoveryHit("Theme", self.app.search_themes, help="Choose other colours.")

    async def search(self, query: str) -> Hits:
        if found := re.fullmatch(r"\s*alert/(\d{1,9})\s*", query):
            wanted = IncidentWanted(int(found.group(1)))
            yield Hit(1.0, query, partial(self.app.post_message, wanted), help="Everything around this alert.")
        matcher = self.matcher(query)
        for action in self._actions:
            text = described(action)
            score = max(matcher.match(text), matcher.match(action.help) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._do, action), help=action.help)
        if matcher.match("Theme") > 0:
            yield Hit(matcher.match("Theme"), matcher.highlight("Theme"), self.app.search_themes, help="Other colours.")

    async def _do(self, action: Action) -> None:
        await self.app.run_action(f"app.do('{action.id}')")
