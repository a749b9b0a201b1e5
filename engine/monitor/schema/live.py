"""Schema drift of requests: rows that were answered against the training rows, and requests that were refused."""

from collections.abc import Sequence
from typing import Any

import msgspec

from lemnis.engine.config import Config
from lemnis.engine.monitor.parts import tally_within
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.schema.compare import added, column_differences, judged, removed, renamed
from lemnis.engine.monitor.schema.profiles import of_column, of_reference, of_values
from lemnis.engine.monitor.schema.records import Finding, Profile
from lemnis.engine.monitor.schema.renames import Rename, find_renames
from lemnis.engine.monitor.spans import span_of, tier_of
from lemnis.engine.monitor.tally import Binning, Tally
from lemnis.engine.store import Row, Store

SAMPLE = 2_000  # of the newest rows, whose values are looked at one by one
BACK = 60  # windows
DAY_MS = 86_400_000
NUMBERS = frozenset({"unit", "range"})  # without values at hand a unit looks like a range
OVER = 200  # requests without a fault since, from which it is over …
OVER_MS = DAY_MS  # … if this long has passed too


def findings_of_requests(store: Store, config: Config, key: list[object], reference: Reference) -> list[Finding]:
    """Return what differs in the requests to one version of an endpoint.

    Args:
        store: The workspace's state.
        config: Says the windows.
        key: Endpoint, model and version.
        reference: Of the version.
    """
    known = {binning.name: of_reference(binning) for binning in reference.binnings[:-1]}
    found = [*answered(store, config, key, reference, known), *refused(store, key, known)]
    place = {"endpoint": key[0], "model": key[1], "version": key[2]}
    return [
        judged(msgspec.structs.replace(one, **place), reference.importance.get(one.column)) for one in merged(found)
    ]


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Return one finding per kind and column: of two the one with more rows."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in findings:
        held = kept.get((one.kind, one.column))
        if held is None or one.rows > held.rows:
            kept[one.kind, one.column] = one
    return list(kept.values())


def answered(
    store: Store, config: Config, key: list[object], reference: Reference, known: dict[str, Profile]
) -> list[Finding]:
    """Return what differs in the newest windows' rows, each with the start of the windows in a row that show it."""
    windows = store.rows(
        """select starts, ends, rows from monitor_windows where endpoint = ? and model = ? and version = ? and rows > 0
           order by starts desc limit ?""",
        [*key, BACK],
    )
    if not windows:
        return []
    newest = tallies_until(store, config, key, windows, config.monitor.min_rows)
    starts = [start for start, _ in newest]
    total = sum((tally for _, tally in newest), Tally())
    sample = sample_of(store, key, starts[-1])
    found: list[Finding] = []
    if total.malformed:
        found.append(Finding(kind="malformed", column="", now="another number of values", rows=total.malformed))
    for place, binning in enumerate(reference.binnings[:-1]):
        column = total.columns.get(binning.name)
        if column is not None:
            values = [row[place] for row in sample if len(row) > place]
            found += column_differences(known[binning.name], of_column(binning, column, values))
    until = windows[0]["ends"]
    binnings = {binning.name: binning for binning in reference.binnings}
    earlier = windows[len(starts) :]
    since = [began(store, config, key, one, binnings.get(one.column), earlier, starts[-1]) for one in found]
    return [
        msgspec.structs.replace(one, since=start, until=until, of=one.of or total.rows)
        for one, start in zip(found, since, strict=True)
    ]


def tallies_until(
    store: Store, config: Config, key: list[object], windows: Sequence[Row], rows: int
) -> list[tuple[int, Tally]]:
    """Return start and counts of the newest windows, as many as have so many rows together, the newest first."""
    found: list[tuple[int, Tally]] = []
    for window in windows:
        found.append((window["starts"], tally_of_window(store, config, key, window["starts"])))
        if sum(tally.rows for _, tally in found) >= rows:
            break
    return found


def tally_of_window(store: Store, config: Config, key: list[object], start: int) -> Tally:
    """Return the counts of one window of the declared width."""
    width = config.monitor.window
    return tally_within(store, key, tier_of(width), span_of(start, width))


