"""Business concept drift: champions trained under a problem that is no longer the one lemnis.toml states."""

import msgspec

from lemnis.engine.config import Problem, load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.problem import Difference
from lemnis.engine.problem.history import differences, problem_in, problem_sha256
from lemnis.engine.store import Row, Store

# What of [problem] decides whether a model still answers the question; titles, owners and sources do not.
DECIDING = ("question", "task", "target", "unit", "decided", "currency", "threshold", "value", "criteria")


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that a model may stay although the problem changed: who, when (epoch ms) and why."""

    who: str
    why: str
    at: int


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """A champion, or a version that an endpoint serves, whose problem was changed after its run was started.

    Attributes:
        differences: What was stated when its run was started, and what is stated now.
        by_time: The run does not say under which statement it was trained; the one recorded last before it counts.
        change_id: The entry of the problem's history that states it as it is now; None while that only stands in the
            file. changed_at: when that was recorded, epoch ms, by `changed_by`, for `reason`.
        waived: A person let it stay under exactly this statement.
    """

    model: str
    version: int
    run_id: int
    differences: list[Difference]
    by_time: bool
    change_id: int | None
    changed_at: int | None
    changed_by: str
    reason: str
    waived: Waiver | None

    @property
    def words(self) -> str:
        """One line: ``late v1 is stale: threshold 0.5 → 0.4``."""
        first = self.differences[0]
        more = f" and {len(self.differences) - 1} more" if self.differences[1:] else ""
        return f"{self.model} v{self.version} is stale: {first.key} {arrow(first)}{more}"


def arrow(difference: Difference) -> str:
    """Return ``0.5 → 0.4``; a dash where there was or is nothing."""
    return f"{difference.before or '–'} → {difference.after or '–'}"


def stale_models(store: Store, problem: Problem | None = None, *, waived: bool = True) -> list[Stale]:
    """Return the champions and served versions whose problem changed since they were trained.

    Args:
        store: The workspace's state.
        problem: As it is stated now; read from lemnis.toml if not given.
        waived: List those too that a person let stay.

    Raises:
        ConfigError: lemnis.toml is not accepted.
    """
    now = load_config(store.workspace.config).problem if problem is None else problem
    digest = problem_sha256(now)
    found = [stale_of(store, row, now, digest) for row in in_charge(store)]
    return [one for one in found if one is not None and (waived or one.waived is None)]


def in_charge(store: Store) -> list[Row]:
    """Return the runs of every champion and of every version that an endpoint serves."""
    return store.rows(
        """select v.model, v.version, v.run_id, r.problem_sha256, r.created_at
           from model_versions v join runs r on r.id = v.run_id
           where exists (select 1 from aliases a
                         where a.model = v.model and a.version = v.version and a.alias = 'champion')
              or exists (select 1 from endpoints e where e.model = v.model and e.serving_version = v.version)
           order by v.model, v.version"""
    )


def stale_of(store: Store, row: Row, now: Problem, digest: str) -> Stale | None:
    """Return how one version's problem differs from the one of now; None where it does not, or nobody knows."""
    if row["problem_sha256"] == digest:
        return None
    trained, by_time = statement_of(store, row)
    if trained is None:
        return None
    changed = [one for one in differences(trained, now) if decides(one.key)]
    if not changed:
        return None
    last = store.row(
        """select id, at, who, why from config_history where problem_sha256 = ?1 and id >
             coalesce((select max(id) from config_history where problem_sha256 != ?1), 0) order by id limit 1""",
        [digest],
    )
    return Stale(
        model=row["model"],
        version=row["version"],
        run_id=row["run_id"],
        differences=changed,
        by_time=by_time,
        change_id=last["id"] if last else None,
        changed_at=last["at"] if last else None,
        changed_by=last["who"] if last else "",
        reason=last["why"] if last else "",
        waived=waiver_of(store, row["model"], row["version"], digest),
    )


def decides(key: str) -> bool:
    """Say whether a changed key makes a model stale."""
    return key.split(".")[0].split("[")[0] in DECIDING and not key.endswith(".why")


def statement_of(store: Store, run: Row) -> tuple[Problem | None, bool]:
    """Return the problem a run was started under, and whether it had to be found by time."""
    sql = "select text from config_history where problem_sha256 = ? order by id desc limit 1"
    text = store.value(sql, [run["problem_sha256"]]) if run["problem_sha256"] else None
    if text is not None:
        return problem_in(text), False
    text = store.value("select text from config_history where at <= ? order by id desc limit 1", [run["created_at"]])
    return (None if text is None else problem_in(text)), True


def waiver_of(store: Store, model: str, version: int, digest: str) -> Waiver | None:
    """Return the waiver of a version under one statement."""
    sql = """select who, why, at from monitor_waivers where model = ? and version = ? and problem_sha256 = ?
             order by id desc limit 1"""
    row = store.row(sql, [model, version, digest])
    return None if row is None else Waiver(who=row["who"], why=row["why"], at=row["at"])


def waive(store: Store, model: str, *, who: str, why: str, now: int | None = None) -> list[Stale]:
    """Let a model's stale versions stay until the problem changes again; the event says who, when and why.

    Raises:
        BadInput: Nobody or no reason is named.
        NotFound: No champion or served version of this model is stale.
    """
    if not who.strip() or not why.strip():
        raise BadInput("A waiver needs a name and a reason.", "Say who you are and why: --who NAME --why '…'.")
    stale = [one for one in stale_models(store, waived=False) if one.model == model]
    if not stale:
        raise NotFound(f"No version of {model!r} in charge is stale.", "See `lemnis monitor status`.")
    digest = problem_sha256(load_config(store.workspace.config).problem)
    moment = store.now_ms() if now is None else now
    said = {"problem_sha256": digest, "who": who.strip(), "why": why.strip(), "at": moment}
    with store.write() as db:
        for one in stale:
            db.table("monitor_waivers").insert({"model": one.model, "version": one.version, **said})
    return [one for one in stale_models(store) if one.model == model]
