"""The share screen: what is here, at a remote, or both; pushes, pulls, writes bundles and takes them in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.jobs import Job
from lemnis.engine.share import Item, Overview
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.sentences import told
from lemnis.tui.stages.data.preview import PathAsked
from lemnis.tui.stages.data.rows import SHARING, job_text
from lemnis.tui.stages.data.share_rows import (
    COLUMNS,
    EMPTY,
    WIDE_COLUMNS,
    ShareView,
    keys_line,
    newest_first,
    note_text,
    thing_row,
    thing_text,
    things,
    title_text,
)
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Meter, Panel, Table, Words
from lemnis.tui.widgets.confirm import Confirm
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 1.0
WIDE = 110


class ShareScreen(Dialog[None]):
    """One list of everything that is here or at the remote; space marks several."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,P", "dismiss", "Back", show=False),
        Binding("u", "push", "Push", show=False),
        Binding("d", "pull", "Pull", show=False),
        Binding("b", "export", "Bundle", show=False),
        Binding("i", "take_in", "Import", show=False),
        Binding("r", "next_remote", "Next remote", show=False),
        Binding("R", "look", "Look again", show=False),
        Binding("x", "stop", "Stop", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """What is where came back from the thread; `error` says why the remote did not answer."""

        view: ShareView
        error: LemnisError | None

    @dataclass
    class JobSeen(Message):
        """The newest transfer was read."""

        job: Job | None

    @dataclass
    class Refused(Message):
        """Something could not be done."""

        error: LemnisError

    def __init__(self, engine: Engine) -> None:
        super().__init__(classes="share")
        self.engine = engine
        self.remote = ""  # empty: the first
        self.view: ShareView | None = None
        self.job: Job | None = None
        self.ended: int | None = None  # the newest transfer whose end is known; None before the first look

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Meter("", label_width=30, id="share-work")
        with Vertical(), Panel(_("Share"), id="share-panel"):
            yield Words("", id="share-note")
            yield Table(*COLUMNS, id="share-things", empty=_("Looking …"))
        yield Words(keys_line(self.engine.store.read_only), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Meter).display = self.query_one("#share-note").display = False
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.follow)
        self.follow()
        self.look()

    @work(thread=True, exclusive=True, exit_on_error=False, group="share")
    def look(self) -> None:
        """Ask the remote and the store what they have."""
        room = self.engine.share
        failed: LemnisError | None = None
        try:
            remotes = list(room.remotes())
            remote = self.remote if self.remote in remotes else next(iter(remotes), "")
            here = Overview(remote=remote, url="", items=newest_first(room.items()))
            found = here
            if remote:
                try:
                    found = room.overview(remote)
                except LemnisError as error:
                    failed = error
            origins = {origin.id: origin for origin in room.origins()}
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(
                self.post_message, self.Read(ShareView(self.engine.now_ms(), remotes, remote, found, origins), failed)
            )

    @work(thread=True, exclusive=True, exit_on_error=False, group="share-job")
    def follow(self) -> None:
        """Read how the newest transfer stands."""
        try:
            jobs = [job for job in self.engine.jobs.jobs(limit=100) if job.kind in SHARING]
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            live = next((job for job in jobs if not job.ended), None)
            answer(self.post_message, self.JobSeen(live or max(jobs, key=lambda job: job.id, default=None)))

    def on_share_screen_read(self, message: Read) -> None:
        self.view = message.view
        strip = self.query_one(ErrorStrip)
        if message.error is None:
            strip.clear()
        else:
            strip.show(message.error)
        self.draw()

    def on_share_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_share_screen_job_seen(self, message: JobSeen) -> None:
        job = self.job = message.job
        meter = self.query_one(Meter)
        meter.display = job is not None and not job.ended
        known, ended = self.ended, job.id if job is not None and job.ended else 0
        self.ended = max(known or 0, ended)
        if job is None:
            return
        if not job.ended:
            meter.label = told(job.title)
            meter.show(job.progress, job_text(job), warn=2, bad=2)
        elif known is not None and known < ended:
            severity = "information" if job.state == "finished" else "error"
            said = "" if job.state == "finished" else f": {told(job.why)}"
            ended_as = _("{title} is {state}{said}").format(title=told(job.title), state=_(job.state), said=said)
            self.notify(ended_as, severity=severity, markup=False)
            self.look()

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Draw what was read."""
        view = self.view
        if view is None:
            return
        wide = self.size.width >= WIDE
        note = self.query_one("#share-note", Words)
        note.display = not view.remotes or bool(view.found.faults)
        note.say(note_text(view))
        panel = self.query_one("#share-panel", Panel)
        panel.retitle(_("Share"), title_text(view))
        panel.footnote(
            _("remote {index} of {remotes}").format(
                index=view.remotes.index(view.remote) + 1, remotes=len(view.remotes)
            )
            if view.remote
            else ""
        )
        table = self.query_one(Table)
        table.empty = EMPTY
        table.set_columns(WIDE_COLUMNS if wide else COLUMNS)
        table.show([thing_row(item, view, wide=wide) for item in view.found.items])

    # Keys.

    def chosen(self, wanted: Callable[[Item], bool], otherwise: str) -> list[str]:
        """Return the ids of what is marked, or of what the cursor is on, as far as it is wanted; else say why not."""
        table = self.query_one(Table)
        keys = table.marks or ([table.key] if table.key else [])
        items = {item.id: item for item in self.view.found.items} if self.view else {}
        found = [key for key in keys if key in items and wanted(items[key])]
        if not found:
            self.notify(otherwise, severity="warning", markup=False)
        return found

    def do(self, call: Callable[..., int], *arguments: Any, done: str, **options: Any) -> None:
        """Queue a job in a thread, see to it that it is started, and say so. Any: what the engine's method takes."""
        if self.engine.store.read_only:
            self.notify(_("This workspace is open read-only."), severity="warning", markup=False)
            return

        def start() -> None:
            try:
                call(*arguments, **options)
                self.engine.jobs.ensure_supervisor()
            except LemnisError as error:
                self.post_message(self.Refused(error))
            else:
                self.call_later(self.notify, done, markup=False)
                self.call_later(self.follow)

        self.query_one(ErrorStrip).clear()
        self.query_one(Table).mark_only([])
        self.run_worker(start, thread=True, exit_on_error=False, group="share-do")

    def action_push(self) -> None:
        """Bring what is marked to the remote."""
        if self.view is None or not self.view.remote:
            self.notify(_("No remote is declared."), severity="warning", markup=False)
            return
        ids = self.chosen(lambda item: item.here, _("Choose something that is here."))
        if ids:
            remote = self.view.remote
            self.do(
                self.engine.share.start_push,
                ids,
                remote=remote,
                done=_("Queued: {things} to {remote}.").format(things=things(ids), remote=remote),
            )

    def action_pull(self) -> None:
        """Take what is marked over from the remote."""
        if self.view is None or not self.view.remote:
            self.notify(_("No remote is declared."), severity="warning", markup=False)
            return
        ids = self.chosen(lambda item: item.there and not item.here, _("Choose something that is only at the remote."))
        if ids:
            remote = self.view.remote
            self.do(
                self.engine.share.start_pull,
                ids,
                remote=remote,
                done=_("Queued: {things} from {remote}.").format(things=things(ids), remote=remote),
            )

    def action_export(self) -> None:
        """Ask for a file and write what is marked into it, with the rows it was trained on."""
        ids = self.chosen(lambda item: item.here, _("Choose something that is here."))

        def named(path: str | None) -> None:
            if path:
                file = self.path_of(path)
                self.do(
                    self.engine.share.start_export,
                    file,
                    ids,
                    data=True,
                    done=_("Queued: {name} is written.").format(name=file.name),
                )

        if ids:
            first = next(item for item in self.view.found.items if item.id == ids[0]) if self.view else None
            name = f"{first.name}-{first.short}.zip" if first else "bundle.zip"
            question = _("Write {things} to which file? Runs and models bring the rows they were trained on.").format(
                things=things(ids)
            )
            self.app.push_screen(PathAsked(question, name, "late.zip"), named)

    def action_take_in(self) -> None:
        """Ask for a bundle and take it in."""

        def named(path: str | None) -> None:
            if path:
                file = self.path_of(path)
                self.do(
                    self.engine.share.start_import,
                    file,
                    done=_("Queued: {name} is checked, then taken in.").format(name=file.name),
                )

        self.app.push_screen(PathAsked(_("Take in which bundle? All of it is checked first."), "", "late.zip"), named)

    def path_of(self, text: str) -> Path:
        """Return a typed path; what is not absolute stands in the workspace."""
        return self.engine.workspace.root / Path(text).expanduser()

    def action_next_remote(self) -> None:
        """Look at the next remote."""
        if self.view is not None and len(self.view.remotes) > 1:
            remotes = self.view.remotes
            self.remote = remotes[(remotes.index(self.view.remote) + 1) % len(remotes)]
            self.action_look()

    def action_look(self) -> None:
        """Ask the remote again."""
        self.query_one("#share-panel", Panel).retitle(_("Share"), f"looking at {self.remote or 'the remote'} …")
        self.look()

    def action_stop(self) -> None:
        """Ask before the transfer that runs is stopped."""
        job = self.job
        if job is None or job.ended:
            self.notify(_("Nothing is being transferred."), markup=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(lambda: self.engine.jobs.cancel(job.id).id, done=_("Asked it to stop."))

        lost = _("nothing: what was transferred stays, and the next time goes on from there")
        self.app.push_screen(
            Confirm(_("Stop “{title}”?").format(title=told(job.title)), lost=lost, word=_("stop")), answered
        )

    @on(Table.Opened)
    def open_thing(self, message: Table.Opened) -> None:
        """Say all that is known of one thing."""
        view = self.view
        item = next((one for one in view.found.items if one.id == message.key), None) if view else None
        if view is not None and item is not None:
            self.app.push_screen(Explanation(item.title, thing_text(item, view.origins.get(item.id))))
