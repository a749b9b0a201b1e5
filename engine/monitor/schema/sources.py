"""Schema drift of sources: their newest snapshots against those that the served model's dataset was made from."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.config import Config, Dataset
from lemnis.engine.errors import LemnisError
from lemnis.engine.monitor.schema.compare import differences, judged
from lemnis.engine.monitor.schema.profiles import CODES, EXAMPLES
from lemnis.engine.monitor.schema.records import QUANTILES, Finding, Profile
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lemnis.engine.data.snapshots import Field, Snapshot
    from lemnis.engine.data.versions import Version

WHOLE, BROKEN = ("int", "uint"), ("double", "float", "halffloat", "decimal")
STRANGE = 20  # texts among numbers that are named


def findings_of_sources(store: Store, config: Config, key: list[object], importance: dict[str, float]) -> list[Finding]:
    """Return what differs in the newest snapshots of the sources that a served version learnt from.

    Args:
        store: The workspace's state.
        config: Says under which names the dataset takes the columns.
        key: Endpoint, model and version.
        importance: Share of the model's gain by feature.
    """
    from lemnis.engine.data.snapshots import current_snapshots, list_snapshots
    from lemnis.engine.data.versions import find_version

    version_id = store.value(
        "select r.version_id from model_versions m join runs r on r.id = m.run_id where m.model = ? and m.version = ?",
        key[1:],
    )
    if version_id is None:
        return []
    version = find_version(store, version_id)
    current = current_snapshots(store)
    found: list[Finding] = []
    for source, sha256 in version.snapshots.items():
        newest = current.get(source)
        if newest is None or newest.sha256 == sha256:
            continue
        before = next((one for one in list_snapshots(store, source) if one.sha256 == sha256), None)
        if before is None:
            continue
        facts: dict[str, Any] = {"endpoint": key[0], "model": key[1], "version": key[2], "source": source}
        facts |= {"since": newest.created_at, "until": newest.checked_at}
        for one in compared(before, newest):
            feature = name_in(version, config.dataset, source, one.column)
            found.append(judged(msgspec.structs.replace(one, **facts, feature=feature), importance.get(feature)))
    return found


def name_in(version: "Version", dataset: Dataset, source: str, column: str) -> str:
    """Return what a dataset version calls a source's column; empty where it has none of it."""
    names = [column, *(f"{link.prefix}{column}" for link in dataset.links if link.source == source)]
    return next((one.name for one in version.columns if one.name in names and one.source == source), "")


def compared(before: "Snapshot", newest: "Snapshot") -> list[Finding]:
    """Return what differs between two snapshots of a source; where the older file is gone, by names and types alone."""
    try:
        known = profiles(before)
    except LemnisError:
        return differences(*([named(field) for field in one.columns] for one in (before, newest)))
    return differences(known, profiles(newest))


def profiles(snapshot: "Snapshot") -> list[Profile]:
    """Return the profile of every column of a snapshot; reads the file once a column.

    Raises:
        Unavailable, Damaged: The file is gone or holds something else.
    """
    from lemnis.engine.data.duck import open_duck

    path = snapshot.file
    duck = open_duck(1, views={"rows": path})
    try:
        return [profiled(duck, field, snapshot.rows) for field in snapshot.columns]
    finally:
        duck.close()


def profiled(duck: "DuckDBPyConnection", field: "Field", rows: int) -> Profile:
    """Return the profile of one column of the view `rows`. Any: fields of a Profile."""
    from lemnis.engine.data.duck import first_row, quote

    plain, name = named(field), quote(field.name)
    facts: dict[str, Any] = {"rows": rows, "missing": rows - int(first_row(duck, f"select count({name}) from rows")[0])}
    if facts["missing"] == rows:
        facts["holds"] = "nothing"
    elif plain.holds == "number":
        shares = ", ".join(map(str, QUANTILES))
        sql = f"select quantile_cont({name}::double, [{shares}]) from rows where isfinite({name}::double)"
        facts["quantiles"] = first_row(duck, sql)[0] or []
        examples = duck.execute(f"select {name} from rows where {name} is not null limit {EXAMPLES}").fetchall()
        facts["examples"] = [safe(value, limit=40) for (value,) in examples]
    elif plain.holds == "text":
        counted = f"select {name}, count(*) from rows where {name} is not null group by 1"
        sql = f"{counted} order by 2 desc, 1 limit {CODES + 1}"
        codes = {str(code): int(count) for code, count in duck.execute(sql).fetchall()}
        facts |= {"codes": codes, "whole": len(codes) <= CODES}
        readable = first_row(duck, f"select count(try_cast({name} as double)) from rows")[0]
        if readable > (rows - facts["missing"]) / 2:
            sql = f"""select {name}, count(*) from rows where {name} is not null and try_cast({name} as double) is null
                      group by 1 order by 2 desc, 1 limit {STRANGE}"""
            facts |= {"readable": readable, "strange": dict(duck.execute(sql).fetchall())}
        facts["examples"] = [safe(code, limit=40) for code in codes][:EXAMPLES]
    return msgspec.structs.replace(plain, **facts)


def named(field: "Field") -> Profile:
    """Return what name and Arrow type of a column say."""
    kind = field.type
    holds = (
        "number"
        if kind.startswith((*WHOLE, *BROKEN))
        else "truth"
        if kind == "bool"
        else "time"
        if kind.startswith(("timestamp", "date", "time"))
        else "nothing"
        if kind == "null"
        else "text"
    )
    return Profile(name=field.name, holds=holds, rows=1)
