"""Aliases: names such as champion that point at a version; every move is an event and nothing is overwritten."""

from typing import Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import registry
from lemnis.engine.deploy.records import AliasEvent, AliasKind, ModelVersion
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe


def version_of(store: Store, model: str, alias: str) -> int | None:
    """Return the version an alias names now, or None."""
    return store.value("select version from aliases where model = ? and alias = ?", [model, alias])


def champion_run(store: Store) -> int | None:
    """Return the run of the champion that was promoted last, whichever model it is of; None if there is none."""
    return store.value(
        """select v.run_id from aliases a join model_versions v on v.model = a.model and v.version = a.version
           where a.alias = 'champion' order by a.at desc limit 1"""
    )


def resolve(store: Store, reference: str) -> ModelVersion:
    """Return the version that ``MODEL@ALIAS``, ``MODEL@3``, ``MODEL@v3`` or ``MODEL`` (its champion) names.

    Raises:
        NotFound: There is no such model, version or alias.
    """
    model, _, name = reference.partition("@")
    name = name or "champion"
    digits = name.removeprefix("v")
    if digits.isdecimal():
        return registry.version(store, model, int(digits))
    number = version_of(store, model, name)
    if number is None:
        registry.versions(store, model)
        raise NotFound(
            f"{model} has no {safe(name, limit=80)}.", f"Promote a version with `lemnis models promote {model} N`."
        )
    return registry.version(store, model, number)


def promote(
    store: Store, model: str, number: int, alias: str, *, who: str, why: str, force: bool = False
) -> AliasEvent:
    """Point an alias at a version.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The alias can't be one or names the version already, no reason is given, or the gates did not pass
            and `force` is not set.
    """
    if not registry.NAME.fullmatch(alias) or alias.removeprefix("v").isdecimal():
        raise BadInput(f"{safe(alias, limit=80)!r} can't be an alias.", "Use a word such as champion.")
    if not why.strip():
        raise BadInput("A promotion needs a reason.", "Say why in one sentence; it is kept with the event.")
    version = registry.version(store, model, number)
    if version_of(store, model, alias) == number:
        raise BadInput(f"{model}@{alias} is version {number} already.", "There is nothing to do.")
    from lemnis.engine.deploy.evidence import evidence_of  # servers follow aliases, and need nothing of evaluation

    evidence = evidence_of(store, version.run_id)
    reasons = objections(evidence, alias)
    if reasons and not force:
        raise BadInput(
            f"Version {number} of {model} may not become {alias}: {reasons}.",
            "Promote another version, or force it with a reason; both are kept.",
            f"run {version.run_id}",
        )
    return move(store, model, alias, number, kind="promote", who=who, why=why, forced=bool(reasons), evidence=evidence)


def objections(evidence: dict[str, Any], alias: str) -> str:
    """Say why the gates are against an alias; empty when they are not.

    A champion needs gates that passed; any other alias only none that failed. Any: gates as JSON has them.
    """
    if evidence["verdict"] in ("pass", "no gates"):
        return ""
    if evidence["verdict"] == "not evaluated":
        return "its gates were never evaluated" if alias == "champion" else ""
    bad = ("fail", "not enough data") if alias == "champion" else ("fail",)
    against = [gate for gate in evidence["gates"] if gate["verdict"] in bad]
    return "; ".join(f"{gate['metric']} on {gate['part']}: {gate['verdict']}, {gate['why']}" for gate in against)


def rollback(store: Store, model: str, alias: str, *, who: str, why: str) -> AliasEvent:
    """Point an alias back at the version it named before the present one was promoted.

    Rolling back again goes one promotion further back, never forth.

    Raises:
        NotFound: There is no such model.
        BadInput: There is nothing to go back to, or no reason is given.
    """
    if not why.strip():
        raise BadInput("A rollback needs a reason.", "Say why in one sentence; it is kept with the event.")
    number = earlier(store, model, alias)
    from lemnis.engine.deploy.evidence import evidence_of

    evidence = evidence_of(store, registry.version(store, model, number).run_id)
    return move(store, model, alias, number, kind="rollback", who=who, why=why, evidence=evidence)


