"""The pool, its queue and the processes as rows of tables. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.resources import Holding, PoolState, Process, ProcessTable, Waiting
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, verdict
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import Col, Row

POOL_COLUMNS = (
    Col("job", "job", right=True),
    Col("what", "what", most=32),
    Col("state", "state"),
    Col("cores", "cores", right=True),
    Col("used_cores", "used", right=True),
    Col("memory", "memory", right=True),
    Col("used_memory", "used", right=True),
    Col("gpu", "GPU", right=True),
    Col("since", "since", right=True),
    Col("why", "why", flex=True),
)
PROCESS_COLUMNS = (
    Col("pid", "pid", right=True, width=7),
    Col("user", "user", most=10),
    Col("state", "S", width=1),
    Col("nice", "nice", right=True, width=4),
    Col("threads", "thr", right=True, width=4),
    Col("cpu", "CPU %", right=True, width=6),
    Col("memory", "memory", right=True, width=9),
    Col("gpu", "GPU", right=True, width=9),
    Col("time", "CPU time", right=True, width=8),
    Col("age", "age", right=True, width=6),
    Col("owner", "works for", most=28),
    Col("command", "command", flex=True),
)
NARROW_POOL = frozenset({"job", "what", "state", "cores", "used_cores", "why"})
PROCESS_ROOM = (  # from how many cells on there is room for which columns
    (0, frozenset({"cpu", "memory", "command"})),
    (50, frozenset({"pid"})),
    (70, frozenset({"user", "gpu", "owner"})),
    (100, frozenset({"state", "time", "age"})),
    (130, frozenset({"threads", "nice"})),
)


def pool_title(pool: PoolState) -> str:
    """Return what the pool panel says behind its name."""
    gpus = (
        _("{held_gpus:g} of {gpus:g} GPU").format(held_gpus=pool.held_gpus, gpus=pool.gpus)
        if pool.gpus
        else _("no GPU")
    )
    waiting = " " + _("· {waiting} waiting").format(waiting=len(pool.waiting)) if pool.waiting else ""
    memory = _("{held_memory_bytes} of {memory_bytes}").format(
        held_memory_bytes=bytes_(pool.held_memory_bytes), memory_bytes=bytes_(pool.memory_bytes)
    )
    return _("{held_cores:g} of {cores:g} cores · {memory} · {gpus} held{waiting}").format(
        held_cores=pool.held_cores, cores=pool.cores, memory=memory, gpus=gpus, waiting=waiting
    )


def pool_rows(pool: PoolState, now_ms: int) -> list[Row]:
    """Return what holds something, then what waits in line order."""
    return [
        *(holding_row(holding, now_ms) for holding in pool.holding),
        *(waiting_row(waiting, now_ms) for waiting in pool.waiting),
    ]


def what(run_id: int | None, title: str) -> str:
    """Return a job's title, with its run where it trains one and doesn't say so itself."""
    return (
        title
        if run_id is None or _("run {run_id}").format(run_id=run_id) in title
        else _("run {run_id} {title}").format(run_id=run_id, title=title)
    )


def holding_row(job: Holding, now_ms: int) -> Row:
    """Return a job that holds a part of the pool, and what it really uses of it."""
    elsewhere = job.executor != "local"
    idle = not elsewhere and (
        job.used_cores is not None and job.since is not None and now_ms - job.since > 60_000 and job.used_cores < 0.05
    )
    return Row(
        str(job.job_id),
        (
            str(job.job_id),
            what(job.run_id, told(job.title)),
            verdict(job.state).content,
            f"{job.cores:g}",
            MISSING if job.used_cores is None else f"{job.used_cores:.1f}",
            bytes_(job.memory_bytes) if job.memory_bytes else MISSING,
            bytes_(job.used_memory_bytes),
            f"{job.gpu:g}" if job.gpu else MISSING,
            age(job.since, now_ms),
            Content.styled(_("▲ holds cores but is idle"), "$warn") if idle
            else _("on {executor}").format(executor=job.executor) if elsewhere else "",
        ),
        (job.job_id, job.title, job.state, job.cores, job.used_cores, job.memory_bytes, job.used_memory_bytes,
         job.gpu, job.since,
         "idle" if idle else job.executor if elsewhere else ""),
    )  # fmt: skip


def waiting_row(job: Waiting, now_ms: int) -> Row:
    """Return a job that waits, and for what."""
    state = verdict("refused" if job.refused else "queued")
    return Row(
        str(job.job_id),
        (
            str(job.job_id),
            what(job.run_id, told(job.title)),
            state.content,
            f"{job.cores:g}",
            MISSING,
            bytes_(job.memory_bytes) if job.memory_bytes else MISSING,
            MISSING,
            f"{job.gpu:g}" if job.gpu else MISSING,
            age(job.since, now_ms),
            told(job.why),
        ),
        (job.job_id, job.title, state.word, job.cores, None, job.memory_bytes, None, job.gpu, job.since, job.why),
    )


def only(columns: Sequence[Col], rows: Sequence[Row], names: frozenset[str]) -> tuple[list[Col], list[Row]]:
    """Return some of the columns, and the rows cut to them."""
    kept = [index for index, column in enumerate(columns) if column.name in names]

    def cut(row: Row) -> Row:
        return Row(row.key, [row.cells[index] for index in kept], [row.values[index] for index in kept])

    return [columns[index] for index in kept], [cut(row) for row in rows]


def short_command(command: str) -> str:
    """Return a command line without the folder of its program."""
    program, space, rest = command.partition(" ")
    return program if program.startswith("[") else f"{program.rsplit('/', 1)[-1]}{space}{rest}"


def process_columns(width: int, *, absent: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the columns that a screen of `width` cells has room for, but for those that no process has."""
    return frozenset(name for least, names in PROCESS_ROOM if width >= least for name in names) - absent