def sample_of(store: Store, key: list[object], start: int) -> list[list[Any]]:
    """Return the newest logged rows that happened from a moment on. Any: what a request held."""
    rows = store.rows(
        """select features from predictions where endpoint = ? and version = ? and event_at >= ?
           order by event_at desc limit ?""",
        [key[0], key[2], start, SAMPLE],
        name="predictions",
    )
    return msgspec.json.decode("[" + ",".join(row["features"] for row in rows) + "]", type=list[list[Any]])


def began(
    store: Store,
    config: Config,
    key: list[object],
    finding: Finding,
    binning: Binning | None,
    earlier: Sequence[Row],
    start: int,
) -> int:
    """Return the start of the first of the windows in a row that show a difference, epoch ms of event time."""
    if binning is None:
        return start
    profile = of_reference(binning)
    for window in earlier:
        column = tally_of_window(store, config, key, window["starts"]).columns.get(binning.name)
        now = of_column(binning, column, []) if column is not None else None
        kinds = {one.kind for one in column_differences(profile, now)} if now else set[str]()
        if finding.kind not in kinds and not (finding.kind in NUMBERS and kinds & NUMBERS):
            break
        start = window["starts"]
    return start


def refused(store: Store, key: list[object], known: dict[str, Profile]) -> list[Finding]:
    """Return what the refused requests show, and columns that are sent although the model does not take them."""
    rows = store.rows(
        "select * from schema_faults where endpoint = ? and version = ?", [key[0], key[2]], name="predictions"
    )
    faults = {(row["kind"], row["column_name"]): row for row in rows if lasts(store, key, row)}
    sent = {
        (kind, name): of_values(name, msgspec.json.decode(row["sample"], type=list[Any]), row["rows"])
        for (kind, name), row in faults.items()
    }
    fresh = [profile for (kind, _), profile in sent.items() if kind == "unknown"]
    renames: list[Rename] = []
    for was in (recent(store, key, known), known):  # seasons move columns: rows answered lately are the better witness
        left = [was[name] for kind, name in faults if kind == "absent" and name in was]
        left = [one for one in left if all(one.name != pair.was.name for pair in renames)]
        taken = {pair.now.name for pair in renames}
        renames += find_renames(left, [one for one in fresh if one.name not in taken]) if fresh else []
    found = [of_fault(renamed(pair), faults["absent", pair.was.name], refused=True) for pair in renames]
    paired = {pair.was.name for pair in renames} | {pair.now.name for pair in renames}
    for (kind, name), row in faults.items():
        if name in paired:
            continue
        if kind == "absent" and name in known:
            found.append(of_fault(removed(known[name]), row, refused=True))
        elif kind == "unknown":
            found.append(of_fault(added(sent[kind, name]), row, refused=False))
        elif name in known:
            found.append(of_fault(mistyped(known[name], sent[kind, name]), row, refused=True))
    return found


def recent(store: Store, key: list[object], known: dict[str, Profile]) -> dict[str, Profile]:
    """Return the profiles of the rows that were answered last, by feature."""
    rows = store.rows(
        "select features from predictions where endpoint = ? and version = ? order by event_at desc limit ?",
        [key[0], key[2], SAMPLE],
        name="predictions",
    )
    values = msgspec.json.decode("[" + ",".join(row["features"] for row in rows) + "]", type=list[list[Any]])
    columns = zip(*(row for row in values if len(row) == len(known)), strict=True)
    return {name: of_values(name, column) for name, column in zip(known, columns, strict=False)}


def mistyped(was: Profile, now: Profile) -> Finding:
    """Return the finding of values that the model can't read."""
    changed = [one for one in column_differences(was, now) if one.kind == "type"]
    plain = Finding(kind="type", column=was.name, was=was.holds, now=now.holds, examples=now.examples)
    return changed[0] if changed else plain


def of_fault(finding: Finding, row: Row, *, refused: bool) -> Finding:
    """Return a finding with what was counted of it."""
    return msgspec.structs.replace(
        finding, rows=row["rows"], of=row["rows"], refused=refused, since=row["first_at"], until=row["last_at"]
    )


def lasts(store: Store, key: list[object], fault: Row) -> bool:
    """Say whether a fault goes on: it is over when a day and OVER requests have passed without it."""
    since = store.rows(
        "select at from requests where endpoint = ? and at > ? order by at desc limit ?",
        [key[0], fault["last_at"], OVER],
        name="predictions",
    )
    return len(since) < OVER or since[0]["at"] - fault["last_at"] < OVER_MS