def earlier(store: Store, model: str, alias: str) -> int:
    """Return the version that a rollback of an alias goes back to.

    Raises:
        NotFound: There is no such model.
        BadInput: There is nothing to go back to.
    """
    registry.versions(store, model)
    stack = standing(events(store, model, alias=alias))
    if len(stack) < 2:
        raise BadInput(
            f"{safe(model, limit=80)}@{safe(alias, limit=80)} has no earlier version to go back to.",
            "Promote another version instead.",
        )
    return stack[-2]


def standing(newest_first: list[AliasEvent]) -> list[int]:
    """Return the versions an alias could be rolled back through, the present one last."""
    stack: list[int] = []
    for event in reversed(newest_first):
        if event.kind == "promote" and event.version is not None:
            stack.append(event.version)
        elif event.kind == "rollback" and stack:
            stack.pop()
    return stack


def withdraw(store: Store, model: str, alias: str, *, who: str, why: str) -> AliasEvent:
    """Take an alias away.

    Raises:
        NotFound: It names nothing.
    """
    if version_of(store, model, alias) is None:
        raise NotFound(f"{model} has no {safe(alias, limit=80)}.", "See `lemnis models history`.")
    return move(store, model, alias, None, kind="withdraw", who=who, why=why)


def move(
    store: Store,
    model: str,
    alias: str,
    number: int | None,
    *,
    kind: AliasKind,
    who: str,
    why: str,
    forced: bool = False,
    evidence: dict[str, Any] | None = None,
) -> AliasEvent:
    """Append one event and return it; `previous` is read in the same statement, so no move between is lost.

    A split that the move settles ends with it.
    """
    from lemnis.engine.deploy.rollout import splits  # which resolves aliases itself

    values: dict[str, Any] = {  # Any: the table's own types
        "model": model,
        "alias": alias,
        "kind": kind,
        "version": number,
        "forced": int(forced),
        "who": who,
        "why": why,
        "at": now_ms(),
        "evidence": msgspec.json.encode(evidence or {}).decode(),
    }
    with store.write() as db:
        db.execute(
            """insert into alias_events (model, alias, kind, version, previous, forced, who, why, at, evidence)
               values (:model, :alias, :kind, :version,
                 (select version from aliases where model = :model and alias = :alias),
                 :forced, :who, :why, :at, :evidence)""",
            values,
        )
        event_id = db.execute("select last_insert_rowid()").fetchone()[0]
        splits.end_moved(store, model, alias, number, who=who)
    return event_in(store.rows("select * from alias_events where id = ?", [event_id])[0])


def events(
    store: Store, model: str = "", *, alias: str = "", at: int | None = None, limit: int = 10_000
) -> list[AliasEvent]:
    """Return alias events, newest first; of every model and alias unless named.

    Args:
        store: The workspace's state.
        model: One model.
        alias: One alias.
        at: Epoch ms: return what was in force then instead, one event for each alias that named a version.
        limit: Most events.
    """
    where = "(:model = '' or model = :model) and (:alias = '' or alias = :alias)"
    values = {"model": model, "alias": alias, "at": at, "limit": limit}
    if at is None:
        sql = f"select * from alias_events where {where} order by id desc limit :limit"
    else:
        sql = f"""select * from alias_events e where {where} and version is not null and id = (
                    select max(id) from alias_events b where b.model = e.model and b.alias = e.alias and b.at <= :at)
                  order by model, alias limit :limit"""
    return [event_in(row) for row in store.rows(sql, values)]


def event_in(row: Row) -> AliasEvent:
    """Return the event of one row of `alias_events`."""
    return AliasEvent(
        id=row["id"],
        model=row["model"],
        alias=row["alias"],
        kind=row["kind"],
        version=row["version"],
        previous=row["previous"],
        forced=bool(row["forced"]),
        who=row["who"],
        why=row["why"],
        at=row["at"],
        evidence=msgspec.json.decode(row["evidence"]),
    )
