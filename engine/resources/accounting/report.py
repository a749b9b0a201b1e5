"""The report: use by project, week, user or kind, as tables for people and other programs. Pure."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from lemnis.engine.resources.accounting.records import GroupUse, JobUse, ServiceUse
from lemnis.engine.text import safe

RESPECTS = ("project", "week", "user", "kind", "job")
SERVICES = "services"
FIGURES = ("jobs", "core_hours", "used_core_hours", "gb_hours", "gpu_hours", "kwh", "cost", "idle_cost")


def week_of(at: int) -> str:
    """Return the ISO week of a moment (epoch ms) in UTC: ``2026-W48``."""
    year, week, _ = datetime.fromtimestamp(at / 1000, UTC).isocalendar()
    return f"{year}-W{week:02d}"


def keys_of(job: JobUse, respects: Sequence[str]) -> dict[str, str]:
    """Return what a job is grouped by; a job belongs to the week that it started in."""
    values = {
        "project": job.project,
        "week": week_of(job.started_at),
        "user": job.user,
        "kind": job.kind,
        "job": f"{job.job_id} {job.title}",
    }
    return {respect: values[respect] for respect in respects}


def grouped(jobs: Sequence[JobUse], services: Sequence[ServiceUse], respects: Sequence[str]) -> list[GroupUse]:
    """Return jobs added up by some of RESPECTS, the dearest or largest first, then all services in one row."""
    groups: dict[tuple[str, ...], list[JobUse]] = {}
    for job in jobs:
        groups.setdefault(tuple(keys_of(job, respects).values()), []).append(job)
    rows = [added(dict(zip(respects, names, strict=True)), members) for names, members in groups.items()]
    rows.sort(key=lambda row: (-(row.cost or 0.0), -row.core_hours, list(row.keys.values())))
    return [*rows, services_row(services, respects)] if services else rows


def added(keys: dict[str, str], jobs: Sequence[JobUse]) -> GroupUse:
    """Return jobs added up; a figure that none of them knows is not known of all."""
    return GroupUse(
        keys=keys,
        jobs=len(jobs),
        core_hours=sum(job.core_hours for job in jobs),
        used_core_hours=known_sum([job.used_core_hours for job in jobs]),
        gb_hours=known_sum([job.gb_hours for job in jobs]) or 0.0,
        gpu_hours=sum(job.gpu_hours for job in jobs),
        kwh=known_sum([job.kwh for job in jobs]),
        cost=known_sum([job.cost for job in jobs]),
        idle_cost=known_sum([job.idle_cost for job in jobs]),
    )


def services_row(services: Sequence[ServiceUse], respects: Sequence[str]) -> GroupUse:
    """Return what all endpoints and other services used; of the pool they hold nothing."""
    return GroupUse(
        keys={respect: SERVICES if place == 0 else "" for place, respect in enumerate(respects)},
        jobs=0,
        core_hours=0.0,
        used_core_hours=sum(one.used_core_hours for one in services),
        gb_hours=sum(one.gb_hours for one in services),
        gpu_hours=sum(one.gpu_hours for one in services),
        kwh=known_sum([one.kwh for one in services]),
        cost=known_sum([one.cost for one in services]),
        idle_cost=None,
    )


def known_sum(values: Sequence[float | None]) -> float | None:
    """Return the sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def as_csv(groups: Sequence[GroupUse]) -> str:
    """Return groups as CSV with a head; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(groups[0].keys) if groups else []
    writer.writerow([*names, *FIGURES])
    for group in groups:
        figures = [getattr(group, name) for name in FIGURES]
        writer.writerow([*map(quoted, group.keys.values()), *("" if one is None else one for one in figures)])
    return out.getvalue()


def quoted(text: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula."""
    text = safe(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def as_markdown(groups: Sequence[GroupUse], currency: str) -> str:
    """Return groups as a table of Markdown."""
    names = list(groups[0].keys) if groups else []
    heads = [
        *names,
        "jobs",
        "core hours",
        "of them used",
        "GB hours",
        "GPU hours",
        "kWh",
        f"cost, {currency}",
        "idle cost",
    ]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(names)}{' ---: |' * len(FIGURES)}"]
    for group in groups:
        figures = [getattr(group, name) for name in FIGURES]
        cells = ["–" if one is None else f"{one:,}" if isinstance(one, int) else f"{one:,.3f}" for one in figures]
        texts = [safe(text).replace("\\", "\\\\").replace("|", "\\|") for text in group.keys.values()]
        lines.append(f"| {' | '.join([*texts, *cells])} |")
    return "\n".join(lines) + "\n"
