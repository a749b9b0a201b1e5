"""Services: processes that must stay up, declared as rows and kept alive by the supervisor."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.jobs.processes import Identity, identity_of, is_alive, last_line, send_signal, start_process
from lemnis.engine.jobs.records import Service, service_in
from lemnis.engine.jobs.states import GIVE_UP_AFTER, STEADY_S, ServiceState, back_off_seconds
from lemnis.engine.store import Store

STOP_S = 8.0


def declare(store: Store, name: str, module: str, arguments: list[str]) -> None:
    """Ask for a service to be up; asking again makes a failed one start anew."""
    with store.write() as db:
        db.execute(
            """insert into services (name, module, arguments, updated_at) values (?, ?, ?, ?)
               on conflict (name) do update set module = excluded.module, arguments = excluded.arguments, wanted = 'up',
                 restarts = 0, updated_at = excluded.updated_at,
                 state = case when state in ('failed', 'down') then 'starting' else state end,
                 why = case when state in ('failed', 'down') then '' else why end""",
            [name, module, msgspec.json.encode(arguments).decode(), now_ms()],
        )


def withdraw(store: Store, name: str) -> None:
    """Ask for a service to be stopped."""
    with store.write() as db:
        db.execute("update services set wanted = 'down', updated_at = ? where name = ?", [now_ms(), name])


def listed(store: Store) -> list[Service]:
    """Return every declared service by name."""
    return [service_in(row) for row in store.rows("select * from services order by name")]


def record(store: Store, name: str, state: ServiceState, why: str, identity: Identity | None, restarts: int) -> None:
    """Write what a service is now."""
    pid, ticks, boot = (identity.pid, identity.started_ticks, identity.boot_id) if identity else (None, None, None)
    with store.write() as db:
        db.execute(
            """update services set state = :state, why = :why, pid = :pid, started_ticks = :ticks, boot_id = :boot,
               restarts = :restarts, updated_at = :now,
               started_at = case when :pid is null then null when pid is :pid then started_at else :now end
               where name = :name""",
            {
                "state": state,
                "why": why,
                "pid": pid,
                "ticks": ticks,
                "boot": boot,
                "restarts": restarts,
                "now": now_ms(),
                "name": name,
            },
        )


class Keeper:
    """Keeps the declared services up: starts, adopts, restarts with back-off, gives up, stops, all by `clock`."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic_s) -> None:
        self.store, self._clock = store, clock
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._up_since: dict[str, float] = {}
        self._next_start: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def tend(self) -> None:
        """Bring every service one step nearer to what is wanted."""
        for service in listed(self.store):
            alive = service.identity is not None and is_alive(service.identity)
            self._reap(service.name)
            if service.wanted == "down":
                self._bring_down(service, alive)
            elif alive:
                self._keep(service)
            elif service.state != "failed":
                self._bring_up(service)

    def stop_all(self) -> None:
        """Stop every service and wait for it; they stay wanted and come back with the next supervisor."""
        live = [s for s in listed(self.store) if s.identity is not None and is_alive(s.identity)]
        for service in live:
            if service.identity:
                send_signal(service.identity, signal.SIGTERM)
        for service in live:
            child = self._children.get(service.name)
            if child is not None:
                try:
                    child.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    child.kill()
            record(self.store, service.name, "down", "the supervisor was stopped", None, 0)

    def _reap(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.poll() is not None:
            del self._children[name]

    def _log(self, name: str) -> Path:
        return self.store.workspace.service_dir(name) / "log"

    def _keep(self, service: Service) -> None:
        since = self._up_since.setdefault(service.name, self._clock())
        steady = self._clock() - since > STEADY_S
        if service.state != "up" or (steady and service.restarts):
            record(self.store, service.name, "up", "", service.identity, 0 if steady else service.restarts)

    def _bring_up(self, service: Service) -> None:
        now = self._clock()
        if service.identity is not None and service.state in ("up", "starting"):
            deaths = service.restarts + 1
            self._up_since.pop(service.name, None)
            said = last_line(self._log(service.name))
            if deaths >= GIVE_UP_AFTER:
                why = f"ended {deaths} times in a row; its last words: {said or 'none'}"
                record(self.store, service.name, "failed", why, None, deaths)
                return
            wait = back_off_seconds(deaths)
            self._next_start[service.name] = now + wait
            why = f"ended ({said or 'no last words'}); starts again in {wait:.0f} s"
            record(self.store, service.name, "backing off", why, None, deaths)
            return
        if now >= self._next_start.get(service.name, 0.0):
            self._start(service)

    def _start(self, service: Service) -> None:
        child = start_process(
            service.module, service.arguments, cwd=self.store.workspace.root, log=self._log(service.name)
        )
        self._children[service.name] = child
        self._asked.pop(service.name, None)
        record(self.store, service.name, "starting", "", identity_of(child.pid), service.restarts)

    def _bring_down(self, service: Service, alive: bool) -> None:
        if alive and service.identity is not None:
            asked = self._asked.setdefault(service.name, self._clock())
            late = self._clock() - asked > STOP_S
            send_signal(service.identity, signal.SIGKILL if late else signal.SIGTERM)
        elif service.state != "down":
            record(self.store, service.name, "down", "stopped on request", None, 0)