def processes_title(known: ProcessTable, shown: ProcessTable, *, tree: bool, wish: str) -> str:
    """Return what the process panel says behind its name; `wish` is what was asked for."""
    if not known.total:
        return ""
    words = _("{total:,}, {running} running, {threads:,} threads").format(
        total=known.total, running=known.running, threads=known.threads
    )
    kept = (
        " " + _("· {rows:,} of {rows2:,} shown: {wish}").format(rows=len(shown.rows), rows2=len(known.rows), wish=wish)
        if wish
        else ""
    )
    return f"""{words}{(f" {_('· tree')}" if tree else "")}{kept}"""


def process_row(process: Process, now_ms: int) -> Row:
    """Return one process; those of this workspace say whom they work for."""
    owner = Content.styled(f"→ {safe(told(process.owner))}", "$stage-accent") if process.owner else Content("")
    cpu = MISSING if process.cpu_percent is None else f"{process.cpu_percent:.1f}"
    return Row(
        process.key,
        (
            str(process.pid),
            process.user,
            process.state,
            str(process.nice),
            str(process.threads),
            cpu,
            bytes_(process.memory_bytes),
            bytes_(process.gpu_memory_bytes),
            clock(process.cpu_s),
            age(process.started_at, now_ms),
            owner,
            short_command(process.command),
        ),
        (
            process.pid,
            process.user,
            process.state,
            process.nice,
            process.threads,
            process.cpu_percent,
            process.memory_bytes,
            process.gpu_memory_bytes,
            process.cpu_s,
            None if process.started_at is None else now_ms - process.started_at,
            process.owner,
            process.command,
        ),
    )


def clock(seconds: float | None) -> str:
    """Return CPU time as ``top`` writes it: ``1:05.20``, from an hour on ``2h07``."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes:.0f}:{rest:05.2f}"
    return f"{minutes // 60:.0f}h{minutes % 60:02.0f}"
