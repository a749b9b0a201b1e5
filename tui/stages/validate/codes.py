"""The codes that a check does not know, by how many rows hold them, and what to do with them."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from msgspec import Struct
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.jobs import user_name
from lemnis.engine.text import safe
from lemnis.engine.validate.code_lists import CodeEvent, ListedCodes, UnknownCodes
from lemnis.tui.answers import answer
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.stages.validate.code_rows import (
    CODE_COLUMNS,
    EVENT_COLUMNS,
    UNKNOWN_COLUMNS,
    code_row,
    event_row,
    unknown_row,
)
from lemnis.tui.stages.validate.form import Answers, Form, Question
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

KEYS = (
    ("space", 'mark'), ("a", 'add'), ("m", 'map'), ("q", 'quarantine'), ("d", 'end a code'), ("u", 'undo'),
    ("tab", 'next'), ("esc", 'back'),
)  # fmt: skip


class CodesView(Struct, frozen=True):
    """What the screen shows; `listed` is None before the check has a list of its own."""

    unknown: UnknownCodes
    listed: ListedCodes | None
    events: list[CodeEvent]


class CodesScreen(Dialog[bool]):
    """Unknown codes above, the list and its changes below; dismisses with whether something was changed."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", "Back", show=False),
        Binding("a", "add", "Add", show=False),
        Binding("m", "map", "Map", show=False),
        Binding("q", "quarantine", "Quarantine", show=False),
        Binding("d", "deprecate", "End a code", show=False),
        Binding("u", "undo", "Undo", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    def __init__(self, engine: Engine, check: str, run: int) -> None:
        super().__init__()
        self.engine, self.check, self.run_id = engine, check, run
        self.changed = False
        self._view: CodesView | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog codes"):
            yield ErrorStrip()
            with Panel(_("Unknown codes"), id="unknown-panel"):
                yield Table(*UNKNOWN_COLUMNS, id="unknown", empty=_("Reading …"))
            with Panel(_("Code list"), id="list-panel"):
                yield Table(*CODE_COLUMNS, id="codes", empty=_("No list yet: the first act on this check makes one."))
            with Panel(_("Changes"), id="events-panel"):
                yield Table(*EVENT_COLUMNS, id="events", empty=_("Nothing was changed yet."))
            yield Words(id="codes-said")
            keys = [part for key, word in KEYS for part in ((f" {key} ", "$key"), f" {_(word)} ")]
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#unknown", Table).focus()
        self._load()

    @work(thread=True, exclusive=True, exit_on_error=False, group="codes")
    def _load(self) -> None:
        room = self.engine.validate.codes
        try:
            unknown, events = room.unknown(self.check, self.run_id), room.events(self.check)
            listed = room.show(self.check) if unknown.listed else None
        except LemnisError as error:
            answer(self.call_later, self._refused, error)
        else:
            answer(self.call_later, self._show, CodesView(unknown, listed, events))

    def _say(self, text: str) -> None:
        self.query_one("#codes-said", Words).say(text)

    def _refused(self, error: LemnisError) -> None:
        self.query_one(ErrorStrip).show(error)

    def _show(self, view: CodesView) -> None:
        self._view = view
        unknown, listed = view.unknown, view.listed
        table = self.query_one("#unknown", Table)
        table.empty = _("Every value is a code.")
        table.show([unknown_row(each, unknown.failing) for each in unknown.codes])
        shown = (
            _("{codes} of {distinct}").format(codes=len(unknown.codes), distinct=number(unknown.distinct))
            if unknown.codes
            else _("none")
        )
        detail = _("{check} · {shown} · {failing} rows of run {run}").format(
            check=self.check, shown=shown, failing=number(unknown.failing), run=unknown.run
        )
        self.query_one("#unknown-panel", Panel).retitle(_("Unknown {column}").format(column=unknown.column), detail)
        if listed is None:
            self.query_one("#codes", Table).show([])
        else:
            entries = [code_row(entry) for entry in listed.codes.entries]
            synonyms = [code_row(None, synonym, code) for synonym, code in listed.codes.synonyms.items()]
            self.query_one("#codes", Table).show([*entries, *synonyms])
            more = (
                " " + _("· and all of {reference}").format(reference=listed.codes.reference)
                if listed.codes.reference
                else ""
            )
            self.query_one("#list-panel", Panel).retitle(f"{listed.name} v{listed.version}", f"{len(entries)}{more}")
        self.query_one("#events", Table).show([event_row(event) for event in view.events])

    def _chosen(self) -> list[str]:
        """Return the marked unknown values, or the one under the cursor."""
        table = self.query_one("#unknown", Table)
        marked = list(table.marks)
        return marked or ([table.key] if table.key else [])

    def _ask(self, title: str, text: str, questions: list[Question], word: str, act: Callable[[Answers], Any]) -> None:
        """Ask for what an act needs and do it in a thread."""
        if self.engine.store.read_only:
            self._say(_("This workspace is open read-only."))
            return

        def answered(answers: Answers | None) -> None:
            if answers is not None:
                self._do(act, answers)

        self.app.push_screen(Form(title, text, [*questions, Question("who", "who", user_name())], word=word), answered)

    @work(thread=True, exit_on_error=False, group="codes-act")
    def _do(self, act: Callable[[Answers], CodeEvent], answers: Answers) -> None:
        try:
            event = act(answers)
        except LemnisError as error:
            self.app.call_later(self._refused, error)
        else:
            self.app.call_later(self._done, event)

    def _done(self, event: CodeEvent) -> None:
        self.changed = True
        self.query_one(ErrorStrip).clear()
        self.query_one("#unknown", Table).marks.clear()
        aside = " " + _("{rows} rows are kept aside; link the data again to leave them out.").format(
            rows=number(event.rows)
        )
        rows = aside if event.rows else ""
        said = f"{event.act}: {safe(', '.join(event.codes), limit=60)}.{rows}"
        self.query_one("#codes-said", Words).say(Content.assemble(("● ", "$ok"), said))
        self._load()

    def action_add(self) -> None:
        chosen = self._chosen()
        if not chosen:
            self._say(_("There is no unknown code to add."))
            return
        questions = [Question("why", "why"), Question("start", "valid from", optional=True)]

        def act(answers: Answers) -> CodeEvent:
            add = self.engine.validate.codes.add
            return add(self.check, chosen, who=answers["who"], why=answers["why"], start=answers["start"])

        self._ask(
            _("Add {chosen}").format(chosen=", ".join(chosen)),
            _("They are codes from the next run on."),
            questions,
            "add",
            act,
        )

    def action_map(self) -> None:
        chosen = self._chosen()
        if not chosen or self._view is None:
            self._say(_("There is no unknown code to map."))
            return
        like = next((each.like for each in self._view.unknown.codes if each.value == chosen[0]), "")
        questions = [Question("to", "stands for", like), Question("why", "why")]

        def act(answers: Answers) -> CodeEvent:
            return self.engine.validate.codes.map(
                self.check, chosen, answers["to"], who=answers["who"], why=answers["why"]
            )

        text = _("They are accepted as that code from the next run on, and counted.")
        self._ask(_("Map {chosen}").format(chosen=", ".join(chosen)), text, questions, "map", act)

    def action_quarantine(self) -> None:
        chosen = self._chosen()
        if not chosen or self._view is None:
            self._say(_("There is no unknown code."))
            return
        rows = sum(each.rows for each in self._view.unknown.codes if each.value in chosen)

        def act(answers: Answers) -> CodeEvent:
            quarantine = self.engine.validate.codes.quarantine
            return quarantine(self.check, chosen, who=answers["who"], why=answers["why"])

        text = _("{rows} rows are copied aside; a rule in lemnis.toml leaves them out of the next version.").format(
            rows=number(rows)
        )
        self._ask(
            _("Quarantine {chosen}").format(chosen=", ".join(chosen)), text, [Question("why", "why")], "quarantine", act
        )

    def action_deprecate(self) -> None:
        code = self.query_one("#codes", Table).key
        if self._view is None or self._view.listed is None or not code or code.startswith("="):
            self._say(_("Choose a code of the list below (tab)."))
            return
        today = iso_utc(now_ms())[:10]
        questions = [
            Question("end", "valid until", today), Question("to", "replaced by", optional=True), Question("why", "why")
        ]  # fmt: skip

        def act(answers: Answers) -> CodeEvent:
            end = partial(self.engine.validate.codes.deprecate, self.check, code, end=answers["end"])
            return end(replacement=answers["to"], who=answers["who"], why=answers["why"])

        self._ask(
            _("End {code}").format(code=code), _("Rows from that day on must not hold it."), questions, _("end it"), act
        )

    def action_undo(self) -> None:
        events = self._view.events if self._view else []
        under = self.query_one("#events", Table).key if self.query_one("#events", Table).has_focus else ""
        undoable = [each for each in events if each.act not in ("undo", "edit") and not each.undone]
        event = next((each for each in undoable if not under or str(each.id) == under), None)
        if event is None:
            self._say(_("There is no change to take back."))
            return
        event_id = event.id

        def act(answers: Answers) -> CodeEvent:
            return self.engine.validate.codes.undo(event_id, who=answers["who"], why=answers["why"])

        title = _("Take back: {act} {codes}").format(act=event.act, codes=", ".join(event.codes))
        self._ask(title, _("What came after it stays."), [Question("why", "why")], _("take back"), act)

    def action_leave(self) -> None:
        self.dismiss(self.changed)
