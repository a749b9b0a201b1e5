"""The link builder: a link as a form, and beside it what it would do, counted anew with every edit."""

from dataclasses import dataclass
from typing import ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

from lemnis.engine import Engine
from lemnis.engine.config import Dataset, Link
from lemnis.engine.data import KeyProposal, LinkDraft, LinkPreview, Snapshot, drafted, without
from lemnis.engine.errors import BadInput, Cancelled, LemnisError
from lemnis.engine.jobs import user_name
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.sentences import told
from lemnis.tui.stages.data import link_fields as fields
from lemnis.tui.stages.data.link_choices import ProposedKeys, columns_chooser, source_chooser, time_chooser
from lemnis.tui.stages.data.link_keys import KeysScreen
from lemnis.tui.stages.data.link_pane import Cautions, KeyLists, MatchPanel
from lemnis.tui.stages.data.link_rows import key_lists, keys_line
from lemnis.tui.widgets import Confirm, Panel, PromptLine, Table, Words
from lemnis.tui.widgets.dialog import Dialog

DEBOUNCE_SECONDS = 0.15


class LinkBuilder(Dialog[fields.Built | None]):
    """Edits one link; nothing is written before `w`, and esc leaves everything as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Leave", show=False),
        Binding("p", "propose", "Propose keys", show=False),
        Binding("a", "asof", "As-of", show=False),
        Binding("w", "write", "Write", show=False),
        Binding("u", "revert", "Undo", show=False),
        Binding("d", "remove", "Remove", show=False),
        Binding("left_square_bracket", "other(-1)", "Link before", show=False),
        Binding("right_square_bracket", "other(1)", "Link after", show=False),
        Binding("question_mark,K", "explain", "Help", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Opened(Message):
        """The declaration was read."""

        desk: fields.Desk

    @dataclass
    class Looked(Message):
        """The bench answered about a draft, or refused it."""

        draft: LinkDraft
        preview: LinkPreview | None
        error: LemnisError | None = None

    @dataclass
    class Failed(Message):
        """It could not be read or written."""

        error: LemnisError

    @dataclass
    class Done(Message):
        """It was written."""

        built: fields.Built

    @dataclass
    class Weighed(Message):
        """What is lost with the link is known."""

        lost: str

    def __init__(self, engine: Engine, position: int = 0, source: str = "") -> None:
        """Make the builder of the declared link at `position` (from 1), or of that source; of a new one without."""
        super().__init__(classes="link-builder")
        self.engine, self.asked = engine, (position, source)
        self.bench = engine.data.link_bench()
        self.desk = fields.Desk(Dataset(), {})
        self.position = 0
        self.was: Link | None = None
        self.link = Link(source="", on={})
        self.preview: LinkPreview | None = None
        self.error: LemnisError | None = None
        self._fresh = False
        self._timer: Timer | None = None
        self._typing, self._before = "", self.link

    def compose(self) -> ComposeResult:
        with Horizontal(id="link-top"):
            with Panel(_("Link"), id="form-panel"):
                yield Table(*fields.FORM, id="form")
            yield MatchPanel(_("What it does"), id="match-panel")
        yield Cautions(id="link-warnings")
        yield KeyLists(id="link-keys")
        yield PromptLine("✎")
        yield Words(keys_line(*fields.KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#form", Table).focus()
        self.draw()
        self._open()

    def on_unmount(self) -> None:
        self.bench.close()

    # Reading.

    @work(thread=True, exit_on_error=False, group="link-open")
    def _open(self) -> None:
        try:
            dataset = self.engine.config().dataset
            if not dataset.base:
                raise BadInput("No dataset is declared.", "Press {app.edit} to name its base.", "dataset.base")
            states = self.engine.data.sources()
            self.post_message(self.Opened(fields.Desk(dataset, {one.name: one.snapshot for one in states})))
        except LemnisError as error:
            self.post_message(self.Failed(error))

    def on_link_builder_opened(self, message: Opened) -> None:
        self.desk = message.desk
        links, (position, source) = self.desk.dataset.links, self.asked
        if source and not (0 < position <= len(links) and links[position - 1].source == source):
            position = next((number for number, link in enumerate(links, 1) if link.source == source), 0)
        self._turn_to(position or len(links) + 1)

    def _turn_to(self, position: int) -> None:
        """Edit the declared link at a position, or a new one behind the last."""
        links = self.desk.dataset.links
        self.position = position
        self.was = links[position - 1] if position <= len(links) else None
        self.link = self.was or Link(source="", on={})
        self.changed()
        if self.was is None:
            self._choose_source()

    @property
    def draft(self) -> LinkDraft:
        """The dataset with the link as it is edited now."""
        return drafted(self.desk.dataset, self.link, self.position)

    @property
    def edited(self) -> bool:
        """Whether the link differs from the declared one; the order of its keys counts."""
        return self.was is None or self.link != self.was or list(self.link.on) != list(self.was.on)

    def changed(self) -> None:
        """Draw the form, and look at the link once no newer edit comes for a moment; an older look is ended."""
        self.bench.cancel()
        self._fresh, self.error = False, None
        if self._timer is not None:
            self._timer.stop()
        if self.link.source and self.link.on:
            self._timer = self.set_timer(DEBOUNCE_SECONDS, lambda: self._look(self.draft))
        else:
            self.preview = None
        self.draw()

    @work(thread=True, exclusive=True, exit_on_error=False, group="link-look")
    def _look(self, draft: LinkDraft) -> None:
        if get_current_worker().is_cancelled:
            return
        try:
            answer(self.post_message, self.Looked(draft, self.bench.preview(draft)))
        except Cancelled:
            pass
        except LemnisError as error:
            answer(self.post_message, self.Looked(draft, None, error))

    def on_link_builder_looked(self, message: Looked) -> None:
        if message.draft == self.draft:  # else a newer edit came meanwhile
            self.preview, self.error, self._fresh = message.preview, message.error, True
            self.draw()

    def on_link_builder_failed(self, message: Failed) -> None:
        error = message.error
        words = "\n".join(filter(None, (error.place, error.remedy)))
        self.notify(words, title=error.problem, severity="error", markup=False)
        if not self.position:
            self.dismiss(None)

    # Drawing.

    def draw(self) -> None:
        """Draw the form and what is known of the link."""
        title = fields.title_of(self.desk, self.position, edited=self.edited)
        self.query_one("#form-panel", Panel).retitle(*title)
        self.query_one("#form", Table).show(fields.form_rows(self.link))
        looking = bool(self.link.source and self.link.on) and not self._fresh
        title = f"{self.desk.dataset.base} ⟕ {self.link.source}"
        self.query_one(MatchPanel).show(self.preview, self.error, title=title, looking=looking)
        self.query_one(Cautions).show(self.preview)
        self.query_one(KeyLists).show(self.preview)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    # Editing.

    @on(Table.Opened, "#form")
    def edit_field(self, message: Table.Opened) -> None:
        """Edit the field under the cursor: by a list, by typing, or by turning it."""
        name, snapshot = message.key, self.desk.snapshots.get(self.link.source)
        if name == "source" or snapshot is None:
            self._choose_source()
        elif name in fields.TYPED:
            self._typing, self._before = name, self.link
            self.query_one(PromptLine).open(fields.typed_value(self.link, name), fields.TYPED[name])
        elif name in fields.FLAGS:
            self._take(msgspec.structs.replace(self.link, **{name: not getattr(self.link, name)}))
        elif name == "columns":
            self._choose_columns(snapshot)
        else:
            self._choose_time(name, snapshot)

    def _take(self, link: Link) -> None:
        if link != self.link or list(link.on) != list(self.link.on):
            self.link = link
            self.changed()

    def on_prompt_line_typed(self, message: PromptLine.Typed) -> None:
        """Look at what is typed so far, if it says something."""
        if self._typing:
            try:
                self._take(fields.with_typed(self.link, self._typing, message.text))
                self.query_one(PromptLine).tell("")
            except LemnisError as error:
                self.query_one(PromptLine).tell(told(error.problem))

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        prompt = self.query_one(PromptLine)
        try:
            link = fields.with_typed(self.link, self._typing, message.text)
        except LemnisError as error:
            prompt.refuse(error)
            return
        prompt.close()
        self._typing = ""
        self.query_one("#form", Table).focus()
        self._take(link)

    def on_prompt_line_left(self) -> None:
        self._typing = ""
        self.query_one("#form", Table).focus()
        self._take(self._before)

    def _choose_source(self) -> None:
        def chosen(names: list[str] | None) -> None:
            if names and names[0] != self.link.source:
                self.link = self._prefixed(Link(source=names[0], on={}))
                self.changed()
                self.action_propose()
            elif not names and not self.link.source:
                self.dismiss(None)

        self.app.push_screen(source_chooser(self.desk.dataset.base, self.desk.snapshots), chosen)

    def _prefixed(self, link: Link) -> Link:
        """Return a new link with the prefix that it needs, so that what it brings meets no column that is there."""
        return fields.with_prefix(self.desk, link, self.position)

    def _choose_columns(self, snapshot: Snapshot) -> None:
        def chosen(names: list[str] | None) -> None:
            if names is not None:
                self._take(msgspec.structs.replace(self.link, columns=names))

        self.app.push_screen(columns_chooser(snapshot, self.link), chosen)

    def _choose_time(self, name: str, snapshot: Snapshot) -> None:
        def chosen(keys: list[str] | None) -> None:
            if keys is not None:
                column = keys[0].removeprefix("=")
                link = fields.with_asof(self.link, column) if name == "asof" else self.link
                self._take(link if name == "asof" else msgspec.structs.replace(link, time=column))

        self.app.push_screen(time_chooser(snapshot, name), chosen)

    # Keys.

    def action_propose(self) -> None:
        """Measure which keys fit the source."""
        if not self.link.source:
            self._choose_source()
            return

        def chosen(proposal: KeyProposal | None) -> None:
            if proposal is not None:
                link = fields.with_asof(msgspec.structs.replace(self.link, on=proposal.on), proposal.asof)
                usual = self.was is None and link.prefix in ("", f"{link.source}_")  # nobody typed another
                self._take(self._prefixed(link) if usual else link)
            self.changed()

        self.bench.cancel()
        self.app.push_screen(ProposedKeys(self.bench, self.draft), chosen)

    def action_asof(self) -> None:
        """Take the latest row by the time that is later than the decision, or ask by which."""
        later = self.preview.later if self.preview and self._fresh else []
        if later and not self.link.asof:
            self._take(fields.with_asof(self.link, later[0]))
        elif (snapshot := self.desk.snapshots.get(self.link.source)) is not None:
            self._choose_time("asof", snapshot)

    def action_revert(self) -> None:
        """Go back to the link as it is declared."""
        if self.was is not None:
            self._take(self.was)

    def action_other(self, by: int) -> None:
        """Turn to the link before or after; behind the last one is a new one."""
        position = self.position + by
        if self.was is not None and self.edited:
            self.notify(_("This link is edited: w writes it, u takes the edit back."), markup=False)
        elif 1 <= position <= len(self.desk.dataset.links) + 1:
            self._turn_to(position)

    def action_write(self) -> None:
        """Write the link into lemnis.toml, once it was looked at."""
        if self.engine.store.read_only:
            self.notify(_("This workspace is open read-only."), severity="warning", markup=False)
        elif not self.edited:
            self.notify(_("Nothing was changed."), markup=False)
        elif self.error is not None:
            self.notify(_("This link is refused: mend it first."), severity="warning", markup=False)
        elif not self._fresh or self.preview is None:
            self.notify(_("A link is written once it was counted."), severity="warning", markup=False)
        else:
            self._write(self.draft, self.was)

    @work(thread=True, exit_on_error=False, group="link-write")
    def _write(self, draft: LinkDraft, was: Link | None) -> None:
        try:
            self.engine.data.declare_link(draft, was=was, who=user_name())
        except LemnisError as error:
            self.post_message(self.Failed(error))
        else:
            self.post_message(self.Done(fields.Built("written", draft.link.source)))

    def action_remove(self) -> None:
        """Ask what the dataset would lose, then whether to take the link out."""
        if self.was is not None and not self.engine.store.read_only:
            self._weigh(without(self.desk.dataset, self.position))

    @work(thread=True, exit_on_error=False, group="link-weigh")
    def _weigh(self, dataset: Dataset) -> None:
        try:
            refused = self.bench.refusal(dataset)
            uses = self.engine.lifecycle.link_dependents(self.position).words
            self.post_message(self.Weighed(fields.lost_words(uses, refused)))
        except LemnisError as error:
            self.post_message(self.Weighed(told(error.problem)))

    def on_link_builder_weighed(self, message: Weighed) -> None:
        was = self.was
        if was is None:
            return
        question = _("Take the link to {source} out of lemnis.toml? The history keeps it.").format(source=was.source)

        def answered(yes: bool | None) -> None:
            if yes:
                self._remove(self.position, was)

        self.app.push_screen(Confirm(question, lost=message.lost, word=_("take it out")), answered)

    @work(thread=True, exit_on_error=False, group="link-write")
    def _remove(self, position: int, was: Link) -> None:
        try:
            self.engine.data.remove_link(position, was, who=user_name())
        except LemnisError as error:
            self.post_message(self.Failed(error))
        else:
            self.post_message(self.Done(fields.Built("removed", was.source)))

    def on_link_builder_done(self, message: Done) -> None:
        self.dismiss(message.built)

    @on(Table.Opened, "#left,#right,#duplicates")
    def open_keys(self, message: Table.Opened) -> None:
        """Show all keys of one kind."""
        part = next(one for one in key_lists(self.preview) if one.side == message.table.id)
        if self._fresh and self.preview is not None:
            self.app.push_screen(KeysScreen(self.bench, self.draft, part.side, part.total, part.top))

    def action_explain(self) -> None:
        """Say what the keys do and what the words mean."""
        self.app.push_screen(Explanation(_("The link builder"), fields.HELP))

    def action_leave(self) -> None:
        self.dismiss(None)
