"""The two lines that frame every stage: where we are and what the engine does, and the keys that help now."""

from typing import Any

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from lemnis.engine.text import safe
from lemnis.tui.actions import key_label
from lemnis.tui.format import verdict
from lemnis.tui.language import _
from lemnis.tui.messages import EngineSeen
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import fitted

FOOTER_KEYS = 5


class FactLine(Widget):
    """One line: the workspace, the engine's state, and what a person must know about this console."""

    workspace: reactive[str] = reactive("")
    engine: reactive[EngineSeen | None] = reactive(None)
    lasting: reactive[tuple[str, ...]] = reactive(())
    broken: reactive[str] = reactive("")
    mouse_off: reactive[bool] = reactive(False)
    past: reactive[str] = reactive("")

    def render(self) -> RenderResult:
        if self.past:  # of everything else on this line it would be said that it is so now
            return fitted(
                Content.assemble((" ◷ ", "$warn"), (safe(self.past, limit=300), "bold $warn")), self.size.width
            )
        line = Content.assemble((f" {safe(self.workspace, limit=40)} ", "bold"))
        if self.engine is not None:
            seen, judged = self.engine, verdict(self.engine.state)
            line += Content.assemble((f"  {_('engine')} ", "$muted"), (judged.text, judged.style))
            if seen.running or seen.queued:
                line += Content.styled(
                    "  " + _("{running} running, {queued} queued").format(running=seen.running, queued=seen.queued),
                    "$muted",
                )
            if seen.state != "up" and seen.why:
                line += Content.styled(f"  {safe(told(_(seen.why)), limit=120)}", "$muted")
        if self.mouse_off:
            line += Content.styled(f"  {_('mouse off')}", "$muted")
        for notice in filter(None, (self.broken, *self.lasting)):
            line += Content.assemble("  ", ("▲ ", "$warn"), safe(notice, limit=300))
        return fitted(line, self.size.width)


class KeyBar(Widget):
    """One line: up to five keys of the pane that has the focus, help and palette, and the age of what is shown."""

    age: reactive[str] = reactive("")
    stale: reactive[bool] = reactive(False)  # whether the age is one to worry about
    keys: reactive[tuple[tuple[str, str, bool], ...]] = reactive(())
    always: reactive[tuple[str, str]] = reactive(("?", ":"))  # the keys of help and palette

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.read_keys)
        self.read_keys()

    def read_keys(self, screen: Screen[Any] | None = None) -> None:
        """Take the keys that answer now; the nearest to the focus come first."""
        shown: dict[str, tuple[str, str, bool]] = {}
        for active in self.screen.active_bindings.values():
            binding, enabled = active.binding, active.enabled
            if binding.show and binding.id and not binding.id.startswith("app."):
                shown.setdefault(binding.id, (key_label(binding.key), binding.description, enabled))
        self.keys = tuple(shown.values())[:FOOTER_KEYS]

    def render(self) -> RenderResult:
        keys = [
            Content.assemble((f" {key} ", "$key"), (f"{_(label)}  ", "" if enabled else "$faint"))
            for key, label, enabled in self.keys
        ]
        endings = self.endings(Content.styled(f"{self.age} ", "$warn" if self.stale else "$muted"), stale=self.stale)
        needed = sum(key.cell_length for key in keys)
        end = next((end for end in endings if needed + end.cell_length <= self.size.width), endings[-1])
        room = self.size.width - end.cell_length
        line = Content("")
        for key in keys:
            if line.cell_length + key.cell_length <= room:
                line += key
        return fitted(line, room) + end

    def endings(self, age: Content, *, stale: bool) -> list[Content]:
        """Return what may stand on the right, the fullest first; a stale age is never left out."""
        keys = zip(self.always, (_("Help"), _("Palette")), strict=True)
        help_key, palette = (Content.assemble((f" {key} ", "$key"), f"{label} ") for key, label in keys)
        short = [age + help_key] if stale else [help_key + palette, help_key]
        return [age + help_key + palette, *short]
