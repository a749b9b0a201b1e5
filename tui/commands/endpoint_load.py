"""`lemnis endpoints load`: what a version does under load, over HTTP."""

from typing import Annotated

import typer

from lemnis.engine.errors import BadInput
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.commands.rollout import EndpointName
from lemnis.tui.format import bytes_, money, number

app = single()


@app.command()
def load(
    context: typer.Context,
    name: EndpointName,
    connections: Annotated[str, typer.Option("--connections", help="How many, in turn, with commas.")] = "1,16,64",
    batch: Annotated[str, typer.Option("--batch", help="Rows a request, in turn, with commas.")] = "1,10,100",
    seconds: Annotated[float, typer.Option("--seconds", help="Of each pair.")] = 2.0,
) -> None:
    """Put a server of its own, with the version that an endpoint serves, under load over HTTP.

    It takes no request of the endpoint, and what it answers is neither logged nor counted there.

    With --json: {"endpoint", "model", "version", "cold_start_ms", "idle_bytes", "busy_bytes" (PSS), "rows", "cores",
    "currency", "price_core_hour", "at", "cells": [{"connections", "batch", "seconds", "requests", "errors",
    "requests_per_s", "rows_per_s", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "cpu_us_per_row", "cost_per_million"}]}.
    """
    session = session_of(context)
    room = session.engine.deploy
    plan = {"connections": whole_numbers(connections), "batches": whole_numbers(batch)}
    job = follow(session, room.start_load(name, **plan, seconds=seconds))
    found = next(one for one in room.load_tests(model=job.arguments["model"]) if one.job_id == job.id)
    if session.json:
        print_json(found)
        return
    headers = ["connections", "rows", "requests/s", "rows/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "errors"]
    rows = [
        (
            number(one.connections), number(one.batch), number(round(one.requests_per_s)),
            number(round(one.rows_per_s)),
            *(number(wait, 2) for wait in (one.p50_ms, one.p90_ms, one.p99_ms, one.p999_ms)), number(one.errors),
        )
        for one in found.cells
    ]  # fmt: skip
    print_table(headers, rows, right=set(headers))
    say(f"{found.model} v{found.version}: cold start {number(found.cold_start_ms, 0)} ms, {bytes_(found.busy_bytes)}")
    cheapest = min((one for one in found.cells if one.cpu_us_per_row), key=lambda one: one.cpu_us_per_row or 0.0)
    cost = cheapest.cost_per_million
    price = f", {money(cost, found.currency)} a million rows" if cost is not None else ""
    each = f"{number(cheapest.cpu_us_per_row, 1)} µs of a core a row"
    say(f"cheapest with {cheapest.batch} rows a request: {each}{price}")


def whole_numbers(text: str) -> list[int]:
    """Return numbers that are written with commas; raises BadInput."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"{text!r} are no whole numbers.", "Write for example 1,16,64.") from None
