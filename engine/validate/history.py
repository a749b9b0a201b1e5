"""Every run of the checks, every verdict and every waiver, as they were written; nothing is overwritten."""

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.store import Row, Store
from lemnis.engine.validate.expectation import Expectation
from lemnis.engine.validate.records import (
    WORST_FIRST,
    CheckResult,
    CheckRun,
    Compared,
    HistoryPoint,
    Offender,
    Sample,
    Waiver,
)

RUN = "check_runs.*, versions.name || ' v' || versions.number as version_title"


def list_runs(store: Store, limit: int = 50) -> list[CheckRun]:
    """Return the runs of the checks, newest first."""
    sql = f"select {RUN} from check_runs join versions on versions.id = version_id order by check_runs.id desc limit ?"
    return [_run(row) for row in store.rows(sql, [limit])]


def find_run(store: Store, check_run_id: int | None = None) -> CheckRun:
    """Return one run of the checks; None is the latest.

    Raises:
        NotFound: There is none.
    """
    sql = f"select {RUN} from check_runs join versions on versions.id = version_id"
    row = store.row(f"{sql} where ? is null or check_runs.id = ? order by check_runs.id desc", [check_run_id] * 2)
    if row is None:
        which = (
            "The checks have not run yet." if check_run_id is None else f"There is no run {check_run_id} of the checks."
        )
        raise NotFound(which, "Run them with `lemnis validate run`.")
    return _run(row)


def list_results(store: Store, check_run_id: int) -> list[CheckResult]:
    """Return the results of one run, worst first, then as declared."""
    sql = """select check_results.*, waivers.until, waivers.who, waivers.why as waived_why, waivers.at
             from check_results left join waivers on waivers.id = waiver_id where check_run_id = ?"""
    results = [_result(row) for row in store.rows(sql, [check_run_id])]
    return sorted(results, key=lambda result: (WORST_FIRST.index(result.verdict), result.position))


def list_history(store: Store, name: str = "", *, runs: int = 30) -> dict[str, list[HistoryPoint]]:
    """Return how each check (or the one of this name) went in the latest runs, oldest first."""
    sql = """select check_results.name, check_run_id, ended_at, version_id, verdict, failing, total,
                    versions.name || ' v' || versions.number as version_title
             from check_results
             join check_runs on check_runs.id = check_run_id join versions on versions.id = version_id
             where ? in ('', check_results.name) and check_run_id > (select coalesce(max(id), 0) from check_runs) - ?
             order by check_run_id"""
    points: dict[str, list[HistoryPoint]] = {}
    for row in store.rows(sql, [name, runs]):
        point = HistoryPoint(
            check_run_id=row["check_run_id"],
            at=row["ended_at"],
            version_id=row["version_id"],
            version_title=row["version_title"],
            verdict=row["verdict"],
            failing=row["failing"],
            total=row["total"],
        )
        points.setdefault(row["name"], []).append(point)
    return points


def record_run(
    store: Store,
    version_id: str,
    results: list[CheckResult],
    counts: dict[str, int],
    *,
    job_id: int,
    started_at: int,
    kept: str = "",
) -> int:
    """Keep a run and its results, all or nothing; return its id."""
    with store.write() as db:
        run = {"version_id": version_id, "job_id": job_id, "started_at": started_at, "ended_at": now_ms(), "kept": kept}
        run |= counts
        run_id = int(str(db.table("check_runs").insert(run).last_pk))
        for result in results:
            db.table("check_results").insert(
                {
                    "check_run_id": run_id,
                    "position": result.position,
                    "name": result.name,
                    "kind": result.kind,
                    "source": result.source,
                    "rule": result.rule,
                    "severity": result.severity,
                    "owner": result.owner,
                    "why": result.why,
                    "verdict": result.verdict,
                    "failing": result.failing,
                    "total": result.total,
                    "distinct_values": result.distinct,
                    "allowed": result.allowed,
                    "limits": result.limits,
                    "message": result.message,
                    "waiver_id": result.waiver.id if result.waiver else None,
                    "sql": result.sql,
                    "typed": int(result.typed),
                    "sample": msgspec.json.encode(result.sample).decode(),
                    "top": msgspec.json.encode(result.top).decode(),
                    "duration_ms": result.duration_ms,
                    "expected": msgspec.json.encode(result.expected).decode(),
                    "compared": msgspec.json.encode(result.compared).decode(),
                }
            )
    return run_id


def list_waivers(store: Store, *, at: int) -> dict[str, Waiver]:
    """Return the waivers in force at a time, by check; the last word on a check counts."""
    sql = """select id, check_name as "check", until, who, why, at from waivers
             where id in (select max(id) from waivers group by check_name) and until > ?"""
    return {row["check"]: msgspec.convert(dict(row), Waiver) for row in store.rows(sql, [at])}


def add_waiver(store: Store, name: str, *, until: int, who: str, why: str, now: int) -> Waiver:
    """Record that a failing check only warns until a time; a time that has passed takes an earlier waiver back.

    Raises:
        NotFound: No such check is declared.
        BadInput: `who` or `why` is empty.
    """
    declared = [check.name for check in load_config(store.workspace.config).checks]
    if name not in declared:
        raise NotFound(f"There is no check {name!r}.", f"Checks: {', '.join(declared) or 'none'}.", "lemnis.toml")
    if not who.strip() or not why.strip():
        raise BadInput("A waiver needs a person and a reason.", "Say who waives the check, and why.")
    with store.write() as db:
        row = {"check_name": name, "until": until, "who": who.strip(), "why": why.strip(), "at": now}
        waiver_id = int(str(db.table("waivers").insert(row).last_pk))
    return Waiver(id=waiver_id, check=name, until=until, who=who.strip(), why=why.strip(), at=now)


def _run(row: Row) -> CheckRun:
    return msgspec.convert(dict(row), CheckRun)


def _result(row: Row) -> CheckResult:
    waiver = None
    if row["waiver_id"] is not None:
        waiver = Waiver(
            id=row["waiver_id"],
            check=row["name"],
            until=row["until"],
            who=row["who"],
            why=row["waived_why"],
            at=row["at"],
        )
    return CheckResult(
        position=row["position"],
        name=row["name"],
        kind=row["kind"],
        source=row["source"],
        rule=row["rule"],
        severity=row["severity"],
        owner=row["owner"],
        why=row["why"],
        verdict=row["verdict"],
        failing=row["failing"],
        total=row["total"],
        distinct=row["distinct_values"],
        allowed=row["allowed"],
        limits=row["limits"],
        message=row["message"],
        waiver=waiver,
        sql=row["sql"],
        typed=bool(row["typed"]),
        sample=msgspec.json.decode(row["sample"], type=Sample),
        top=msgspec.json.decode(row["top"], type=list[Offender]),
        duration_ms=row["duration_ms"],
        expected=msgspec.json.decode(row["expected"], type=Expectation | None),
        compared=msgspec.json.decode(row["compared"], type=Compared | None),
    )
