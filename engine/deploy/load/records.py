"""Load tests: what was measured of a version over HTTP; kept and read, SQLite only."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from lemnis.engine.store import Store


class LoadCell(Struct, frozen=True, kw_only=True):
    """So many connections that ask for so many rows each, again as soon as they are answered.

    Attributes:
        seconds: How long it was measured, after some tenths of a second to warm up.
        requests, errors: Answered with 200, and otherwise.
        p50_ms, p90_ms, p99_ms, p999_ms: From a request's first byte to its answer's last; None without an answer.
        cpu_us_per_row: Time of a core that the server needed for one row.
        cost_per_million: Of rows, by that time and the pool's price of a core; None without a price.
    """

    connections: int
    batch: int
    seconds: float
    requests: int
    errors: int
    requests_per_s: float
    rows_per_s: float
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    cpu_us_per_row: float | None
    cost_per_million: float | None


class LoadTest(Struct, frozen=True, kw_only=True):
    """One load test of a version.

    Attributes:
        endpoint: Which endpoint it was asked for; its own server took no part.
        cold_start_ms: From starting a server's process to its first 200 at /v2/health/ready.
        idle_bytes, busy_bytes: Memory of the server (PSS, shared pages by share) when it was ready, and after the load.
        rows: Golden rows that requests were made of.
        cores: Cores of this machine that both sides could use.
    """

    endpoint: str
    model: str
    version: int
    cold_start_ms: float
    idle_bytes: int
    busy_bytes: int
    rows: int
    cores: int
    currency: str
    price_core_hour: float
    cells: list[LoadCell]
    at: int
    job_id: int | None = None


def save_load_test(store: Store, found: LoadTest) -> None:
    """Keep a load test beside earlier ones of the version."""
    detail = msgspec.json.encode(found).decode()
    names = ("endpoint", "model", "version", "at", "job_id")
    with store.write() as db:
        db.table("load_tests").insert({name: getattr(found, name) for name in names} | {"detail": detail})


def list_load_tests(store: Store, *, model: str = "", version: int = 0, run_id: int = 0) -> list[LoadTest]:
    """Return the load tests of a version, of all versions of a model, or of a run's versions; the latest first."""
    rows = store.rows(
        """select l.detail from load_tests l
             left join model_versions v on v.model = l.model and v.version = l.version
           where :model in ('', l.model) and :version in (0, l.version) and :run in (0, v.run_id)
           order by l.at desc, l.id desc""",
        {"model": model, "version": version, "run": run_id},
    )
    return [msgspec.json.decode(row["detail"], type=LoadTest) for row in rows]


def checked(connections: Sequence[int], batches: Sequence[int], seconds: float) -> str:
    """Return what of a plan can't be done; empty if all of it can."""
    if not (connections and batches and 0.2 <= seconds <= 60):
        return "seconds are 0.2 to 60, with at least one number of connections and of rows"
    if not all(1 <= count <= 512 for count in connections) or not all(1 <= count <= 10_000 for count in batches):
        return "connections are 1 to 512, rows a request 1 to 10,000"
    return ""
