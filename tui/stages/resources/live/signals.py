"""Which signal a process shall get: names the process and what is lost; the key that asked answers nothing."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.resources import SIGNALS, Process
from lemnis.engine.text import safe
from lemnis.tui.language import N_, _
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.text import Words

MEANINGS = {
    "TERM": ("t", N_("end, and may clean up first")),
    "INT": ("i", N_("interrupt, as ctrl+c does")),
    "HUP": ("h", N_("hang up; many servers read their configuration anew")),
    "STOP": ("z", N_("stand still; it keeps its memory and its GPU")),
    "CONT": ("c", N_("go on after standing still")),
    "KILL": ("K", N_("end at once: what it has not written is lost")),
}
LISTED = 5


class SignalMenu(Dialog[str]):
    """Dismisses with the name of a signal, or with an empty string."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(MEANINGS[name][0], f"choose('{name}')", name, show=False) for name in SIGNALS),
        Binding("escape,q,n", "choose('')", "None", show=False),
    ]

    def __init__(self, processes: list[Process]) -> None:
        super().__init__()
        self.processes = processes

    def compose(self) -> ComposeResult:
        ours = [process.owner for process in self.processes if process.owner]
        with Vertical(classes="dialog"):
            yield Words(Content.styled(question(self.processes), "bold"))
            for process in self.processes[:LISTED]:
                yield Words(Content.assemble((f"{process.pid:>8}  ", "$muted"), safe(process.command, limit=56)))
            if len(self.processes) > LISTED:
                yield Words(
                    Content.styled(
                        "          " + _("and {processes} more").format(processes=len(self.processes) - LISTED),
                        "$muted",
                    )
                )
            if ours:
                lost = _("▲ works for {ours}: stopping its job (x) lets it keep what it did").format(ours=ours[0])
                yield Words(Content.styled(safe(lost, limit=200), "$warn"))
            for name in SIGNALS:
                key, does = MEANINGS[name]
                yield Words(
                    Content.assemble((f" {key} ", "$key"), f" SIG{name:<5} ", (does, "$muted")), classes="choice"
                )
            yield Words(Content.assemble((" esc ", "$key"), f" {_('send nothing')}"), classes="keys")

    def action_choose(self, name: str) -> None:
        self.dismiss(name)


def question(processes: list[Process]) -> str:
    """Return what is asked."""
    if len(processes) == 1:
        one = processes[0]
        return safe(
            _("Which signal shall process {pid} of {user} get?").format(pid=one.pid, user=one.user or _("nobody")),
            limit=120,
        )
    return _("Which signal shall these {processes} processes get?").format(processes=len(processes))
