"""Job `monitor.replay`: a dataset version's or a file's rows go to an endpoint as live traffic, their labels later."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from lemnis.engine.clock import iso_utc, monotonic_s, parse_ms
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.monitor.traffic import DAY_MS, Delivery, Rows, read_traffic, rows_of

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext
    from lemnis.engine.store import Store

TIMEOUT_S = 30.0
PATIENCE_S = 60.0  # how long an endpoint may be away (it is being restarted) before the replay gives up
AGAIN_S = 0.5
REFUSALS = 5  # in a row; then no later batch would be accepted either
PAGE = 50_000


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of the job.

    Attributes:
        url: Where the endpoint answers.
        version: Dataset version, as `find_version` takes it; empty when a file is replayed.
        file: Where the rows are otherwise.
        features: The columns the endpoint takes, in any order.
        start, end: Span of event time, ISO dates; the end is outside. Empty: from the first row, to the last one.
        batch: Rows in one request.
        sample: Share of the rows, (0, 1].
        delay_days: How long after its row a label arrives, in event time.
        speed: Seconds of event time for one second; 0 as fast as the endpoint answers.
    """

    endpoint: str
    url: str
    version: str
    features: list[str]
    target: str
    start: str
    end: str
    file: Rows | None = None
    batch: int = 250
    sample: float = 1.0
    delay_days: float = 30.0
    speed: float = 0.0


class Counts(msgspec.Struct, kw_only=True):
    """What a replay has done so far."""

    rows: int = 0
    labels: int = 0
    requests: int = 0
    errors: int = 0
    already_sent: int = 0


def replay(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Send the rows and labels that the endpoint has not had yet; return the counts. Any: JSON of the job.

    What was sent is known from the log of predictions, so a replay that was killed goes on where it was, and a second
    one of the same span sends nothing.

    Raises:
        Cancelled: It was asked to stop.
        Unavailable: The endpoint does not answer.
        BadInput: The endpoint refuses the rows.
    """
    from lemnis.engine.data.versions import find_version

    plan = msgspec.convert(arguments, Plan)
    start, end = (parse_ms(text) if text else None for text in (plan.start, plan.end))
    context.progress(None, "reading the rows")
    rows = plan.file or rows_of(find_version(context.store, plan.version), plan.target)
    traffic = read_traffic(rows, plan.features, start=start, end=end, sample=plan.sample)
    sent = set(keys_of(context.store, "predictions", plan.endpoint))
    labelled = set(keys_of(context.store, "actuals", plan.endpoint))
    counts = Counts(already_sent=sum(key in sent for key in traffic.keys))
    total = max(len(traffic) - counts.already_sent, 1)
    pace, began = Pace(plan.speed), monotonic_s()
    deliveries = traffic.deliveries(
        batch=plan.batch, delay_ms=round(plan.delay_days * DAY_MS), sent=sent, labelled=labelled
    )
    with closing(Client(plan, context)) as client:
        for delivery in deliveries:
            pace.wait(delivery.at, context)
            accepted = client.deliver(delivery)
            counts.requests += 1
            counts.errors += not accepted
            if accepted and delivery.kind == "rows":
                counts.rows += len(delivery.keys)
            elif accepted:
                counts.labels += len(delivery.keys)
            done = min(counts.rows / total, 1.0)
            left = (monotonic_s() - began) * (1 - done) / done if done else None
            context.progress(done, said(counts, delivery, left))
    return msgspec.to_builtins(counts)


def said(counts: Counts, delivery: Delivery, left: float | None) -> str:
    """Return the progress in words; `left` are the seconds that the rest takes at the speed so far."""
    refused = f", {counts.errors:,} refused" if counts.errors else ""
    soon = "" if left is None or left < 1 else f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
    return f"{iso_utc(delivery.at)[:10]}: {counts.rows:,} rows, {counts.labels:,} labels{refused}{soon}"


def keys_of(store: "Store", table: str, endpoint: str) -> Iterator[str]:
    """Yield the distinct row keys that a table of predictions.db has for an endpoint, a page at a time."""
    last = ""
    sql = f"select distinct row_key from {table} where endpoint = ? and row_key > ? order by row_key limit {PAGE}"
    while page := store.rows(sql, [endpoint, last], name="predictions"):
        yield from (row["row_key"] for row in page)
        last = page[-1]["row_key"]


class Pace:
    """Keeps event time and wall time in the wanted ratio."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._from: tuple[int, float] | None = None

    def wait(self, at: int, context: "JobContext") -> None:
        """Wait until a moment of event time is due; wakes at once when the job is asked to stop."""
        if self._speed <= 0:
            return
        if self._from is None:
            self._from = (at, monotonic_s())
        due = self._from[1] + (at - self._from[0]) / 1000 / self._speed
        while (left := due - monotonic_s()) > 0 and not context.cancelled():
            context.stop.wait(min(left, 1.0))


class Client:
    """One kept-alive connection to an endpoint; patient while the endpoint is being restarted."""

    def __init__(self, plan: Plan, context: "JobContext") -> None:
        address = urlsplit(plan.url)
        if address.scheme != "http" or not address.hostname:
            raise BadInput(f"{plan.url!r} is no address of an endpoint.", "Give it as http://HOST:PORT.")
        self._plan, self._context = plan, context
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
        self._refused = 0

    def deliver(self, delivery: Delivery) -> bool:
        """Send one delivery; return False when the endpoint refused it.

        Raises:
            Unavailable: It did not answer for PATIENCE_S.
            BadInput: It refused REFUSALS deliveries in a row.
        """
        path, body = request_of(delivery, self._plan.features)
        status, text = self._post(path, body)
        if status < 400:
            self._refused = 0
            return True
        self._refused += 1
        if self._refused >= REFUSALS:
            reason = text.decode("utf-8", "replace")[:300]
            raise BadInput(
                f"The endpoint refused {REFUSALS} requests in a row: {status} {reason}",
                "Compare the version's columns with what the model takes.",
                self._plan.url + path,
            )
        return False

    def close(self) -> None:
        self._connection.close()

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        deadline = monotonic_s() + PATIENCE_S
        headers = {"Content-Type": "application/json"}
        while True:
            try:
                self._connection.request("POST", path, body, headers)
                response = self._connection.getresponse()
                status, text = response.status, response.read()
                if status not in (429, 502, 503, 504):
                    return status, text
                reason = f"it answers {status}"
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                reason = f"{type(error).__name__}: {error}"
            if monotonic_s() > deadline:
                raise Unavailable(
                    f"The endpoint {self._plan.endpoint} was away for {PATIENCE_S:.0f} s: {reason}.",
                    "See `lemnis endpoints list`; retry the job when it is back: it goes on where it was.",
                    self._plan.url,
                )
            self._context.progress(None, f"waiting for the endpoint: {reason}")
            self._context.stop.wait(AGAIN_S)


def request_of(delivery: Delivery, features: list[str]) -> tuple[str, bytes]:
    """Return path and body of a delivery."""
    if delivery.kind == "labels":
        pairs = zip(delivery.keys, delivery.actuals, strict=True)
        actuals = [{"key": key, "actual": actual} for key, actual in pairs]
        return "/feedback", msgspec.json.encode({"actuals": actuals})
    document = {
        "dataframe_split": {"columns": features, "data": delivery.rows},
        "params": {"keys": delivery.keys, "event_times": delivery.event_times},
    }
    return "/invocations", msgspec.json.encode(document)
