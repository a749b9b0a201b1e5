"""The storage screen: what is kept, whether it is whole, and what nothing refers to; each key asks the stage to act."""

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.data import Verification
from lemnis.engine.data.gc import Collection, Plan
from lemnis.tui.format import age, bytes_, number
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Facts, Panel, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog

COLUMNS = (Col("file"), Col("what"), Col("size", right=True), Col("why", "why it is listed", flex=True))


class StorageView(Struct, frozen=True):
    """What is kept, read at one moment; `found` is when files were last verified, and what that found."""

    at: int
    plan: Plan
    found: tuple[int, Verification] | None
    last: Collection | None


class Storage(Dialog[str | None]):
    """Dismisses with what the person wants: ``verify``, ``verify all``, ``collect``, or None."""

    BINDINGS = [
        Binding("escape,q,w", "leave", "Back", show=False),
        Binding("v", "want('verify')", "Verify", show=False),
        Binding("V", "want('verify all')", "Verify all", show=False),
        Binding("d", "want('collect')", "Remove", show=False),
    ]

    def __init__(self, view: StorageView, *, read_only: bool) -> None:
        super().__init__(classes="storage")
        self.view, self.read_only = view, read_only

    def compose(self) -> ComposeResult:
        with Vertical(), Panel(_("Storage"), id="storage-panel"):
            yield Facts(id="storage-facts")
            yield Table(*COLUMNS, id="storage-files", empty=_("Every file is whole and in use."))
        yield Words(keys_line(self.view, self.read_only), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#storage-facts", Facts).show(facts(self.view))
        table = self.query_one("#storage-files", Table)
        table.show(file_rows(self.view))
        table.focus()

    def action_want(self, what: str) -> None:
        if not self.read_only and (what != "collect" or self.view.plan.removable):
            self.dismiss(what)

    def action_leave(self) -> None:
        self.dismiss(None)


def keys_line(view: StorageView, read_only: bool) -> Content:
    """Return the keys that do something now."""
    keys = [("esc", "back")]
    if not read_only:
        remove = [("d", _("remove {bytes}").format(bytes=bytes_(view.plan.bytes)))] if view.plan.removable else []
        keys = [("v", _("verify what was touched")), ("V", _("read every file")), *remove, *keys]
    return Content.assemble(
        *((text, style) for key, does in keys for text, style in ((f" {key} ", "$key"), (f" {_(does)}  ", "")))
    )


def facts(view: StorageView) -> list[tuple[str, Cell]]:
    """Return what is kept, in words."""
    plan = view.plan
    last = _("nothing was removed yet")
    if view.last is not None:
        gone = view.last
        last = _("{files} files, {bytes}, {at} ago by {who}").format(
            files=number(gone.files), bytes=bytes_(gone.bytes), at=age(gone.at, view.at), who=gone.who
        )
    return [
        (
            _("in use"),
            _("{kept} files, {kept_bytes}").format(kept=number(plan.kept), kept_bytes=bytes_(plan.kept_bytes)),
        ),
        (
            _("unused"),
            _("{removable} files, {bytes}").format(removable=number(len(plan.removable)), bytes=bytes_(plan.bytes))
            if plan.removable
            else _("nothing"),
        ),
        (_("verified"), verified(view)),
        (_("removed"), last),
    ]


def verified(view: StorageView) -> Cell:
    """Return when files were last verified and what was found."""
    if view.found is None:
        return _("each file is checked when it is first read; v reads them now")
    at, found = view.found
    when = _("{at} ago:").format(at=age(at, view.at)) + " "
    if found.faults:
        return Content.assemble(
            when,
            (
                _("▲ {faults} of {files} files are not whole").format(faults=len(found.faults), files=found.files),
                "$bad",
            ),
        )
    return Content.assemble(
        when, (_("● {files} files whole").format(files=number(found.files)), "$ok"), f", {bytes_(found.bytes)}"
    )


def file_rows(view: StorageView) -> list[Row]:
    """Return the files that are wrong, then those that may go, largest first."""
    rows: list[Row] = []
    for fault in view.found[1].faults if view.found else []:
        needed = _("needed by {held_by}.").format(held_by=", ".join(fault.held_by)) + " " if fault.held_by else ""
        cells: list[Cell] = [
            fault.title,
            Content.styled(f"▲ {told(fault.condition)}", "$bad"),
            "",
            needed + told(fault.remedy),
        ]
        rows.append(Row(f"fault {fault.path}", cells))
    for one in view.plan.removable:
        why = _("a writer that was killed left it") if one.kind == "leftover" else _("nothing refers to it")
        rows.append(
            Row(str(one.path), [one.title, one.kind, bytes_(one.bytes), why], [one.title, one.kind, one.bytes, why])
        )
    return rows
