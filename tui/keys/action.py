"""One thing a person can do, and the key that does it."""

from msgspec import Struct
from textual.binding import Binding

from lemnis.tui.language import _

GLOBAL, TABLE = "everywhere", "tables"


class Action(Struct, frozen=True):
    """One thing a person can do, and the key that does it.

    Attributes:
        id: Stable name for keymaps, ``scope.name``; the widget's method is ``action_<name>`` unless `call` says else.
        key: Textual's name of the key; several are separated by commas.
        label: One or two words for the footer and the palette.
        help: One sentence for the help screen and the README.
        command: The command that does the same, without ``lemnis``; empty if there is none.
        footer: True for the few that the footer of their stage shows.
        writes: True if it changes something, so that --read-only disables it.
        call: What Textual calls if it is not the name: ``sort('up')``.
        anywhere: True for the few that work over a dialog, and while a line is typed, too.
    """

    id: str
    key: str
    label: str
    help: str
    command: str = ""
    footer: bool = False
    writes: bool = False
    call: str = ""
    anywhere: bool = False

    @property
    def said(self) -> str:
        """The label in the language of the console."""
        return _(self.label)

    @property
    def told(self) -> str:
        """The help in the language of the console."""
        return _(self.help)

    @property
    def scope(self) -> str:
        """``everywhere``, ``tables``, or the stage it belongs to."""
        scope = self.id.split(".")[0]
        return {"app": GLOBAL, "table": TABLE}.get(scope, scope)

    @property
    def name(self) -> str:
        """What Textual calls: the ``x`` of ``action_x``, with its arguments if it has some."""
        return self.call or self.id.split(".", 1)[1]

    def binding(self) -> Binding:
        return Binding(
            self.key, self.name, self.label, tooltip=self.help, id=self.id, show=self.footer, priority=self.anywhere
        )
