"""The declared sources, each with what arrived, when, and whether the file has changed since."""

from typing import Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.config import Config, Source
from lemnis.engine.data.arrivals import Arrival, arrivals
from lemnis.engine.data.schedule import Schedule, schedules
from lemnis.engine.data.snapshots import Snapshot, current_snapshots
from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Store

# new: never synced; ready: the snapshot is what the file holds; changed: the file was written to since;
# missing: there is a snapshot but no file that may be read; failed: the last sync was refused.
State: TypeAlias = Literal["new", "ready", "changed", "missing", "failed"]


class SourceState(Struct, frozen=True, kw_only=True):
    """One declared source.

    Attributes:
        why: The state in words.
        snapshot: What it held at the last sync; None when it was never synced.
        synced_at: When it was last looked at by a sync, epoch ms.
        snapshots: How many snapshots are kept of it.
        arrival: The line of the acquisition plan and whether it is late; None when the plan does not name it.
        schedule: When it is looked at next; None when only people sync it.
    """

    name: str
    path: str
    format: str
    state: State
    why: str
    snapshot: Snapshot | None
    synced_at: int | None
    snapshots: int
    arrival: Arrival | None = None
    schedule: Schedule | None = None

    @property
    def late(self) -> bool:
        """Whether its next content is overdue by the plan."""
        return self.arrival is not None and self.arrival.state == "late"


def source_states(store: Store, config: Config) -> list[SourceState]:
    """Return every declared source; looks at the files without opening them."""
    current = current_snapshots(store)
    syncs = {row["source"]: row for row in store.rows("select * from source_syncs")}
    counts = {row[0]: row[1] for row in store.rows("select source, count(*) from snapshots group by source")}
    planned = {line.source: line for line in arrivals(config.problem.acquisition, current, store.now_ms())}
    scheduled = schedules(store, config, current)
    states: list[SourceState] = []
    for name, source in config.sources.items():
        snapshot, last = current.get(name), syncs.get(name)
        state: State = "ready" if snapshot else "new"
        why = str(last["why"]) if last else "never synced"
        try:
            changed = _changed(store, name, source, snapshot)
            if changed:
                state, why = "changed", changed
        except LemnisError as error:
            state, why = "missing", error.problem
        if last and last["state"] == "failed" and state != "missing":
            state, why = "failed", str(last["why"])
        states.append(
            SourceState(
                name=name,
                path=source.path,
                format=source.format,
                state=state,
                why=why,
                snapshot=snapshot,
                synced_at=int(last["at"]) if last else None,
                snapshots=counts.get(name, 0),
                arrival=planned.get(name),
                schedule=scheduled.get(name),
            )
        )
    return states


def _changed(store: Store, name: str, source: Source, snapshot: Snapshot | None) -> str:
    """Say in words how the files differ from those of the snapshot; empty when they look the same."""
    from lemnis.engine.data.members import alike, list_members
    from lemnis.engine.data.sources import is_elsewhere, origins_of

    if source.format == "postgresql" or is_elsewhere(source.path):
        return ""  # only a sync asks over the network
    origins = origins_of(store.workspace, name, source)
    if snapshot is None:
        return ""
    members = {member.name: member for member in list_members(store, snapshot.id)}
    added = sum(origin.name not in members for origin in origins)
    gone = len(members) - (len(origins) - added)
    differ = sum(origin.name in members and not alike(members[origin.name], origin) for origin in origins)
    counts = {"new": added, "gone": gone, "changed": differ}
    if not any(counts.values()):
        return ""
    if len(origins) == 1 and not added:
        return "the file has changed since the last sync"
    return f"files since the last sync: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}"
