"""Retrainings on record: a row for each cause, in the transaction that queues its job, and every decision once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Config, parse_age
from lemnis.engine.errors import NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.retraining.policy import POLICY, Cause, Past, Rules, decide
from lemnis.engine.monitor.retraining.records import Event, Queued, Retrained, Retraining, Said, Way
from lemnis.engine.store import Row, Store, returning
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database

KIND = "monitor.retrain"
LIVE = ("queued", "preparing", "running")
SELECT = """select r.*, j.state as job_state, j.why as job_why, j.progress as job_progress, j.progress_text
            from retrainings r left join jobs j on j.id = r.job_id"""


def act(store: Store, config: Config, *, now: int | None = None) -> int:
    """Begin what the policy allows, keep why the rest waits, and return how many retrainings were begun.

    Asked again, or by two processes at once, it begins nothing twice: whether a cause was trained for, the row that
    says so and the job are one transaction.
    """
    from lemnis.engine.monitor.retraining.causes import open_causes

    moment = clock.now_ms() if now is None else now
    begun, rules = 0, rules_of(config)
    for cause in open_causes(store, config):
        decision = decide(cause, past(store), rules, moment)
        if decision is None or (decision.answer, decision.why) == last_said(store, cause):
            continue
        with store.write() as db:
            decision = decide(cause, past(store), rules, moment)  # another process may have been faster
            if decision is None:
                continue
            if decision.answer == "train":
                begin(store, db, cause, config, moment)
                begun += 1
            said: Said = "queued" if decision.answer == "train" else decision.answer
            tell(db, cause.endpoint, cause.key, said, who=POLICY, why=decision.why, now=moment)
    return begun


def last_said(store: Store, cause: Cause) -> tuple[str, str]:
    """Return the last decision that was kept of a cause, and why; empty texts before the first."""
    row = store.row("select what, why from retraining_events where cause = ? order by id desc limit 1", [cause.key])
    return (row["what"], row["why"]) if row is not None else ("", "")


def rules_of(config: Config) -> Rules:
    """Return what [retraining] declares, as the policy takes it."""
    declared = config.retraining
    return Rules(policy=declared.policy, cool_down_ms=parse_age(declared.cool_down or "0h"), budget=declared.budget)


def queue(store: Store, config: Config, *, now: int | None = None) -> list[Queued]:
    """Return what the policy would do now about each cause that was not trained for yet; nothing is begun."""
    from lemnis.engine.monitor.retraining.causes import open_causes

    moment, before, rules = clock.now_ms() if now is None else now, past(store), rules_of(config)
    return [
        Queued(cause=cause.key, endpoint=cause.endpoint, reason=cause.reason, since=cause.since, decision=decision)
        for cause in open_causes(store, config)
        if (decision := decide(cause, before, rules, moment)) is not None
    ]


def past(store: Store) -> list[Past]:
    """Return every retraining as the policy looks at it."""
    rows = store.rows(
        f"""select r.cause, r.endpoint, r.created_at as at, r.who, coalesce(j.state in {LIVE}, 0) as live
            from retrainings r left join jobs j on j.id = r.job_id"""
    )
    return [
        Past(cause=r["cause"], endpoint=r["endpoint"], at=r["at"], by_policy=r["who"] == POLICY, live=bool(r["live"]))
        for r in rows
    ]


def begin(store: Store, db: "Database", cause: Cause, config: Config, now: int) -> int:
    """Write the row of a cause and queue its job; inside a transaction."""
    row = {
        "cause": cause.key,
        "kind": cause.kind,
        "endpoint": cause.endpoint,
        "reason": safe(cause.reason, limit=300),
        "policy": config.retraining.policy,
        "who": POLICY,
        "way": msgspec.json.encode(Way(window=config.retraining.window)).decode(),
        "created_at": now,
    }
    return insert(store, db, row)


def ask(store: Store, endpoint: str, config: Config, *, who: str, reason: str, way: Way) -> Retraining:
    """Begin a retraining that a person wants, whatever cool-down and budget say."""
    moment = clock.now_ms()
    with store.write() as db:
        number = 1 + int(store.value("select coalesce(max(id), 0) from retrainings") or 0)
        cause = f"wish {number} of {who}"
        row = {
            "cause": cause,
            "kind": "person",
            "endpoint": endpoint,
            "reason": safe(reason, limit=300),
            "policy": config.retraining.policy,
            "who": who,
            "way": msgspec.json.encode(way).decode(),
            "created_at": moment,
        }
        retraining_id = insert(store, db, row)
        tell(db, endpoint, cause, "queued", who=who, why=reason, now=moment)
    return find(store, retraining_id)


def insert(store: Store, db: "Database", row: Mapping[str, object]) -> int:
    """Insert a retraining and its job, which asks for no core: what it trains has a job of its own."""
    sql = "select model from endpoints where name = ?"
    row = {**row, "model": store.value(sql, [row["endpoint"]]) or ""}
    columns, marks = ", ".join(row), ", ".join(":" + name for name in row)
    made = int(returning(db, f"insert into retrainings ({columns}) values ({marks}) returning id", row)[0]["id"])
    title = f"Retraining of {row['endpoint']}"
    job_id = JobsRoom(store).submit(KIND, title, {"retraining": made}, cores=0, priority=60)
    db.execute("update retrainings set job_id = ? where id = ?", [job_id, made])
    return made


def find(store: Store, retraining_id: int) -> Retraining:
    """Return one retraining; raises NotFound."""
    row = store.row(f"{SELECT} where r.id = ?", [retraining_id])
    if row is None:
        raise NotFound(f"There is no retraining {retraining_id}.", "See `lemnis retrain status`.")
    return retraining_in(row)


def listed(store: Store, endpoint: str = "", limit: int = 50) -> list[Retraining]:
    """Return retrainings of one endpoint, or of all, newest first."""
    rows = store.rows(f"{SELECT} where ? in ('', r.endpoint) order by r.id desc limit ?", [endpoint, limit])
    return [retraining_in(row) for row in rows]


def retraining_in(row: Row) -> Retraining:
    """Return the retraining of one row."""
    facts = {name: row[name] for name in Retraining.__struct_fields__ if name in row.keys()}  # noqa: SIM118
    running = row["job_state"] == "running"
    return msgspec.convert(
        facts
        | {
            "way": msgspec.json.decode(row["way"]),
            "found": msgspec.json.decode(row["found"], type=Retrained) if row["found"] else None,
            "state": row["job_state"] or "lost",
            "doing": (row["progress_text"] if running else row["job_why"]) or "",
            "progress": row["job_progress"],
        },
        Retraining,
    )


def note(store: Store, retraining_id: int, **facts: object) -> None:
    """Bring the row of a retraining up to date."""
    with store.write() as db:
        db.table("retrainings").update(retraining_id, facts)


def tell(db: "Database", endpoint: str, cause: str, what: Said, *, who: str, why: str, now: int) -> None:
    """Keep one decision or step: who, when and why."""
    row = {"endpoint": endpoint, "cause": cause, "at": now, "who": who, "what": what, "why": safe(why, limit=500)}
    db.table("retraining_events").insert(row)


def events(store: Store, endpoint: str = "", limit: int = 200) -> list[Event]:
    """Return what was decided about one endpoint, or about all, newest first."""
    sql = "select * from retraining_events where ? in ('', endpoint) order by id desc limit ?"
    return [msgspec.convert(dict(row), Event) for row in store.rows(sql, [endpoint, limit])]
