"""Processes by a query: the language of every list over the rows of a process table."""

import msgspec

from lemnis.engine.query import Column, Fields, compile_query
from lemnis.engine.resources.records import Process, ProcessTable
from lemnis.engine.store import connect_memory

TABLE = """create table p (
    key text, pid integer, user text, name text, command text, state text, threads integer, nice integer,
    cpu real, memory real, time real, started integer, owner text, run integer, job integer, service text, gpu real)"""
MIB = 2**20
PROCESS_FIELDS = Fields(
    id="key",
    columns={
        "pid": Column("pid", "number"),
        "user": Column("user"),
        "name": Column("name"),
        "command": Column("command"),
        "state": Column("state"),
        "threads": Column("threads", "number"),
        "nice": Column("nice", "number"),
        "cpu": Column("cpu", "number"),
        "memory": Column("memory", "number"),
        "time": Column("time", "number"),
        "age": Column("started", "age"),
        "owner": Column("owner"),
        "run": Column("run", "number"),
        "job": Column("job", "number"),
        "service": Column("service"),
        "gpu": Column("gpu", "number"),
    },
    bare="command || ' ' || user || ' ' || owner",
)


def matching(table: ProcessTable, query: str) -> ProcessTable:
    """Return the rows that a query finds; memory and gpu are in MiB, time in seconds of CPU.

    Raises:
        QueryError: The query can't be read.
    """
    condition = compile_query(query, PROCESS_FIELDS, now_ms=table.at)
    connection = connect_memory()
    try:
        connection.execute(TABLE)
        connection.executemany(f"insert into p values ({', '.join('?' * 17)})", map(row_of, table.rows))
        found = {row[0] for row in connection.execute(f"select key from p where {condition.sql}", condition.values)}
    finally:
        connection.close()
    return msgspec.structs.replace(table, rows=[one for one in table.rows if one.key in found])


def row_of(one: Process) -> tuple[str | float | None, ...]:
    """Return one process as a row of the table that is asked."""
    return (
        one.key, one.pid, one.user, one.name, one.command, one.state, one.threads, one.nice, one.cpu_percent,
        None if one.memory_bytes is None else one.memory_bytes / MIB, one.cpu_s, one.started_at,
        one.owner, one.run_id, one.job_id, one.service,
        None if one.gpu_memory_bytes is None else one.gpu_memory_bytes / MIB,
    )  # fmt: skip
