"""Asks SQL of a child process that is bounded in time, memory and reach; nothing typed by a person runs in ours."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.errors import BadInput, LemnisError, Unavailable
from lemnis.engine.explore.sandboxed import Refusal, Request, Statement

if TYPE_CHECKING:
    import pyarrow as pa


class Limits(Struct, frozen=True, kw_only=True):
    """What one question may cost."""

    wall_seconds: float = 30
    cpu_seconds: int = 20
    memory_bytes: int = 512 << 20
    threads: int = 1


class Answer(Struct, frozen=True, kw_only=True):
    """The rows kept, and how many there are in all."""

    table: "pa.Table"
    total: int


DEFAULT = Limits()


def ask(statements: Sequence[Statement], views: Mapping[str, Path], limits: Limits = DEFAULT) -> list[Answer]:
    """Return the answer of each statement.

    Args:
        statements: Queries over the views.
        views: Parquet files by the name a query calls them.
        limits: What it may cost.

    Raises:
        BadInput: A query is not allowed, or DuckDB can't do it; the problem says why.
        Unavailable: It ran past a limit.
    """
    answers: list[Answer] = []
    with streams(statements, views, limits) as each:
        for stream in each:
            table = stream.read_all()
            counted: dict[bytes, bytes] = dict(stream.schema.metadata or {})
            answers.append(Answer(table=table, total=int(counted[b"total"]) if counted else table.num_rows))
    return answers


@contextmanager
def streams(
    statements: Sequence[Statement], views: Mapping[str, Path], limits: Limits = DEFAULT
) -> Generator[Generator["pa.RecordBatchStreamReader", None, None], None, None]:
    """Yield the Arrow stream of each statement in turn, read while the child still works; see `ask`."""
    import pyarrow as pa

    request = Request(
        statements=list(statements),
        views={name: str(path) for name, path in views.items()},
        memory_bytes=limits.memory_bytes,
        cpu_seconds=limits.cpu_seconds,
        threads=limits.threads,
    )
    child = start_child()
    assert child.stdin
    assert child.stdout
    assert child.stderr
    late = threading.Event()
    timer = threading.Timer(limits.wall_seconds, lambda: (late.set(), child.kill()))
    timer.start()

    def each(out: IO[bytes]) -> Generator["pa.RecordBatchStreamReader", None, None]:
        for _ in statements:
            try:
                yield pa.ipc.open_stream(out)
            except pa.ArrowInvalid:
                raise refusal(child, limits, late.is_set()) from None

    try:
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(msgspec.json.encode(request))
        yield each(child.stdout)
        if child.wait():
            raise refusal(child, limits, late.is_set())
    except (pa.ArrowInvalid, OSError):  # the stream broke off in the middle of its rows
        raise refusal(child, limits, late.is_set()) from None
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def start_child() -> subprocess.Popen[bytes]:
    """Start the child with nothing of our environment but what Python needs."""
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "lemnis.engine.explore.sandboxed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def refusal(child: "subprocess.Popen[bytes]", limits: Limits, late: bool) -> LemnisError:
    """Return why a child gave no answer, as the error a person reads."""
    child.wait()
    said = child.stderr.read() if child.stderr else b""
    smaller = "Ask for less: name fewer columns, filter earlier, avoid sorting all rows."
    if late:
        return Unavailable(f"The query took longer than {limits.wall_seconds:g} s and was stopped.", smaller)
    if child.returncode == -signal.SIGXCPU or child.returncode == -signal.SIGKILL:
        return Unavailable(f"The query used more than {limits.cpu_seconds} s of CPU and was stopped.", smaller)
    try:
        why = msgspec.json.decode(said.splitlines()[-1] if said.strip() else b"", type=Refusal)
    except msgspec.DecodeError:
        why = Refusal(kind="memory" if b"bad_alloc" in said or b"MemoryError" in said else "crash", message="")
    if why.kind == "memory":
        return Unavailable(f"The query needed more than {limits.memory_bytes >> 20} MiB and was stopped.", smaller)
    if why.kind == "crash":
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2] or f"exit {child.returncode}"
        return Unavailable(f"The query ended its process: {last}.", "Simplify the query.")
    if why.kind == "refused":
        return BadInput(why.message, "Change the query.")
    return BadInput(short_message(why.message), "Change the query.")


def short_message(message: str) -> str:
    """Return DuckDB's message without its picture of the line: the sentence, and what it suggests."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^"))][:2]
    return " ".join(kept) or "DuckDB gave no reason."
