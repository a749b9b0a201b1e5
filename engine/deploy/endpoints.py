"""Endpoints: which model server answers where, as rows that the supervisor and the servers keep true."""

import re
import shlex
import socket
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import recorder
from lemnis.engine.deploy.aliases import version_of
from lemnis.engine.deploy.guard import is_loopback, make_token, read_token
from lemnis.engine.deploy.predictions import log_lags_s, traffic_of
from lemnis.engine.deploy.records import SCOPES, Endpoint, EndpointState, TokenScope
from lemnis.engine.deploy.registry import golden_of, versions
from lemnis.engine.deploy.rollout import splits, workers
from lemnis.engine.deploy.rollout.records import Worker
from lemnis.engine.deploy.rollout.workers import MOST_WORKERS, worker_service
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    from lemnis.engine.jobs import JobsRoom

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
MODULE = "lemnis.engine.deploy.server"
SEEN_MS = 180_000  # an endpoint that no minute in so long is known of was not watched
PORTS = range(8100, 9100)  # below what systems hand out to outgoing connections, so that a kept port stays free


def token_path(workspace: Workspace, name: str, scope: TokenScope = "serve") -> Path:
    """Return where an endpoint's token of a scope is, if it has one; no endpoint's name holds a ~."""
    return workspace.hidden / "tokens" / (f"endpoint-{name}" if scope == "serve" else f"endpoint-{name}~{scope}")


def tokens_of(workspace: Workspace, name: str) -> dict[TokenScope, str]:
    """Return an endpoint's tokens by scope; raises as `read_token`."""
    found: dict[TokenScope, str] = {}
    for scope in SCOPES:
        token = read_token(token_path(workspace, name, scope))
        if token is not None:
            found[scope] = token
    return found


def url_of(host: str, port: int) -> str:
    """Return the address a client on this machine uses; a wildcard is reached by loopback."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def start(
    store: Store, jobs: "JobsRoom", name: str, model: str, alias: str, *, host: str, port: int, count: int = 0
) -> None:
    """Declare an endpoint and its workers; those that run with another declaration restart by themselves.

    Args:
        store: The workspace's state.
        jobs: Where the service is declared.
        name: The endpoint's name.
        model: What it serves.
        alias: Which of its versions: the one this alias names, now and whenever it moves.
        host: The address; any but loopback needs a token.
        port: 0 keeps the port it had, or chooses a free one once.
        count: Of processes that answer on the port; 0 keeps how many it had, one at first.

    Raises:
        NotFound: The model has no such alias.
        BadInput: The name can't be one, or there are to be too many workers.
        Unavailable: No port is free, or the address needs a token.
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"{safe(name, limit=80)!r} can't name an endpoint.", "Use letters, digits, . _ and -.")
    if count > MOST_WORKERS:
        raise BadInput(f"{count} workers are too many.", f"Ask for at most {MOST_WORKERS}.")
    if version_of(store, model, alias) is None:
        versions(store, model)
        raise NotFound(
            f"{model} has no {safe(alias, limit=80)} to serve.",
            f"Promote a version with `lemnis models promote {model} N --alias {safe(alias, limit=80)}`.",
        )
    if not is_loopback(host) and not tokens_of(store.workspace, name):
        raise Unavailable(
            f"{safe(host, limit=80)} can be reached from other machines, and {name} has no token.",
            f"Make one first with `lemnis endpoints token {name}`.",
        )
    kept = store.row("select * from endpoints where name = ?", [name])
    if port == 0:
        port = kept["port"] if kept is not None and kept["host"] == host else free_port(store, host, name)
    had = kept["workers"] if kept is not None else 0
    count = count or had or 1
    with store.write() as db:
        db.execute(
            """insert into endpoints (name, model, alias, host, port, workers, created_at, changed_at)
               values (:name, :model, :alias, :host, :port, :count, :now, :now)
               on conflict (name) do update set model = :model, alias = :alias, host = :host, port = :port,
                 workers = :count, changed_at = :now""",
            {"name": name, "model": model, "alias": alias, "host": host, "port": port, "count": count, "now": now_ms()},
        )
    here = ["--workspace", str(store.workspace.root), "--endpoint", name]
    for number in range(1, count + 1):
        jobs.declare_service(worker_service(name, number), MODULE, [*here, "--worker", str(number)])
    for number in range(count + 1, had + 1):
        jobs.withdraw_service(worker_service(name, number))
    jobs.declare_service(
        recorder.SERVICE, recorder.MODULE, here[:2]
    )  # last: it leaves by itself where no server is wanted


