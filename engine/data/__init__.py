"""Stage 2, Data: sources, snapshots, links and dataset versions."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.config import Link, Source, load_config
from lemnis.engine.data.arrivals import Arrival, arrivals
from lemnis.engine.data.catalog import SourceState, source_states
from lemnis.engine.data.diff import DiffRoom
from lemnis.engine.data.schedule import Schedule
from lemnis.engine.data.snapshots import Snapshot, current_snapshots, list_snapshots
from lemnis.engine.data.versions import KEEP, Column, Part, Version, find_version, list_versions
from lemnis.engine.doors import later
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data import gc
    from lemnis.engine.data.bench import LinkBench
    from lemnis.engine.data.drafts import (
        SIDES,
        KeyPage,
        KeyProposal,
        KeyRows,
        LinkDraft,
        LinkPreview,
        Side,
        drafted,
        fan_out_of,
        left_columns,
        without,
    )
    from lemnis.engine.data.preview import Preview
    from lemnis.engine.data.reports import LinkReport, Orphan, TimeTravel
    from lemnis.engine.data.sources import format_of
    from lemnis.engine.data.verify import Fault, Verification

DIALECT = ("delimiter", "quote", "escape", "encoding", "header", "decimal")
MEMORY_BYTES = 1 << 30  # what DuckDB is allowed in a worker


class DataRoom:
    """What the workspace's data is made of."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.diffs = DiffRoom(store)

    def sources(self) -> list[SourceState]:
        """Return the declared sources, each with what is known of it, in the order of lemnis.toml."""
        return source_states(self.store, load_config(self.store.workspace.config))

    def add_source(self, name: str, source: Source, *, who: str, why: str = "") -> Source:
        """Declare a source in lemnis.toml, comments kept; return it. Its file must be there, but is not read yet.

        Raises:
            BadInput: The name is taken, or the file is refused.
            ConfigError: The declaration is not accepted.
        """
        from lemnis.engine.data.sources import origins_of

        workspace = self.store.workspace
        if name in load_config(workspace.config).sources:
            raise BadInput(f"There is a source {name!r} already.", "Choose another name, or edit it with `e`.")
        origins_of(workspace, name, source)
        facts: dict[str, object] = msgspec.to_builtins(source)
        usual: dict[str, object] = msgspec.to_builtins(Source(path=""))
        declared = {key: value for key, value in facts.items() if key == "path" or value != usual[key]}
        ProblemRoom(self.store).set(f"sources.{name}", declared, who, why or f"source {name} added")
        return load_config(workspace.config).sources[name]

    def with_dialect(self, name: str, source: Source, given: dict[str, Any]) -> tuple[Source, list[str]]:
        """Return a declaration with what is given of its dialect, the rest proposed from its file, and the reasons.

        Args:
            name: What the source is called.
            source: Its declaration without a dialect.
            given: Fields of the dialect that are known.

        Raises:
            BadInput: There is no such file.
        """
        from lemnis.engine.data.preview import preview

        if source.format not in ("csv", "csv-zip"):
            return source, []
        found = preview(self.store.workspace, name, source, propose=True)
        dialect = {field: getattr(found.source, field) for field in DIALECT} | given
        return msgspec.structs.replace(source, **dialect), found.why

    def preview(self, name_or_path: str) -> "Preview":
        """Look at a source as it is declared, or at a file, pattern or address with a dialect that is proposed.

        Nothing is kept; it runs in a process of its own.

        Raises:
            BadInput: There is no such source or file, or it may not be read.
            Unavailable: It took too long, or its place can't be reached.
        """
        from lemnis.engine.data.preview import declared_path, preview, source_name

        workspace = self.store.workspace
        declared = load_config(workspace.config).sources.get(name_or_path)
        if declared is not None:
            return preview(workspace, name_or_path, declared, propose=False)
        path = declared_path(workspace, name_or_path)
        return preview(workspace, source_name(path), Source(path=path), propose=True)

    def arrivals(self) -> list[Arrival]:
        """Return the acquisition plan, each line with what arrived and whether it is late."""
        plan = load_config(self.store.workspace.config).problem.acquisition
        return arrivals(plan, current_snapshots(self.store), self.store.now_ms())

    def snapshots(self, source: str = "", limit: int = 500) -> list[Snapshot]:
        """Return snapshots, the last checked first; of one source when it is named."""
        return list_snapshots(self.store, source, limit)

    def versions(self, name: str = "") -> list[Version]:
        """Return the dataset versions, the last linked first."""
        return list_versions(self.store, name)

    def version(self, ref: str | int | None = None) -> Version:
        """Return a version by id prefix, number or ``v3``; None is the latest.

        Raises:
            NotFound: There is none.
        """
        return find_version(self.store, ref)

    def links(self, version_id: str) -> "list[LinkReport]":
        """Return how each join of a version went."""
        from lemnis.engine.data.reports import list_reports

        return list_reports(self.store, version_id)

    def start_sync(self, sources: list[str] | None = None) -> int:
        """Queue a job that brings sources up to date, all when None; return its id.

        Raises:
            BadInput: A name is no source, or none is declared.
        """
        declared = load_config(self.store.workspace.config).sources
        unknown = [name for name in sources or [] if name not in declared]
        if unknown or not declared:
            known = ", ".join(declared) or "none yet; `lemnis data add` declares one"
            raise BadInput(f"There is no source {(unknown or ['to sync'])[0]!r}.", f"Sources: {known}.", "lemnis.toml")
        title = f"sync {', '.join(sources) if sources else 'all sources'}"
        return JobsRoom(self.store).submit("data.sync", title, {"sources": sources}, memory_bytes=MEMORY_BYTES)

    def start_verify(self, *, everything: bool = False) -> int:
        """Queue a job that hashes the kept files nobody has read since they changed, or every one; return its id."""
        title = "verify every file" if everything else "verify files"
        return JobsRoom(self.store).submit("data.verify", title, {"all": everything}, priority=40)

    def verification(self) -> "tuple[int, Verification] | None":
        """Return when the files were last verified, epoch ms, and what was found; None when they never were."""
        from lemnis.engine.data.verify import Verification

        row = self.store.row(
            """select ended_at, result from jobs where kind = 'data.verify' and state = 'finished'
               order by id desc limit 1"""
        )
        return None if row is None else (row["ended_at"], msgspec.json.decode(row["result"], type=Verification))

    def collectable(self, *, keep: int = KEEP, snapshots: bool = False) -> "gc.Plan":
        """Return what `collect` would remove now; see `gc.plan`."""
        from lemnis.engine.data import gc

        return gc.plan(self.store, keep=keep, snapshots=snapshots)

    def collect(self, who: str, *, keep: int = KEEP, snapshots: bool = False) -> "gc.Collection":
        """Remove the files that nothing refers to; see `gc.collect`."""
        from lemnis.engine.data import gc

        return gc.collect(self.store, who=who, keep=keep, snapshots=snapshots)

    def last_collection(self) -> "gc.Collection | None":
        """Return the latest collection that removed something."""
        from lemnis.engine.data import gc

        return gc.last_collection(self.store)

    def link_bench(self) -> "LinkBench":
        """Return a bench where links are tried before they are declared; close it."""
        from lemnis.engine.data.bench import LinkBench

        return LinkBench(self.store)

    def declare_link(self, draft: "LinkDraft", *, was: Link | None = None, who: str, why: str = "") -> int:
        """Write a draft's link into lemnis.toml, comments kept; return its position, from 1.

        Args:
            draft: The link, and the base, which is written where none is declared.
            was: The link in its place when the edit began; None for a new one.
            who: Who declares it.
            why: The reason, for the history.

        Raises:
            BadInput: Somebody changed that link meanwhile, or the file can't be edited here.
            ConfigError: The declaration is not accepted.
        """
        from lemnis.engine.data.declared import text_with_link
        from lemnis.engine.problem.statement import text_with

        problem = ProblemRoom(self.store)
        before = problem.text()
        position = self._link_place(draft.position, was)
        text = before
        if not load_config(self.store.workspace.config).dataset.base:
            text = text_with(text, "dataset.base", draft.dataset.base)
        text = text_with_link(text, draft.link, position)
        problem.edit(
            text, who, why or f"link to {draft.link.source} {'changed' if position else 'added'}", expected=before
        )
        return position or len(load_config(self.store.workspace.config).dataset.links)

    def remove_link(self, position: int, was: Link, *, who: str, why: str = "") -> None:
        """Take the link at a position, from 1, out of lemnis.toml; see `declare_link`."""
        from lemnis.engine.data.declared import text_without_link

        problem = ProblemRoom(self.store)
        before = problem.text()
        self._link_place(position, was)
        text = text_without_link(before, position)
        problem.edit(text, who, why or f"link to {was.source} removed", expected=before)

    def _link_place(self, position: int, was: Link | None) -> int | None:
        """Return where a link that was read before still is; None for a new one."""
        links = load_config(self.store.workspace.config).dataset.links
        if was is not None and (position > len(links) or links[position - 1] != was):
            raise BadInput(f"Link {position} was changed by somebody else meanwhile.", "Look at it again.")
        return None if was is None else position

    def start_link(self) -> int:
        """Queue a job that makes a dataset version of the current snapshots; return its id.

        Raises:
            BadInput: No dataset is declared.
        """
        dataset = load_config(self.store.workspace.config).dataset
        if not dataset.base:
            raise BadInput("No dataset is declared.", "Name its base in [dataset].", "lemnis.toml: dataset.base")
        return JobsRoom(self.store).submit("data.link", f"link {dataset.name}", {}, memory_bytes=MEMORY_BYTES)


__all__ = [
    "SIDES",
    "Arrival",
    "Column",
    "DataRoom",
    "Fault",
    "KeyPage",
    "KeyProposal",
    "KeyRows",
    "LinkBench",
    "LinkDraft",
    "LinkPreview",
    "LinkReport",
    "Orphan",
    "Part",
    "Preview",
    "Schedule",
    "Side",
    "Snapshot",
    "SourceState",
    "TimeTravel",
    "Verification",
    "Version",
    "drafted",
    "fan_out_of",
    "format_of",
    "left_columns",
    "without",
]
__getattr__ = later(
    __name__,
    {
        "drafts": (
            *("KeyPage", "KeyProposal", "KeyRows", "LinkDraft", "LinkPreview", "SIDES", "Side"),
            *("drafted", "fan_out_of", "left_columns", "without"),
        ),
        "bench": ("LinkBench",),
        "preview": ("Preview",),
        "reports": ("LinkReport", "Orphan", "TimeTravel"),
        "sources": ("format_of",),
        "verify": ("Fault", "Verification"),
    },
)
