"""`lemnis resources nodes`: this machine and the workers of the Dask cluster."""

import platform

import typer

from lemnis.engine.resources.nodes import NodeWatch
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single

app = single()
WAIT_S = 15.0


@app.command()
def nodes(context: typer.Context) -> None:
    """This machine and every worker of the cluster that lemnis.toml names: CPU, memory, GPU, offers and tasks.

    With --json: {"here": {...}, "cluster": {"at", "address", "reason", "nodes": [{"name", "address", "host", "state",
    "threads", "cpu_percent" (of one core), "memory_used_bytes", "memory_limit_bytes", "spilled_bytes", "gpu_percent",
    "gpu_used_bytes", "gpu_total_bytes", "resources": {}, "running": [], "waiting", "silent_s", ...}]}}; null is not
    known, and a reason says why there is nothing.
    """
    from lemnis.tui import machines
    from lemnis.tui.widgets.cells import plain

    session = session_of(context)
    watch = NodeWatch(session.engine.workspace)
    try:
        room = session.engine.resources
        here = machines.this_machine(room.host(), room.gpus(), platform.node())
        found = watch.first(WAIT_S)
    finally:
        watch.close()
    if session.json:
        print_json({"here": here, "cluster": found})
        return
    right = {column.label for column in machines.COLUMNS if column.right}
    rows = [[plain(cell) for cell in row.cells] for row in machines.node_rows(here, found)]
    print_table([column.label for column in machines.COLUMNS], rows, right=right)
    if found.reason:
        say(found.reason)
