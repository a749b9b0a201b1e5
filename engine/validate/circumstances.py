"""What a run of checks must know besides the tables: code lists, waivers, times, and what the tables held before."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from lemnis.engine.config import CodeList, Config
from lemnis.engine.data import Version
from lemnis.engine.data.snapshots import list_snapshots
from lemnis.engine.store import Store
from lemnis.engine.validate.expectation import Past
from lemnis.engine.validate.history import list_waivers
from lemnis.engine.validate.records import DATASET, Waiver

MOST_PAST = 400  # earlier points that a learned interval looks at


class Circumstances(Struct, frozen=True, kw_only=True):
    """One run's surroundings.

    Attributes:
        now: Epoch ms of the run: what a freshness check compares with, and codes that have no time column.
        lists: Code lists by name.
        changes: How often a list was changed: its version.
        waivers: The waivers in force, by check.
        times: Time column by table, where one is declared.
        keys: The columns that identify a row, by table, where they are declared.
        delivered: When a table came to be what it is, epoch ms.
        synced: The last time a source was looked at, epoch ms.
        past: What a table held before that, oldest first.
    """

    now: int
    lists: Mapping[str, CodeList] = field(default_factory=dict[str, CodeList])
    changes: Mapping[str, int] = field(default_factory=dict[str, int])
    waivers: Mapping[str, Waiver] = field(default_factory=dict[str, Waiver])
    times: Mapping[str, str] = field(default_factory=dict[str, str])
    keys: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    delivered: Mapping[str, int] = field(default_factory=dict[str, int])
    synced: Mapping[str, int] = field(default_factory=dict[str, int])
    past: Mapping[str, list[Past]] = field(default_factory=dict[str, list[Past]])


def circumstances(
    store: Store, config: Config, version: Version, files: Mapping[str, Path], *, now: int
) -> Circumstances:
    """Return what is known of a version and of the sources it was made of."""
    delivered, past, synced = {DATASET: version.created_at}, {DATASET: version_past(store, version)}, dict[str, int]()
    for source in files:
        if source == DATASET:
            continue
        snapshots = list_snapshots(store, source, MOST_PAST)
        synced |= {source: max((snapshot.checked_at for snapshot in snapshots), default=0)}
        shown = next((each for each in snapshots if each.path == files[source]), None)
        if shown is not None:
            delivered[source] = shown.created_at
            earlier = sorted((each for each in snapshots if each.id < shown.id), key=lambda each: each.id)
            past[source] = [Past(at=each.created_at, rows=each.rows) for each in earlier]
    return Circumstances(
        now=now,
        lists=config.code_lists,
        changes={row["list"]: row["n"] for row in store.rows("select list, count(*) n from code_events group by list")},
        waivers=list_waivers(store, at=now),
        times={DATASET: version.time} if version.time else {},
        keys=declared_keys(config, version),
        delivered=delivered,
        synced=synced,
        past=past,
    )


def declared_keys(config: Config, version: Version) -> dict[str, list[str]]:
    """Return what identifies a row: the dataset's key, and of a source what a check says is unique there."""
    unique = {
        check.source: check.columns or [check.column]
        for check in reversed(config.checks)
        if check.kind == "unique" and check.source not in ("", DATASET)
    }
    return unique | ({DATASET: version.keys} if version.keys else {})


def version_past(store: Store, version: Version) -> list[Past]:
    """Return what the earlier versions of this dataset held, oldest first."""
    rows = store.rows(
        "select created_at, rows from versions where name = ? and number < ? order by number desc limit ?",
        [version.name, version.number, MOST_PAST],
    )
    return [Past(at=row["created_at"], rows=row["rows"]) for row in reversed(rows)]
