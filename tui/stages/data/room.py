"""The Data room: sources, the versions they are linked into, how each join went, and the chosen one in full."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from lemnis.engine import Engine
from lemnis.engine.data import Preview
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import Job, user_name
from lemnis.tui.actions import bindings
from lemnis.tui.format import bytes_
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.data import details, rows
from lemnis.tui.stages.data.explained import CELLS, LINKS_TEXT, SNAPSHOTS_TEXT, SOURCES_TEXT, VERSIONS_TEXT
from lemnis.tui.stages.data.places import DataPlaces, DataView
from lemnis.tui.widgets import Col, Facts, Meter, Panel, Table

if TYPE_CHECKING:
    from lemnis.tui.stages.data.link_fields import Built
    from lemnis.tui.stages.data.storage import StorageView

KINDS = ("data.sync", "data.link", "data.verify", "data.diff", *rows.SHARING)
TWO_COLUMNS = 140  # cells, from which lists and detail stand side by side
HASH = r"[0-9a-f]{64}"  # a version's id
LISTS = ("sources", "snapshots", "versions", "links")


class DataStage(DataPlaces):
    """What came, what it was linked into, and how well."""

    BINDINGS = bindings("data")
    cells = CELLS
    topics = frozenset({"data", "jobs", "problem"})
    live_seconds = 5.0  # a source's file may change at any time

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self._under: dict[str, str] = {}  # the row under the cursor of each list
        self._entered = False

    def compose(self) -> ComposeResult:
        yield Meter("", label_width=20, id="work")
        with Container(id="both"):
            with Vertical(id="lists"):
                with Panel(_("Sources"), id="sources-panel"):
                    yield Table(
                        *rows.SOURCES,
                        id="sources",
                        empty=_("No source yet. Press {data.preview} to look at one and add it."),
                    )
                with Panel(_("Snapshots"), id="snapshots-panel"):
                    yield Table(
                        *rows.SNAPSHOTS,
                        id="snapshots",
                        empty=_("No snapshot yet. Press {data.sync} to read the sources."),
                    )
                with Panel(_("Versions"), id="versions-panel"):
                    yield Table(
                        *rows.VERSIONS,
                        id="versions",
                        empty=_("No version yet. Press {data.sync}, then {data.link} to link."),
                    )
                with Panel(_("Links"), id="links-panel"):
                    yield Table(*rows.LINKS, id="links", empty=_("No link here. Press {data.build} to build one."))
            with Panel(_("Version"), id="detail-panel"):
                yield Facts(id="facts")
                yield Table(*rows.COLUMNS, id="detail")

    def load(self) -> DataView:
        room = self.engine.data
        versions = room.versions()
        version = next((one for one in versions if one.id == self.version_id), versions[0] if versions else None)
        live = self.engine.jobs.jobs(states=("running", "preparing", "queued"), limit=50)
        return DataView(
            at=self.engine.now_ms(),
            sources=room.sources(),
            snapshots=room.snapshots(),
            versions=versions,
            version=version,
            links=room.links(version.id) if version else [],
            job=next((job for job in live if job.kind in KINDS), None),
            origin=self.engine.share.origin("dataset", version.id) if version else None,
            verified=room.verification(),
        )

    def show(self, view: DataView) -> None:
        self._view = view
        self._show_job(view.job)
        self._show_lists(view)
        self._show_detail()

    def _show_job(self, job: Job | None) -> None:
        meter = self.query_one("#work", Meter)
        meter.display = job is not None
        if job is not None:
            meter.label = told(job.title)
            meter.show(job.progress, rows.job_text(job), warn=2, bad=2)

    def _show_lists(self, view: DataView) -> None:
        sources = [rows.source_row(source, view.at, view.job) for source in view.sources]
        columns: Sequence[Col] = rows.SOURCES
        if self.slim:
            columns, sources = rows.only(rows.SOURCES, sources, rows.NARROW_SOURCES)
        self.query_one("#sources", Table).set_columns(columns)
        self.query_one("#sources", Table).show(sources)
        self.query_one("#snapshots", Table).show([rows.snapshot_row(one, view.at) for one in view.snapshots])
        self.query_one("#versions", Table).show([rows.version_row(version) for version in view.versions])
        self.query_one("#links", Table).show([rows.link_row(report) for report in view.links])
        self._share_height(len(sources), len(view.versions), len(view.links))
        self.query_one("#sources-panel", Panel).retitle(_("Sources"), f"{len(view.sources)}")
        self.query_one("#snapshots-panel", Panel).retitle(_("Snapshots"), f"{len(view.snapshots)}")
        self.query_one("#versions-panel", Panel).retitle(
            _("Versions"), f"{len(view.versions)}{rows.badge(view.verified, view.at)}"
        )
        hint = _("space mark   c compare") if len(view.versions) > 1 else ""
        self.query_one("#versions-panel", Panel).footnote(hint)
        of = _("of {title}").format(title=view.version.title) if view.version else ""
        self.query_one("#links-panel", Panel).retitle(_("Links"), of)

    def _share_height(self, sources: int, versions: int, links: int) -> None:
        """Give each list the lines it needs, within what a small terminal has, and the rest to one of them."""
        short = self.screen.has_class("-short")  # there it follows the focus
        for name, count, most in (("sources", sources, 8), ("versions", versions, 9), ("links", links, 7)):
            needed = max(2, count) + 3
            panel = self.query_one(f"#{name}-panel")
            if short:
                panel.styles.clear_rule("height")
            else:
                panel.styles.height = min(needed, most if self.slim else 12)
        if self.slim and not short:
            self.query_one("#versions-panel").styles.height = "1fr"

    def _show_detail(self) -> None:
        """Show the row under the cursor of the table that was looked at last."""
        view = self._view
        if view is None:
            return
        panel, facts = self.query_one("#detail-panel", Panel), self.query_one("#facts", Facts)
        shown = self._chosen(view)
        panel.retitle(shown.title, shown.detail)
        facts.show(shown.facts)
        table = self.query_one("#detail", Table)
        table.empty = _("Nothing to show.") if view.version else self.query_one("#versions", Table).empty
        table.set_columns(shown.columns)
        table.show(shown.rows)

    def _chosen(self, view: DataView) -> details.Detail:
        """Return what is shown in full: the version, unless the cursor is on something else."""
        key = self.query_one(f"#{self.subject}", Table).key
        found: details.Detail | None = None
        if self.subject == "sources":
            found = next((details.source_detail(one, view.at) for one in view.sources if one.name == key), None)
        elif self.subject == "snapshots":
            found = next((details.snapshot_detail(one, view.at) for one in view.snapshots if str(one.id) == key), None)
        elif self.subject == "links":
            found = next((details.link_detail(one) for one in view.links if str(one.position) == key), None)
        return found or details.version_detail(view.version, view.origin)

    @property
    def slim(self) -> bool:
        """Whether there is room for the lists alone; the chosen row is then opened with enter."""
        return self.size.width < TWO_COLUMNS

    def on_resize(self) -> None:
        self.set_class(self.slim, "-slim")
        if self._view is not None:
            self._show_lists(self._view)

    @on(Table.Moved, "#sources,#snapshots,#versions,#links")
    def follow(self, message: Table.Moved) -> None:
        """Show in full what the cursor is on; another version brings its own links."""
        key = message.table.key  # where the cursor is by now
        if not key:
            return
        name = message.table.id or "versions"
        before, self._under[name] = self._under.get(name, key), key
        if key == before or not message.table.has_focus:
            return  # it was filled, told of again, or moved because its rows did: nobody chose this row
        self.subject = name
        if self.subject == "versions" and key != self.version_id:
            self.version_id = key
            self.reload()
        self._show_detail()

    def on_descendant_focus(self) -> None:
        """The list that has the focus decides what is shown in full; at first that is the version."""
        first, self._entered = not self._entered, True
        focused = self.app.focused
        if not first and isinstance(focused, Table) and focused.id in LISTS:
            self.subject = focused.id
            self._show_detail()

    @on(Table.Opened, "#sources,#snapshots,#versions,#links")
    def open_detail(self, message: Table.Opened) -> None:
        """Go into what is shown in full; a small terminal shows it instead of the lists."""
        self.subject = message.table.id or "versions"
        self._show_detail()
        self.add_class("-open")
        self.query_one("#detail", Table).focus()

    def back(self) -> bool:
        if self.has_class("-open") or self.query_one("#detail", Table).has_focus:
            self.remove_class("-open")
            self.query_one(f"#{self.subject}", Table).focus()
            return True
        return super().back()

    def goto(self, thing: str) -> None:
        """Show one version, named by its id or its number; of two ids, the later beside the earlier."""
        from lemnis.tui.stages.data.diff import DiffScreen

        before, _, after = thing.partition(" ")
        if re.fullmatch(HASH, before) and re.fullmatch(HASH, after):
            self.app.push_screen(DiffScreen(self.engine, before, after))
            thing = after
        found = self._view.versions if self._view else []
        self.version_id = next((one.id for one in found if thing in (one.id, str(one.number), one.title)), thing)
        self.subject = "versions"
        self.reload()

    # Keys.

    def action_sync(self) -> None:
        self.perform(self.engine.data.start_sync, done=_("Queued: every source is looked at."))

    def action_sync_one(self) -> None:
        name = self.query_one("#sources", Table).key
        if not name:
            self.refuse(NotFound("There is no source yet.", "Press {app.edit} and add one to lemnis.toml."))
            return
        self.perform(self.engine.data.start_sync, [name], done=_("Queued: {name} is looked at.").format(name=name))

    def action_preview(self) -> None:
        """Ask what to look at: the chosen source, or a path that is typed."""
        from lemnis.tui.stages.data.preview import PathAsked

        chosen = self.query_one("#sources", Table).key or ""
        question = _("Look at a source, file, pattern or address. Nothing is kept.")
        self.app.push_screen(PathAsked(question, chosen, "logs/2026-*.csv"), self._look)

    def _look(self, path: str | None) -> None:
        if path:
            self.toast(_("Looking at {path}.").format(path=path))
            self.perform(self.engine.data.preview, path, then=self._show_preview)

    def _show_preview(self, preview: Preview) -> None:
        from lemnis.tui.stages.data.preview import PreviewScreen

        declared = {source.name for source in self._view.sources} if self._view else set[str]()
        addable = preview.name not in declared or preview.why
        may = not self.engine.store.read_only and addable and not preview.refused
        add = (lambda: self._ask_name(preview)) if may else None
        self.app.push_screen(PreviewScreen(preview, add))

    def _ask_name(self, preview: Preview) -> None:
        from lemnis.tui.stages.data.preview import PathAsked

        def named(name: str | None) -> None:
            if name:
                done = _("{name} is declared. Press {{data.sync_one}} to read it.").format(name=name)
                self.perform(self.engine.data.add_source, name, preview.source, who=user_name(), done=done)

        self.app.push_screen(PathAsked(_("What is the source called?"), preview.name, "orders"), named)

    def action_link(self) -> None:
        self.perform(self.engine.data.start_link, done=_("Queued: the snapshots are linked into a version."))

    def action_compare(self) -> None:
        """Compare the marked versions, the older one first; a single one is compared with the one before."""
        from lemnis.tui.stages.data.diff import DiffScreen

        table = self.query_one("#versions", Table)
        versions = self._view.versions if self._view else []
        chosen = [one for one in versions if one.id in table.marks]
        if len(chosen) < 2:
            chosen = [one for one in versions if one in chosen or one.id == (table.key or self.version_id)]
        if len(chosen) > 2 or not chosen:
            words = (
                _("{chosen} versions are marked.").format(chosen=len(chosen))
                if chosen
                else _("There is no version yet.")
            )
            self.refuse(
                BadInput(
                    words, "Mark two with {table.mark}." if chosen else "Press {data.sync}, then {data.link} to link."
                )
            )
            return
        chosen.sort(key=lambda one: (one.created_at, one.number))
        before = chosen[0].id if len(chosen) == 2 else None
        self.app.push_screen(DiffScreen(self.engine, before, chosen[-1].id))

    def action_share(self) -> None:
        from lemnis.tui.stages.data.share import ShareScreen

        self.app.push_screen(ShareScreen(self.engine))

    def action_build(self) -> None:
        """Build a new link, or edit the one under the cursor of the links."""
        from lemnis.tui.stages.data.link_builder import LinkBuilder

        links = self.query_one("#links", Table)
        view = self._view
        chosen = view.links if view and links.has_focus else []
        report = next((one for one in chosen if str(one.position) == links.key), None)
        builder = LinkBuilder(self.engine, report.position, report.source) if report else LinkBuilder(self.engine)
        self.app.push_screen(builder, self._built)

    def _built(self, built: "Built | None") -> None:
        """Offer to link once a link is written."""
        if built is None:
            return
        self.reload()
        if built.done == "removed":
            self.toast(_("The link to {source} is out of lemnis.toml.").format(source=built.source))
            return
        question = _("The link to {source} is in lemnis.toml. Link a version now?").format(source=built.source)
        self.ask(question, lost="", word=_("link now"), then=self.action_link)

    def action_storage(self) -> None:
        self.perform(self._storage, then=self._open_storage)

    def _storage(self) -> "StorageView":
        from lemnis.tui.stages.data.storage import StorageView

        room = self.engine.data
        return StorageView(self.engine.now_ms(), room.collectable(), room.verification(), room.last_collection())

    def _open_storage(self, view: "StorageView") -> None:
        from lemnis.tui.stages.data.storage import Storage

        def wanted(what: str | None) -> None:
            if what == "collect":
                self._ask_collect(view)
            elif what is not None:
                done = _("Queued: the files are read.")
                self.perform(self.engine.data.start_verify, everything=what == "verify all", done=done)

        self.app.push_screen(Storage(view, read_only=self.engine.store.read_only), wanted)

    def _ask_collect(self, view: "StorageView") -> None:
        files = view.plan.removable
        named = ", ".join(one.title for one in files[:6]) + (
            " " + _("and {files} more").format(files=len(files) - 6) if len(files) > 6 else ""
        )
        self.ask(
            _("Remove {files} unused files, {bytes}?").format(files=len(files), bytes=bytes_(view.plan.bytes)),
            lost=_("{named}. Nothing refers to them").format(named=named),
            word=_("remove"),
            then=lambda: self.perform(
                self.engine.data.collect,
                user_name(),
                done=lambda gone: _("Removed {files} files, {bytes}.").format(
                    files=gone.files, bytes=bytes_(gone.bytes)
                ),
            ),
        )

    def action_stop(self) -> None:
        job = self._view.job if self._view else None
        if job is None:
            self.toast(_("Nothing runs here."))
            return
        self.ask(
            _("Stop “{title}”?").format(title=told(job.title)),
            lost=_("what it has read so far; what is kept stays"),
            word=_("stop"),
            then=lambda: self.perform(self.engine.jobs.cancel, job.id, done=_("Asked it to stop.")),
        )

    def explain(self) -> tuple[str, str] | None:
        return {
            "sources": (_("Sources"), SOURCES_TEXT),
            "links": (_("Links"), LINKS_TEXT),
            "snapshots": (_("Snapshots"), SNAPSHOTS_TEXT),
        }.get(self.subject, (_("Versions"), VERSIONS_TEXT))