def free_port(store: Store, host: str, name: str) -> int:
    """Return a port that nothing listens on and no endpoint of this workspace has.

    Where the search begins depends on the workspace and the name, so that two workspaces seldom meet.

    Raises:
        Unavailable: Every port is taken, or the address is not this machine's.
    """
    taken = {row["port"] for row in store.rows("select port from endpoints")}
    begin = zlib.crc32(f"{store.workspace.root}/{name}".encode()) % len(PORTS)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = "all are taken"
    for port in (*PORTS[begin:], *PORTS[:begin]):
        if port in taken:
            continue
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError as error:
                reason = error.strerror or str(error)
                continue
        return port
    raise Unavailable(
        f"No port from {PORTS[0]} to {PORTS[-1]} can be had at {safe(host, limit=80)}: {reason}.",
        "Name one with --port.",
    )


def stop(store: Store, jobs: "JobsRoom", name: str, *, who: str = "") -> None:
    """Stop an endpoint; its row, port and log of predictions stay, a split ends with it.

    Raises:
        NotFound: There is no such endpoint.
    """
    row = row_of(store, name)
    split = splits.running(store, name)
    if split is not None:
        splits.end(store, split.id, "stopped", who=who, why="the endpoint was stopped")
    for number in range(1, row["workers"] + 1):
        jobs.withdraw_service(worker_service(name, number))


def create_token(store: Store, name: str, scope: TokenScope = "serve") -> str:
    """Make a token of an endpoint and return it: it is shown once; the server asks for it from its next start on.

    Args:
        store: The workspace's state.
        name: The endpoint's name.
        scope: What it is good for: read (metadata, metrics), serve (predictions and feedback too), admin (all).
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"{safe(name, limit=80)!r} can't name an endpoint.", "Use letters, digits, . _ and -.")
    return make_token(token_path(store.workspace, name, scope))


def row_of(store: Store, name: str) -> Row:
    """Return the row of an endpoint; raises NotFound."""
    row = store.row("select * from endpoints where name = ?", [name])
    if row is None:
        known = ", ".join(entry["name"] for entry in store.rows("select name from endpoints order by name limit 20"))
        raise NotFound(
            f"There is no endpoint {safe(name, limit=80)!r}.",
            f"Endpoints: {known}." if known else "Start one with `lemnis deploy MODEL@ALIAS`.",
        )
    return row


ENDPOINTS = """
    select e.*, s.state as service_state, s.why as service_why, s.wanted, s.pid, s.restarts, a.version as wanted_version
    from endpoints e left join services s on s.name = 'endpoint:' || e.name
      left join aliases a on a.model = e.model and a.alias = e.alias
