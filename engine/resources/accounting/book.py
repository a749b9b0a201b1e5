"""The book: jobs and services of a span of time with what they held, used and cost, read from the store."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lemnis.engine.config import Config, Pool
from lemnis.engine.resources.accounting.fitting import Minute, Past, fits, idle_since
from lemnis.engine.resources.accounting.meter import EXACT
from lemnis.engine.resources.accounting.prices import GB, HOUR_S, KWH_J, Amount, cost_of, drawn_kwh
from lemnis.engine.resources.accounting.records import DiskUse, Fit, Idle, JobUse, ServiceUse, Usage
from lemnis.engine.resources.accounting.report import grouped
from lemnis.engine.resources.cgroups import read_limits, usable_cores
from lemnis.engine.resources.situation import users_of
from lemnis.engine.store import Row, Store

MOST = 5000  # jobs of one report
PAST = 400  # ended jobs that right sizes are told from
LEAST_S = 3.0  # a shorter job says nothing of what it needs
IDLE_S = 300.0
LOOK_BACK_MS = 6 * 3_600_000

JOBS = """
    select j.id, j.run_id, j.kind, j.title, j.state, j.submitted_by, j.project, j.cores, j.gpu, j.memory_bytes,
      j.peak_bytes, j.started_at, r.preset, max(0, coalesce(j.ended_at, :until) - j.started_at) / 1000.0 as whole_s,
      max(0, min(coalesce(j.ended_at, :until), :until) - max(j.started_at, :since)) / 1000.0 as held_s
    from jobs j left join runs r on r.id = j.run_id
    where j.started_at is not null and coalesce(j.ended_at, :until) >= :since and j.started_at <= :until
    order by j.id desc limit :most"""
SUMS = """
    select owner, sum(seconds) as seconds, sum(cpu_s) as cpu_s, sum(memory_byte_s) as memory_byte_s,
      max(peak_bytes) as peak_bytes, sum(gpu_s) as gpu_s, max(gpu_peak_bytes) as gpu_peak_bytes, sum(cpu_j) as cpu_j,
      sum(gpu_j) as gpu_j from used where width = 3600 and at >= :since and at <= :until"""
REQUESTS = "select endpoint, sum(requests) as requests from traffic where starts between ? and ? group by endpoint"
HOUR_MS = 3_600_000


class Book(Struct, frozen=True, kw_only=True):
    """What the figures are told with: the prices, the cores of this machine, and the project of each user."""

    prices: Pool
    cores: float
    projects: dict[str, str]


def open_book(config: Config) -> Book:
    """Return the book of this machine by the prices that are declared."""
    return Book(prices=config.pool, cores=usable_cores(read_limits()), projects=users_of(config.pool))


def usage_of(
    store: Store, config: Config, span: tuple[int, int], respects: Sequence[str], disk: list[DiskUse]
) -> Usage:
    """Return the whole report of a span of time (epoch ms)."""
    book, (since, until) = open_book(config), span
    jobs, services = job_uses(store, book, since, until), service_uses(store, book, since, until)
    return Usage(
        since=since,
        until=until,
        currency=config.problem.currency,
        groups=grouped(jobs, services, respects),
        jobs=jobs,
        services=services,
        idle=idle_jobs(store, book, until) if store.at is None else [],
        fits=right_sizes(store, book, until),
        disk=disk,
    )


def job_uses(store: Store, book: Book, since: int, until: int) -> list[JobUse]:
    """Return what every job that ran between two moments (epoch ms) held and used, the largest first.

    Of a job that began before or went on after them its part of that time is told; of its attempts the last one.
    """
    rows = store.rows(JOBS, {"since": since, "until": until, "most": MOST})
    if not rows:
        return []
    first = min(row["started_at"] for row in rows) // HOUR_MS * HOUR_MS
    sums = {
        row["owner"]: row
        for row in store.rows(
            f"{SUMS} and owner like 'job:%' group by owner", {"since": first, "until": until}, name="metrics"
        )
    }
    exact = {
        (row["owner"], row["at"]): row
        for row in store.rows(
            "select * from used where width = ? and owner like 'job:%' and at >= ?", [EXACT, first], name="metrics"
        )
    }
    found = [
        job_use(row, sums.get(f"job:{row['id']}"), exact.get((f"job:{row['id']}", row["started_at"])), book)
        for row in rows
    ]
    return sorted(found, key=lambda job: (-job.core_hours, -job.job_id))


def job_use(row: Row, summed: Row | None, exact: Row | None, book: Book) -> JobUse:
    """Return one job: the kernel's count of its process where it ended by itself, the sampler's sums otherwise."""
    held_h, share = row["held_s"] / HOUR_S, row["held_s"] / row["whole_s"] if row["whole_s"] else 1.0
    measured = exact or summed
    resident = None if summed is None or not summed["seconds"] else summed["memory_byte_s"] / summed["seconds"]
    peak = max(int(row["peak_bytes"] or 0), int(measured["peak_bytes"]) if measured else 0) or None
    held_bytes = float(row["memory_bytes"] or resident or peak or 0)
    used_core_h = share * measured["cpu_s"] / HOUR_S if measured else None
    used_gpu_h = share * summed["gpu_s"] / HOUR_S if summed and row["gpu"] else None
    kwh, energy = None, ""
    if measured is not None:  # else it is not known how busy its cores were
        busy_s, held_core_s = (used_core_h or 0.0) * HOUR_S, row["cores"] * row["held_s"]
        kwh, energy = energy_of(summed, book, busy_core_s=busy_s, held_core_s=held_core_s, share=share)
    amount = Amount(
        core_hours=row["cores"] * held_h,
        gb_hours=held_bytes / GB * held_h,
        gpu_hours=row["gpu"] * held_h,
        kwh=kwh,
    )
    idle = Amount(
        core_hours=max(0.0, amount.core_hours - used_core_h) if used_core_h is not None else 0.0,
        gb_hours=max(0.0, row["memory_bytes"] - (peak or 0)) / GB * held_h,
        gpu_hours=max(0.0, amount.gpu_hours - used_gpu_h) if used_gpu_h is not None else 0.0,
    )
    return JobUse(
        job_id=row["id"],
        run_id=row["run_id"],
        kind=row["kind"],
        title=row["title"],
        state=row["state"],
        user=row["submitted_by"],
        project=str(row["project"]) or book.projects.get(str(row["submitted_by"]), str(row["submitted_by"])),
        started_at=row["started_at"],
        cores=row["cores"],
        held_s=row["held_s"],
        core_hours=amount.core_hours,
        gpu_hours=amount.gpu_hours,
        gb_hours=amount.gb_hours if held_bytes else None,
        used_core_hours=used_core_h,
        used_gpu_hours=used_gpu_h,
        peak_bytes=peak,
        memory_bytes=row["memory_bytes"],
        kwh=kwh,
        energy=energy,
        cost=cost_of(amount, book.prices),
        idle_cost=cost_of(idle, book.prices) if used_core_h is not None else None,
    )


def energy_of(
    summed: Row | None, book: Book, *, busy_core_s: float, held_core_s: float, share: float = 1.0
) -> tuple[float | None, str]:
    """Return energy in kWh and how it is known: from the machine's meters, from declared watts, or not at all.

    `share` is the part of what was summed that is asked about; the seconds are of that part already.
    """
    cpu_j, gpu_j = (
        None if summed is None or summed[name] is None else share * float(summed[name]) for name in ("cpu_j", "gpu_j")
    )
    declared = drawn_kwh(book.prices, busy_core_s=busy_core_s, held_core_s=held_core_s, cores=book.cores)
    cpu_kwh = cpu_j / KWH_J if cpu_j is not None else declared
    if cpu_kwh is None and gpu_j is None:
        return None, ""
    return (cpu_kwh or 0.0) + (gpu_j or 0.0) / KWH_J, "measured" if cpu_j is not None or cpu_kwh is None else "declared"


def service_uses(store: Store, book: Book, since: int, until: int) -> list[ServiceUse]:
    """Return what endpoints and other services used between two moments, by whole hours, the largest first."""
    bounds = {"since": since // HOUR_MS * HOUR_MS, "until": until}
    rows = store.rows(f"{SUMS} and owner not like 'job:%' group by owner", bounds, name="metrics")
    requests = {
        row["endpoint"]: int(row["requests"])
        for row in store.rows(REQUESTS, [bounds["since"], until], name="predictions")
    }
    found = [service_use(row, requests, book) for row in rows]
    return sorted(found, key=lambda one: -one.used_core_hours)


def service_use(row: Row, requests: Mapping[str, int], book: Book) -> ServiceUse:
    """Return one service of SUMS."""
    kwh, energy = energy_of(row, book, busy_core_s=row["cpu_s"], held_core_s=row["cpu_s"])
    amount = Amount(
        core_hours=row["cpu_s"] / HOUR_S,
        gb_hours=row["memory_byte_s"] / GB / HOUR_S,
        gpu_hours=row["gpu_s"] / HOUR_S,
        kwh=kwh,
    )
    cost = cost_of(amount, book.prices)
    kind, _, endpoint = str(row["owner"]).partition(":")
    asked = requests.get(endpoint, 0) if kind == "endpoint" else None
    return ServiceUse(
        name=row["owner"],
        up_s=row["seconds"],
        used_core_hours=amount.core_hours,
        gb_hours=amount.gb_hours,
        gpu_hours=amount.gpu_hours,
        peak_bytes=row["peak_bytes"],
        kwh=kwh,
        energy=energy,
        cost=cost,
        requests=asked,
        cost_per_million=cost / asked * 1e6 if cost is not None and asked else None,
    )


def idle_jobs(store: Store, book: Book, now: int) -> list[Idle]:
    """Return the live jobs that have hardly used what they hold for IDLE_S or longer, the longest first."""
    found: list[Idle] = []
    for job in store.rows(
        "select id, title, cores, gpu from jobs where state = 'running' and executor = 'local' and host_id is null"
    ):
        rows = store.rows(
            "select at, seconds, cpu_s, gpu_s from used where owner = ? and width = 60 and at > ? order by at",
            [f"job:{job['id']}", now - LOOK_BACK_MS],
            name="metrics",
        )
        if not rows or now - rows[-1]["at"] > 150_000:
            continue  # nobody has measured it lately
        for what, held, column in (("cores", job["cores"], "cpu_s"), ("GPU", job["gpu"], "gpu_s")):
            minutes = [
                Minute(at=row["at"], seconds=row["seconds"], used=row[column] / row["seconds"])
                for row in rows
                if row["seconds"] > 0
            ]
            idle = idle_since(minutes, held) if held else None
            if idle is not None and idle[0] >= IDLE_S:
                hour = Amount(core_hours=held - idle[1]) if what == "cores" else Amount(gpu_hours=held - idle[1])
                found.append(
                    Idle(
                        job_id=job["id"],
                        title=job["title"],
                        what=what,
                        held=held,
                        used=idle[1],
                        seconds=idle[0],
                        cost_per_hour=cost_of(hour, book.prices),
                    )
                )
    return sorted(found, key=lambda one: -one.seconds)


def right_sizes(store: Store, book: Book, until: int) -> list[Fit]:
    """Return what would do for the kinds of jobs that ask for much more, or less, than they used."""
    rows = store.rows(JOBS, {"since": 0, "until": until, "most": PAST})
    presets = {row["id"]: row["preset"] for row in rows}
    uses = {job.job_id: job for job in job_uses(store, book, min((r["started_at"] for r in rows), default=0), until)}
    past: list[Past] = []
    for row in rows:
        job = uses.get(row["id"])
        if job is None or job.state != "finished" or job.held_s < LEAST_S or job.used_cores is None:
            continue
        named = f"{job.kind} {presets[job.job_id] or ''}".strip()
        past.append(
            Past(
                what=named,
                cores=job.cores,
                memory_bytes=job.memory_bytes,
                used_cores=job.used_cores,
                peak_bytes=job.peak_bytes or 0,
            )
        )
    return fits(past)
