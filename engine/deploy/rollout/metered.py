"""The counters of an endpoint's workers, kept once a second, so that each worker tells those of all at /metrics."""

import threading
from collections.abc import Callable
from functools import reduce

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.meters import Counted
from lemnis.engine.errors import StoreError
from lemnis.engine.store import Store

KEEP_S = 1.0
PUBLISHED = "prometheus:"  # and the endpoint: a row of metrics.db's `latest`


class Keeper:
    """Keeps what one worker counted from a thread of its own; after a restart it goes on from there."""

    def __init__(self, store: Store, endpoint: str, worker: int, counted: Callable[[], Counted]) -> None:
        """Take whose counters they are, and what returns those of this process."""
        self.store, self.endpoint, self.worker = store, endpoint, worker
        self._counted = counted
        self._before = self._sum("worker = ?")
        self._kept = Counted()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_on, name="meters", daemon=True)

    def others(self) -> Counted:
        """Return what the other workers counted, and this one in its earlier lives."""
        return self._before.plus(self._sum("worker != ?"))

    def published(self) -> bytes:
        """Return what other rooms say of the endpoint for /metrics: they keep it in metrics.db as text."""
        sql = "select sample from latest where name = ?"
        text: str | None = self.store.value(sql, [f"{PUBLISHED}{self.endpoint}"], name="metrics")
        return (text or "").encode()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _sum(self, which: str) -> Counted:
        rows = self.store.rows(
            f"select meters from endpoint_meters where endpoint = ? and {which}",
            [self.endpoint, self.worker],
            name="predictions",
        )
        return reduce(Counted.plus, (msgspec.json.decode(row["meters"], type=Counted) for row in rows), Counted())

    def _keep_on(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(KEEP_S)
            try:
                self._keep()
            except StoreError as error:  # a full disk: the next turn tries again
                print(f"{error.problem} {error.remedy}", flush=True)

    def _keep(self) -> None:
        counted = self._counted()
        if counted == self._kept:
            return
        text = msgspec.json.encode(self._before.plus(counted)).decode()
        with self.store.write("predictions") as db:
            db.execute(
                """insert into endpoint_meters (endpoint, worker, meters, at) values (?, ?, ?, ?)
                   on conflict (endpoint, worker) do update set meters = excluded.meters, at = excluded.at""",
                [self.endpoint, self.worker, text, now_ms()],
            )
        self._kept = counted
