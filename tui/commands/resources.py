"""`lemnis resources`: the machine, the pool and its queue, what jobs took, and history."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput, NoWorkspace
from lemnis.engine.resources import Change, GpuReport, HostSample, ProcessTable, WhatIf
from lemnis.engine.text import safe
from lemnis.tui.commands import resources_nodes, resources_plan, resources_usage
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, session_of
from lemnis.tui.commands.run import size_of
from lemnis.tui.commands.session import Session
from lemnis.tui.format import age, bytes_, duration, number, spark

if TYPE_CHECKING:
    from lemnis.tui.stages.resources.live.reading import Source

app = group("Live use of the machine, the pool and its queue, what jobs took, history.")
app.add_typer(resources_nodes.app)
app.add_typer(resources_plan.app)
app.add_typer(resources_usage.app)

WIDTH = 100  # of the bars of shares
DRIVER_S = 2.0  # how long one reading waits for the GPU driver
RATES_S = 0.5  # between two readings, where no sampler has done it


@app.command()
def top(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Print one reading and end, also on a terminal.")] = False,
    rows: Annotated[int, typer.Option("-n", "--rows", help="How many processes.", min=1)] = 15,
) -> None:
    """The machine live: CPU, memory, disk, network, GPUs and the busiest processes; needs no workspace. q leaves.

    With --json, or where the output is no terminal, one reading: {"host": {...}, "gpus": {"devices", "reason"},
    "processes": {"at", "total", "running", "threads", "rows": [{"pid", "user", "command", "cpu_percent",
    "memory_bytes", "owner", "job_id", "run_id", "service", ...}]}}. Names end in their unit; null is not known.
    """
    session = session_of(context)
    if not (session.json or once) and sys.stdout.isatty():
        from lemnis.tui.stages.resources.top import Top

        with live_source(session) as source:
            shown = Top(source)
            shown.run()
        raise typer.Exit(shown.return_code or 0)
    with live_source(session, patience_s=DRIVER_S) as source:
        host, gpus, processes = reading(source)
    if session.json:
        print_json({"host": host, "gpus": gpus, "processes": cut(processes, rows)})
        return
    print_facts(host_facts(host, gpus))
    print()
    table = [
        (str(one.pid), one.user, number(one.cpu_percent, 1), bytes_(one.memory_bytes), one.owner, one.command[:100])
        for one in processes.rows[:rows]
    ]
    print_table(["pid", "user", "CPU %", "memory", "works for", "command"], table, right={"pid", "CPU %", "memory"})


@app.command()
def pools(
    context: typer.Context,
    what_if: Annotated[
        int | None,
        typer.Option("--what-if", help="Try a change of a waiting job; nothing is changed.", metavar="JOB"),
    ] = None,
    priority: Annotated[int | None, typer.Option(help="With --what-if: its priority.", min=0, max=200)] = None,
    cores: Annotated[float | None, typer.Option(help="With --what-if: its cores.", min=0)] = None,
    memory: Annotated[str, typer.Option(help="With --what-if: its memory, e.g. 4GiB.", metavar="SIZE")] = "",
    gpu: Annotated[float | None, typer.Option(help="With --what-if: its share of a GPU, or GPUs.", min=0)] = None,
) -> None:
    """Who is guaranteed what of the pool, who holds and borrows it, why the others wait and when they will start.

    With --json: {"cores", "memory_bytes", "gpus", "held_cores", "held_memory_bytes", "held_gpus",
    "accounts": [{"name", "guaranteed" [cores, bytes, GPUs], "limit", "held", "borrowed", "waiting", "use",
    "declared"}],
    "holding": [{"job_id", "run_id", "kind", "title", "state", "cores", "memory_bytes", "gpu", "since", "used_cores",
    "used_memory_bytes", "account", "priority", "right", "borrowed", "preemptible", "stops_for", "cpus", "gpus",
    "kept_by", "left_s"}], "waiting": [{"job_id", "run_id", "kind", "title", "cores", "memory_bytes", "gpu", "priority",
    "since", "why", "refused", "account", "borrows", "score", "start": {"at", "after"}, "left"}], "enforcement"};
    waiting jobs are in line order. With --what-if: {"job_id", "title", "asked", "before": {"place", "why", "preempts",
    "start"}, "after", "others": [{"job_id", "title", "account", "before", "after", "preempted"}]}.
    """
    session = session_of(context)
    if what_if is not None:
        change = Change(priority=priority, cores=cores, memory_bytes=size_of(memory) if memory else None, gpu=gpu)
        show_trial(session, session.engine.resources.what_if(what_if, change))
        return
    if any(given is not None for given in (priority, cores, gpu)) or memory:
        raise BadInput("These are to be tried out on a job.", "Name one with --what-if JOB.", "--what-if")
    pool = session.engine.resources.pool()
    if session.json:
        print_json(pool)
        return
    from lemnis.tui.stages.resources.pool.words import COLUMNS, LEGEND, account_lines, job_rows
    from lemnis.tui.stages.resources.rows import pool_title
    from lemnis.tui.widgets.cells import plain

    print(f"pool  {safe(pool_title(pool))}")
    if pool.enforcement:
        print(f"GPU   {pool.enforcement}")
    for line in account_lines(pool, WIDTH):
        print(safe(line.plain).rstrip())
    if pool.accounts:
        print(f"      {LEGEND}")
    found = [[plain(cell) for cell in row.cells] for row in job_rows(pool, now_ms())]
    if found:
        print()
        print_table([column.label for column in COLUMNS], found, right={one.label for one in COLUMNS if one.right})


def show_trial(session: Session, found: WhatIf) -> None:
    """Print what a change would do."""
    if session.json:
        print_json(found)
        return
    from lemnis.tui.stages.resources.pool.words import MOVED_COLUMNS, moved_rows, what_if_lines
    from lemnis.tui.widgets.cells import plain

    print_facts(what_if_lines(found, now_ms()))
    rows = [[plain(cell) for cell in row.cells] for row in moved_rows(found, now_ms())]
    if rows:
        print()
        print_table([column.label for column in MOVED_COLUMNS], rows, right={"job", "now", "then"})


@app.command()
def history(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(help="cpu_percent, memory_percent, busy_percent …")] = "cpu_percent",
    source: Annotated[str, typer.Option("--source", help="host, or a GPU: gpu:0 …")] = "host",
    minutes: Annotated[
        float, typer.Option("--minutes", help="How far back; 43200 is 30 days.", min=0.5, max=43_200)
    ] = 15,
    points: Annotated[int, typer.Option("--points", help="Steps at most.", min=1, max=2000)] = 60,
) -> None:
    """One figure of the machine over time, as means of equal steps; a step without a reading is null.

    With --json: {"source", "step_s", "at": [epoch ms of each step's start], "values": {METRIC: [number or null]}}.
    """
    session = session_of(context)
    session.engine.resources.check_metric(source, metric)
    found = session.engine.resources.history(source, metric, round(minutes * 60), points)
    if session.json:
        print_json(found)
        return
    values = found.values[metric]
    known = [value for value in values if value is not None]
    print(spark(values))
    print_facts(
        [
            ("figure", f"{source} {metric}"),
            ("from", f"{iso_utc(found.at[0])}, {len(found.at)} steps of {duration(found.step_s)}"),
            ("least", number(min(known, default=None))),
            ("mean", number(sum(known) / len(known) if known else None)),
            ("most", number(max(known, default=None))),
        ]
    )


@contextmanager
def live_source(session: Session, *, patience_s: float = 0.0) -> "Generator[Source, None, None]":
    """Yield the workspace's room, or readings by this process where no engine runs."""
    from lemnis.engine.resources.alone import MachineAlone

    folder, room = Path.cwd(), None
    try:
        engine = session.engine
    except NoWorkspace:
        if session.workspace is not None:
            raise
    else:
        folder = engine.workspace.root
        room = engine.resources if engine.jobs.status().state == "up" else None
    alone = MachineAlone(folder, room, patience_s=patience_s)
    try:
        yield alone
    finally:
        alone.close()


def reading(source: "Source") -> tuple[HostSample, GpuReport, ProcessTable]:
    """Return one reading with rates."""
    host, processes = source.now(), source.processes()
    if host.cpu_percent is None:
        time.sleep(RATES_S)
        host, processes = source.now(), source.processes()
    return host, source.gpus(), processes


def cut(table: ProcessTable, rows: int) -> ProcessTable:
    """Return a process table with its first rows only."""
    return msgspec.structs.replace(table, rows=table.rows[:rows])


def host_facts(host: HostSample, gpus: GpuReport) -> list[tuple[str, str]]:
    """Return one reading of the machine as label and value."""
    from lemnis.tui.stages.resources.lines import cpu_title, disk_words, gpu_brief, load_words, percent, rate
    from lemnis.tui.stages.resources.live.disks import disk_fact

    flows = f"in {rate(host.net_received_bytes_per_s)}, out {rate(host.net_sent_bytes_per_s)}"
    disk = f"read {rate(host.disk_read_bytes_per_s)}, write {rate(host.disk_write_bytes_per_s)}"
    full, free = disk_words(host)
    used = f"{bytes_(host.memory_used_bytes)} of {bytes_(host.memory_usable_bytes)}"
    return [
        ("cpu", f"{percent(host.cpu_percent)}, {cpu_title(host)} · load {load_words(host)}"),
        ("memory", f"{percent(host.memory_percent)}, {used}"),
        ("disk", f"{percent(full)}, {free}, {disk}"),
        *((safe(other.folder), disk_fact(other)) for other in host.disks[1:]),
        ("network", flows),
        ("gpu", gpu_brief(gpus).plain.removeprefix("GPU").strip()),
        ("read", f"{iso_utc(host.at)} ({age(host.at, now_ms())})"),
    ]
