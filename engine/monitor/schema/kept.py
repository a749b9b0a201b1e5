"""Findings as they are kept: from when a difference was first seen until it is gone."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.schema.records import KINDS, Finding
from lemnis.engine.store import Row, Store


def keep_findings(store: Store, endpoint: str, findings: Sequence[Finding], now: int) -> None:
    """Write what an inspection of an endpoint found; what it found no more is gone from now on."""
    seen = {one.key: one for one in findings}
    held = {
        (row["endpoint"], row["source"], row["kind"], row["column_name"]): row
        for row in store.rows("select * from monitor_findings where endpoint = ? and gone_at is null", [endpoint])
    }
    with store.write() as db:
        for key in held.keys() - seen.keys():
            db.execute("update monitor_findings set gone_at = ? where id = ?", [now, held[key]["id"]])
        for key, one in seen.items():
            since = min(one.since, held[key]["since"]) if key in held else one.since
            text = msgspec.json.encode(msgspec.structs.replace(one, since=since, id=0)).decode()
            if key not in held:
                db.execute(
                    """insert into monitor_findings (endpoint, source, kind, column_name, finding, since)
                       values (?, ?, ?, ?, ?, ?) on conflict do nothing""",
                    [*key, text, since],
                )
            elif text != held[key]["finding"]:
                sql = "update monitor_findings set finding = ?, since = ? where id = ?"
                db.execute(sql, [text, since, held[key]["id"]])


def list_findings(store: Store, endpoint: str = "") -> list[Finding]:
    """Return the differences that last, those that break most first; of one endpoint when it is named."""
    rows = store.rows("select * from monitor_findings where gone_at is null and ? in ('', endpoint)", [endpoint])
    return sorted(map(finding_in, rows), key=rank)


def find_finding(store: Store, finding_id: int) -> Finding:
    """Return one difference, or raise NotFound."""
    row = store.row("select * from monitor_findings where id = ?", [finding_id])
    if row is None:
        raise NotFound(f"There is no difference {finding_id}.", "List them with `lemnis monitor schema`.")
    return finding_in(row)


def finding_in(row: Row) -> Finding:
    """Return a finding as it was kept."""
    return msgspec.structs.replace(msgspec.json.decode(row["finding"], type=Finding), id=row["id"])


def rank(one: Finding) -> tuple[bool, int, float, str]:
    """Return what orders findings: drift first, then what breaks most, then by the column's gain."""
    return one.verdict != "drift", KINDS.index(one.kind), -(one.importance or 0.0), one.column
