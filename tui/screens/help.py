"""The help screen: the keys of the open stage, of tables and of everywhere, generated from `actions`."""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from lemnis.tui.actions import GLOBAL, TABLE, Action, actions
from lemnis.tui.keys.keymap import DEFAULT, Keymap
from lemnis.tui.language import _
from lemnis.tui.stages import BY_NAME
from lemnis.tui.widgets.cells import fitted
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.text import Words


class Help(Dialog[None]):
    """Keys, what they do and the command that does the same."""

    BINDINGS = [
        Binding("escape,q,question_mark", "dismiss", "Close", show=False),
        Binding("j", "scroll('down')", "Down", show=False),
        Binding("k", "scroll('up')", "Up", show=False),
    ]

    def __init__(self, stage: str, keymap: Keymap = DEFAULT, *, alone: bool = False) -> None:
        """Tell the keys of a stage; `alone` where there is no console around it."""
        super().__init__()
        self.stage, self.keymap, self.alone = stage, keymap, alone

    def compose(self) -> ComposeResult:
        title = BY_NAME[self.stage].said
        sections = [(title, actions(self.stage)), (_("Tables"), actions(TABLE))]
        if not self.alone:
            sections.append((_("Everywhere"), everywhere(self.keymap)))
        with Vertical(classes="dialog help"):
            with VerticalScroll():
                for name, listed in sections:
                    if listed:
                        yield Words(section(name, listed, self.keymap))
            yield Words(
                Content.assemble((" esc ", "$key"), f" {_('close')}   ", (" j k ", "$key"), f" {_('scroll')}"),
                classes="keys",
            )

    def action_scroll(self, direction: str) -> None:
        box = self.query_one(VerticalScroll)
        box.scroll_down(animate=False) if direction == "down" else box.scroll_up(animate=False)


def everywhere(keymap: Keymap = DEFAULT) -> list[Action]:
    """Return the global actions; the ten stage keys are one line where they are their own."""
    if any(name.startswith("app.go_") for name in keymap.changed):
        return actions(GLOBAL)
    rest = [action for action in actions(GLOBAL) if not action.id.startswith("app.go_")]
    return [Action("app.go", "1,2,3,4,5,6,7,8,9,0", "Stages", "Go to a stage of the loop."), *rest]


def section(title: str, listed: list[Action], keymap: Keymap = DEFAULT) -> Content:
    """Return one block of the help: keys, label, sentence, command."""
    keys = [keymap.label(action) if action.id != "app.go" else "1 … 9 0" for action in listed]
    wide = max(8, *map(len, keys))
    names = max(cell_len(action.said) for action in listed)
    lines = [Content.styled(title, "bold $stage-accent")]
    for key, action in zip(keys, listed, strict=True):
        name = fitted(Content(action.said), names)
        line = Content.assemble((f"  {key:>{wide}}", "$key"), "  ", name, "  ", (action.told, "$muted"))
        if action.command:
            line += Content.styled(f"  lemnis {action.command}", "$faint")
        lines.append(line)
    return Content("\n").join([*lines, Content("")])


def keys_table(keymap: Keymap = DEFAULT) -> str:
    """Return the README's table of keys as Markdown."""
    rows = [_("| key | where | does |"), "| --- | --- | --- |"]
    for scope in (GLOBAL, TABLE, *BY_NAME):
        for action in everywhere(keymap) if scope == GLOBAL else actions(scope):
            keys = (
                "`1` … `9` `0`" if action.id == "app.go" else " ".join(f"`{k}`" for k in keymap.label(action).split())
            )
            where = BY_NAME[scope].title if scope in BY_NAME else scope
            rows.append(f"| {keys} | {where} | {action.help} |")
    return "\n".join(rows) + "\n"
