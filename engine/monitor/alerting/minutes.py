"""What the servers' statistics said of each minute: requests, errors, latency, silence, labels; one row a minute."""

import msgspec

from lemnis.engine.config import Problem
from lemnis.engine.monitor.alerting.rules import MINUTE_MS
from lemnis.engine.monitor.concept.kept import concept_of
from lemnis.engine.monitor.concept.stale import stale_models
from lemnis.engine.monitor.concept.standing import concept_value
from lemnis.engine.store import Row, Store

KEPT_MS = 92 * 86_400_000  # as long as a rule may be tried on
CATCH_UP = 15  # minutes that are counted late, when the watch was away
SAMPLE = 5_000  # requests of a minute, the latest, that a quantile is of
PATIENCE_MS = 20_000  # after its end a minute is counted: the recorder brings requests in with a delay


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of one endpoint; `at` is its start in epoch ms, the others as in the table."""

    at: int
    version: int
    requests: int
    errors: int
    p99_ms: float | None
    idle_minutes: float | None
    down: int
    label_age_hours: float | None
    concept: float | None = None

    def value(self, metric: str) -> float | None:
        """Return a metric of this minute; None where it can't say, such as an error rate without requests."""
        if metric == "error_rate":
            return self.errors / self.requests if self.requests else None
        if metric == "latency_p99_ms":
            return self.p99_ms
        return {
            "idle_minutes": self.idle_minutes,
            "serving_down": float(self.down),
            "label_age_hours": self.label_age_hours,
            "concept": self.concept,
        }[metric]


FIELDS = ", ".join(Minute.__struct_fields__)


def list_minutes(store: Store, endpoint: str, *, since: int, limit: int = 200_000) -> list[Minute]:
    """Return the minutes of an endpoint from a moment on, at most the latest `limit`, in order of time."""
    sql = f"""select {FIELDS} from endpoint_minutes where endpoint = ? and at >= ? order by at desc limit ?"""
    rows = store.rows(sql, [endpoint, since, limit], name="metrics")
    return [msgspec.convert(dict(row), Minute) for row in reversed(rows)]


def count_minutes(store: Store, *, now: int, problem: Problem | None = None) -> set[str]:
    """Write the minutes that are over and not counted yet; return the endpoints that got one.

    Whether an endpoint answers, and its concept, are known of now alone, so of minutes that are counted late they are
    not told: these are left out when the watch was away for more than CATCH_UP minutes. `problem` is the one stated
    now; it is read from lemnis.toml if not given.

    Raises:
        ConfigError: lemnis.toml is not accepted.
    """
    last = (now - PATIENCE_MS) // MINUTE_MS * MINUTE_MS - MINUTE_MS
    counted: set[str] = set()
    stale = {(one.model, one.version) for one in stale_models(store, problem, waived=False)}
    for endpoint in store.rows("select name, model, ready, serving_version from endpoints"):
        name = endpoint["name"]
        newest = store.value("select max(at) from endpoint_minutes where endpoint = ?", [name], name="metrics")
        first = last if newest is None else max(newest + MINUTE_MS, last - CATCH_UP * MINUTE_MS)
        served = [name, endpoint["model"], endpoint["serving_version"]]
        concept = concept_value(concept_of(store, served, 0), stale=tuple(served[1:]) in stale)
        minutes = [minute_of(store, endpoint, at, concept) for at in range(first, last + 1, MINUTE_MS)]
        if not minutes:
            continue
        with store.write("metrics") as db:
            marks = ", ".join("?" * len(Minute.__struct_fields__))
            sql = f"insert or ignore into endpoint_minutes (endpoint, {FIELDS}) values (?, {marks})"
            db.conn.executemany(sql, [(name, *msgspec.structs.astuple(minute)) for minute in minutes])
            db.execute("delete from endpoint_minutes where endpoint = ? and at < ?", [name, now - KEPT_MS])
        counted.add(name)
    return counted


def minute_of(store: Store, endpoint: Row, at: int, concept: float | None) -> Minute:
    """Return one minute of an endpoint, from its traffic, requests, labels and what its concept is."""
    name, end = endpoint["name"], at + MINUTE_MS
    sums = store.rows(
        """select coalesce(sum(requests), 0) as requests, coalesce(sum(errors), 0) as errors from traffic
           where endpoint = ? and starts >= ? and starts < ?""",
        [name, at, end],
        name="predictions",
    )[0]
    waits = store.rows(
        "select latency_us from requests where endpoint = ? and at >= ? and at < ? order by at desc limit ?",
        [name, at, end, SAMPLE],
        name="predictions",
    )
    ordered = sorted(row["latency_us"] / 1000 for row in waits)
    asked = store.value("select max(at) from requests where endpoint = ? and at < ?", [name, end], name="predictions")
    labelled = store.value("select max(at) from actuals where endpoint = ? and at < ?", [name, end], name="predictions")
    return Minute(
        at=at,
        version=endpoint["serving_version"] or 0,
        requests=sums["requests"],
        errors=sums["errors"],
        p99_ms=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else None,
        idle_minutes=(end - asked) / MINUTE_MS if asked is not None else None,
        down=int(is_down(store, endpoint)),
        label_age_hours=(end - labelled) / 3_600_000 if labelled is not None else None,
        concept=concept,
    )


def is_down(store: Store, endpoint: Row) -> bool:
    """Say whether an endpoint should answer and does not: it is to be up, and no process of it is ready or starting."""
    if endpoint["ready"]:
        return False
    wanted = store.row("select state from services where name = ? and wanted = 'up'", [f"endpoint:{endpoint['name']}"])
    return wanted is not None and wanted["state"] in ("failed", "backing off")
