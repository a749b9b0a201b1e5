"""The child that answers SQL typed by people: limits first, then DuckDB; rows leave as Arrow, nothing else does.

Run as ``python -m``; a request (JSON) comes on stdin, one Arrow stream per statement leaves on stdout.
"""

import ctypes
import os
import resource
import struct
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446  # system calls, the same number on every architecture
LANDLOCK_VERSION = 1
NO_NEW_PRIVILEGES = 38
BATCH_ROWS = 65_536


class Statement(Struct, frozen=True, kw_only=True):
    """One query.

    Attributes:
        sql: What is run.
        typed: The part of it that a person wrote, as a query of its own; screened before anything runs.
        keep: Send at most this many rows and count the others; None sends all.
    """

    sql: str
    typed: str = ""
    keep: int | None = None


class Request(Struct, frozen=True, kw_only=True):
    """Statements over Parquet files, named by view; memory in bytes, CPU time in seconds."""

    statements: list[Statement]
    views: dict[str, str]
    memory_bytes: int
    cpu_seconds: int
    threads: int = 1


class Refusal(Struct, frozen=True, kw_only=True):
    """Why there is no answer: `kind` is refused (what was typed is not allowed), failed, or memory."""

    kind: str
    message: str


def limit_process(memory_bytes: int, cpu_seconds: int) -> None:
    """Bound this process for good: address space, CPU, files, no writing, no network where the kernel can say so."""
    address_space = memory_bytes + (3 << 30)  # libraries and allocators reserve far more than they touch
    for name, bound in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 128),
    ):
        resource.setrlimit(name, (bound, bound))
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(LANDLOCK_CREATE, None, 0, LANDLOCK_VERSION)
    if version < 1 or libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return  # an older kernel: the limits above and DuckDB's own lock remain
    files = 0b1_1111_1111_0010  # write, remove and make anything
    files |= 0b10_0000_0000_0000 if version >= 2 else 0  # move between folders
    files |= 0b100_0000_0000_0000 if version >= 3 else 0  # truncate
    attributes = struct.pack("QQ", files, 0b11 if version >= 4 else 0)[: 16 if version >= 4 else 8]
    ruleset = libc.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset >= 0:
        libc.syscall(LANDLOCK_RESTRICT, ruleset, 0)
        os.close(ruleset)


def answer(request: Request, out: Any) -> None:
    """Screen all that was typed, then run the statements and write their rows.

    Raises:
        Refused: Something typed is not allowed.
        duckdb.Error: DuckDB can't do it.
    """
    import pyarrow as pa

    from lemnis.engine.data.duck import open_duck
    from lemnis.engine.explore.screening import screen

    views = {name: Path(path) for name, path in request.views.items()}
    connection = open_duck(request.threads, f"{request.memory_bytes}B", views=views)
    for statement in request.statements:
        if statement.typed:
            screen(connection, statement.typed, set(views))
    for statement in request.statements:
        reader: Any = connection.sql(statement.sql).to_arrow_reader(BATCH_ROWS)
        if statement.keep is None:
            with pa.ipc.new_stream(out, reader.schema) as stream:
                for batch in reader:
                    stream.write_batch(batch)
            continue
        kept: list[Any] = []  # record batches
        total = 0
        for batch in reader:
            if total < statement.keep:
                kept.append(batch.slice(0, statement.keep - total))
            total += batch.num_rows
        schema = reader.schema.with_metadata({"total": str(total)})
        with pa.ipc.new_stream(out, schema) as stream:
            for batch in kept:
                stream.write_batch(batch.replace_schema_metadata(schema.metadata))


def main() -> int:
    """Answer one request; a refusal is one line of JSON on stderr and exit code 3."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    limit_process(request.memory_bytes, request.cpu_seconds)
    import duckdb

    from lemnis.engine.explore.screening import Refused

    try:
        answer(request, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return 0
    except Refused as error:
        refusal = Refusal(kind="refused", message=str(error))
    except (MemoryError, duckdb.OutOfMemoryException):
        refusal = Refusal(kind="memory", message="")
    except duckdb.Error as error:
        refusal = Refusal(kind="failed", message=str(error))
    sys.stderr.buffer.write(msgspec.json.encode(refusal) + b"\n")
    sys.stderr.flush()
    return 3


if __name__ == "__main__":
    os._exit(main())  # DuckDB's and pyarrow's threads need no goodbye
