"""What happened around an incident: changes of models, endpoints, data and lemnis.toml, and the load of servers."""

from collections.abc import Iterable

from lemnis.engine.data.snapshots import Snapshot, list_snapshots
from lemnis.engine.data.versions import list_versions
from lemnis.engine.deploy import aliases
from lemnis.engine.deploy.records import AliasEvent
from lemnis.engine.deploy.rollout import events
from lemnis.engine.monitor.alerting.minutes import list_minutes
from lemnis.engine.monitor.incident.records import Change, Strain
from lemnis.engine.monitor.policy import listed
from lemnis.engine.problem.history import list_changes
from lemnis.engine.resources.history import history
from lemnis.engine.store import Store

SHOWN = 14  # changes, those nearest to the beginning
LOOKED_AT = 200  # changes of each kind, the newest
QUIET = ("drill", "share")  # steps of an endpoint that change nothing it answers
POINTS = 60
TOGETHER_MS = 60_000  # snapshots with less between them are one reading of the sources
MACHINE = {"cpu_percent": "CPU", "memory_percent": "memory"}


def changes_around(store: Store, model: str, endpoint: str, *, began: int, band: tuple[int, int]) -> list[Change]:
    """Return what was changed in a band of time, in order of time, and the last change of each kind before it.

    Args:
        store: The workspace's state.
        model: Whose aliases; empty for every model's.
        endpoint: Whose steps.
        began: When the incident began, epoch ms; of many changes the nearest to it are returned.
        band: From and until, epoch ms.
    """
    found: list[Change] = []
    for kind in (alias_changes(store, model), endpoint_changes(store, endpoint), data_changes(store), declared(store)):
        newest_first = sorted(kind, key=lambda change: -change.at)
        found += [change for change in newest_first if band[0] <= change.at <= band[1]]
        before = next((change for change in newest_first if change.at < band[0]), None)
        if before is not None:
            found.append(Change(**{name: getattr(before, name) for name in FIELDS}, earlier=True))
    nearest = sorted(found, key=lambda change: (change.earlier, abs(change.at - began)))[:SHOWN]
    return sorted(nearest, key=lambda change: change.at)


FIELDS = ("at", "room", "what", "who", "why")


def alias_changes(store: Store, model: str) -> list[Change]:
    """Return the moves of a model's aliases."""
    return [
        Change(at=event.at, room="model", what=moved(event), who=event.who, why=event.why)
        for event in aliases.events(store, model, limit=LOOKED_AT)
    ]


def moved(event: AliasEvent) -> str:
    """Return a move of an alias in words: ``late@champion v1 → v2``."""
    before, after = (f"v{number}" if number is not None else "nothing" for number in (event.previous, event.version))
    return f"{event.model}@{event.alias} {before} → {after}" + (" (rolled back)" if event.kind == "rollback" else "")


def endpoint_changes(store: Store, endpoint: str) -> Iterable[Change]:
    """Return the steps of an endpoint that change what it answers."""
    for event in events.events(store, endpoint, limit=LOOKED_AT):
        if event.kind not in QUIET:
            version = f" v{event.version}" if event.version is not None else ""
            worker = f" (worker {event.worker})" if event.worker is not None else ""
            what = f"{event.endpoint}: {event.kind}{version}{worker}"
            yield Change(at=event.at, room="endpoint", what=what, who=event.who, why=event.why)


def data_changes(store: Store) -> Iterable[Change]:
    """Return the dataset versions, and the snapshots of sources, those taken together as one change."""
    for version in [one for one in list_versions(store) if one.linked][:LOOKED_AT]:
        what = f"{version.title} linked: {version.rows:,} rows"
        yield Change(at=version.linked_at, room="data", what=what, who="", why="")
    together: list[Snapshot] = []
    for snapshot in sorted(list_snapshots(store, limit=LOOKED_AT), key=lambda one: one.created_at):
        if together and snapshot.created_at - together[-1].created_at > TOGETHER_MS:
            yield taken(together)
            together = []
        together.append(snapshot)
    if together:
        yield taken(together)


def taken(snapshots: list[Snapshot]) -> Change:
    """Return snapshots that were taken together as one change, at the last of them."""
    names = list(dict.fromkeys(one.source for one in snapshots))
    rows = f", {snapshots[0].rows:,} rows" if len(snapshots) == 1 else ""
    what = f"{listed(names)} read anew{rows}"
    return Change(at=snapshots[-1].created_at, room="source", what=what, who="", why="")


def declared(store: Store) -> Iterable[Change]:
    """Return the changes of lemnis.toml."""
    for change in list_changes(store, limit=20):
        yield Change(at=change.at, room="lemnis.toml", what="lemnis.toml changed", who=change.who, why=change.why)


def strains_around(store: Store, endpoint: str, band: tuple[int, int], *, now: int) -> list[Strain]:
    """Return CPU and memory of the machine, and latency, requests and errors of the endpoint, over a band of time."""
    start, end = band[0], min(band[1], now)
    seconds = max(60, (end - start) // 1000)
    found: list[Strain] = []
    past = history(store, "host", list(MACHINE), seconds=seconds, points=POINTS, now_ms=end, age_s=(now - end) // 1000)
    for metric, name in MACHINE.items():
        if any(value is not None for value in past.values[metric]):
            found.append(Strain(name=name, unit="%", values=past.values[metric]))
    width = max(60_000, (end - start) / POINTS)
    minutes = [one for one in list_minutes(store, endpoint, since=start) if one.at <= end]
    buckets: dict[int, list[tuple[float | None, int, int]]] = {}
    for one in minutes:
        buckets.setdefault(int((one.at - start) / width), []).append((one.p99_ms, one.requests, one.errors))
    if not buckets:
        return found
    places = range(int((end - start) / width) + 1)
    slowest = [max((p99 for p99, _, _ in buckets.get(place, []) if p99 is not None), default=None) for place in places]
    per_minute = [mean([float(n) for _, n, _ in buckets[place]]) if place in buckets else None for place in places]
    errors = [float(sum(n for _, _, n in buckets[place])) if place in buckets else None for place in places]
    found += [
        Strain(name="p99", unit="ms", values=slowest),
        Strain(name="requests", unit="/min", values=per_minute),
        Strain(name="errors", unit="", values=errors),
    ]
    return [one for one in found if any(value is not None for value in one.values)]


def mean(values: list[float]) -> float:
    """Return the mean of some numbers."""
    return sum(values) / len(values)