"""


def listed(store: Store, name: str = "", *, now: int | None = None) -> list[Endpoint]:
    """Return the endpoints by name, or the named one; raises NotFound for a name that is none."""
    if name:
        row_of(store, name)
    rows = store.rows(f"{ENDPOINTS} where ? in ('', e.name) order by e.name", [name])
    now = store.now_ms() if now is None else now
    lags = log_lags_s(store, now=now)
    return [record(store, row, now, lags.get(row["name"], 0.0)) for row in rows]


def record(store: Store, row: Row, now: int, log_lag_s: float) -> Endpoint:
    """Return the endpoint of one row of ENDPOINTS, with what it was asked lately."""
    processes = workers.listed(store, row["name"])
    state, why = condition(row, processes) if store.at is None else condition_then(store, row)
    traffic = traffic_of(store, row["name"], now=now)
    return Endpoint(
        name=row["name"],
        url=url_of(row["host"], row["port"]),
        state=state,
        why=why,
        model=row["model"],
        alias=row["alias"],
        version=row["serving_version"],
        wanted_version=row["wanted_version"],
        host=row["host"],
        port=row["port"],
        pid=row["pid"],
        restarts=row["restarts"] or 0,
        requests=traffic.requests,
        errors=traffic.errors,
        rows=traffic.rows,
        dropped=traffic.dropped,
        p50_ms=traffic.p50_ms,
        p99_ms=traffic.p99_ms,
        last_at=traffic.last_at,
        per_second=traffic.per_second,
        p50_by_span=traffic.p50_by_span,
        p99_by_span=traffic.p99_by_span,
        created_at=row["created_at"],
        wanted_workers=row["workers"],
        workers=processes,
        split=splits.latest(store, row["name"]),
        log_lag_s=log_lag_s,
    )


def condition(row: Row, processes: list[Worker]) -> tuple[EndpointState, str]:
    """Return an endpoint's state and its reason, from what the supervisor and the server's processes say."""
    service, why = row["service_state"], row["why"]
    ready = [worker for worker in processes if worker.ready]
    if row["workers"] > 1 and row["wanted"] == "up" and ready:
        return together(row, ready)
    if service in (None, "down"):
        return "down", why or row["service_why"] or "not started"
    if service in ("failed", "backing off"):
        return service, why or row["service_why"]
    if row["wanted"] == "down":
        return "down", "stopping"
    if not row["ready"]:
        return ("failed", why) if why else ("starting", "loading and checking the model")
    if row["serving_version"] != row["wanted_version"]:
        return "degraded", why or f"changing to version {row['wanted_version']}"
    return "ready", why


def condition_then(store: Store, row: Row) -> tuple[EndpointState, str]:
    """Return what was seen of an endpoint in the minute before a past moment: each minute of its server is kept."""
    seen = store.row(
        "select version, down from endpoint_minutes where endpoint = ? and at > ? order by at desc limit 1",
        [row["name"], store.now_ms() - SEEN_MS],
        name="metrics",
    )
    if seen is None:
        return "unknown", "nobody watched it then"
    if seen["down"]:
        return "down", "nobody answered"
    if seen["version"] and seen["version"] != row["wanted_version"]:
        return "degraded", f"version {seen['version']} answered"
    return "ready", ""


def together(row: Row, ready: list[Worker]) -> tuple[EndpointState, str]:
    """Return the state of an endpoint of several workers, some of which are ready."""
    changed = sum(worker.version == row["wanted_version"] for worker in ready)
    if len(ready) < row["workers"]:
        why = row["why"] or row["service_why"] or ""
        return "degraded", f"{len(ready)} of {row['workers']} workers are ready" + (f": {why}" if why else "")
    if changed < len(ready):
        why = f"changing to version {row['wanted_version']}: {changed} of {len(ready)} workers have it"
        return "degraded", row["why"] or why
    return "ready", row["why"]


def curl_of(store: Store, name: str) -> str:
    """Return a shell command that asks an endpoint for one of its golden rows; raises NotFound.

    It reads the token from its file, so that it shows no secret.
    """
    row = row_of(store, name)
    number = row["serving_version"] or version_of(store, row["model"], row["alias"])
    if number is None:
        raise NotFound(f"{row['model']} has no {row['alias']} to ask.", "Promote a version first.", name)
    sample = next((r for r in golden_of(store, row["model"], number).rows if None not in r.values()), None)
    rows = [sample or golden_of(store, row["model"], number).rows[0]]
    token = token_path(store.workspace, name)
    header = f'-H "Authorization: Bearer $(cat {shlex.quote(str(token))})" ' if token.exists() else ""
    body = shlex.quote(msgspec.json.encode({"dataframe_records": rows}).decode())
    address = shlex.quote(f"{url_of(row['host'], row['port'])}/invocations")
    return f"curl -sS {header}-H 'Content-Type: application/json' -d {body} {address}"
