"""Counters of a server: for Prometheus at /metrics and for the protocol's statistics.

They are the whole endpoint's, whichever of its workers is asked: what the others counted is at most a second old.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from msgspec import Struct, field

BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BOUNDS_US = tuple(round(bound * 1e6) for bound in BOUNDS_S)


class Counted(Struct, kw_only=True):
    """What one process counted, or several together.

    Attributes:
        statuses: Requests for predictions by HTTP status.
        buckets: Requests by duration: at most BOUNDS_US[i], the last one longer.
        dropped: Requests that were answered but not logged.
    """

    statuses: dict[int, int] = {}
    rows: int = 0
    microseconds: int = 0
    actuals: int = 0
    refused: int = 0
    dropped: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_US) + 1))

    def plus(self, other: "Counted") -> "Counted":
        """Return the sums of both."""
        return Counted(
            statuses=dict(Counter(self.statuses) + Counter(other.statuses)),
            rows=self.rows + other.rows,
            microseconds=self.microseconds + other.microseconds,
            actuals=self.actuals + other.actuals,
            refused=self.refused + other.refused,
            dropped=self.dropped + other.dropped,
            buckets=[one + more for one, more in zip(self.buckets, other.buckets, strict=True)],
        )


class Meters:
    """Plain numbers, counted on the server's thread and turned into a document when somebody asks.

    Attributes:
        others: Returns what the endpoint's other workers counted, and this one in an earlier life.
        published: Returns what other rooms say of the endpoint, in Prometheus' text format.
    """

    def __init__(self, endpoint: str, model: str) -> None:
        self.labels = {"endpoint": endpoint, "model": model}
        self.statuses: Counter[int] = Counter()
        self.rows = self.microseconds = self.actuals = self.refused = 0
        self.others: Callable[[], Counted] = Counted
        self.published: Callable[[], bytes] = bytes
        self._buckets = [0] * (len(BOUNDS_US) + 1)

    def count(self, status: int, rows: int, microseconds: int) -> None:
        """Count one request for predictions."""
        self.statuses[status] += 1
        self.rows += rows
        self.microseconds += microseconds
        self._buckets[bisect_left(BOUNDS_US, microseconds)] += 1

    def counted(self, dropped: int) -> Counted:
        """Return what this process counted; `dropped` requests were not logged."""
        return Counted(
            statuses=dict(self.statuses),
            rows=self.rows,
            microseconds=self.microseconds,
            actuals=self.actuals,
            refused=self.refused,
            dropped=dropped,
            buckets=[*self._buckets],
        )

    def statistics(self, version: int) -> dict[str, Any]:
        """Return the protocol's statistics document. Any: JSON."""
        total = self.counted(0).plus(self.others())
        succeeded = total.statuses.get(200, 0)
        failed = sum(total.statuses.values()) - succeeded
        return {
            "model_stats": [
                {
                    "name": self.labels["model"],
                    "version": str(version),
                    "inference_count": total.rows,
                    "execution_count": succeeded,
                    "inference_stats": {
                        "success": {"count": succeeded, "ns": total.microseconds * 1000},
                        "fail": {"count": failed, "ns": 0},
                    },
                }
            ]
        }

    def text(self, version: int | None, dropped: int, lag_s: float) -> bytes:
        """Return the metrics in Prometheus' text format; the oldest request not in the log yet has waited `lag_s`."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.registry import Collector

        families = self._families(version, self.counted(dropped).plus(self.others()), lag_s)

        class Ours(Collector):
            def collect(self) -> Iterator[Any]:  # Any: prometheus_client's metric families
                return families

        registry = CollectorRegistry(auto_describe=False)
        registry.register(Ours())
        return generate_latest(registry) + self.published()

    def _families(self, version: int | None, total: Counted, lag_s: float) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        names, values = list(self.labels), list(self.labels.values())
        requests = CounterMetricFamily(
            "lemnis_requests", "Requests for predictions by HTTP status.", labels=[*names, "status"]
        )
        for status, count in sorted(total.statuses.items()):
            requests.add_metric([*values, str(status)], count)
        yield requests
        for name, text, number in (
            ("lemnis_rows", "Rows that were answered.", total.rows),
            ("lemnis_actuals", "Actual answers that were reported.", total.actuals),
            ("lemnis_refused", "Requests refused for their host, origin, token or media type.", total.refused),
            ("lemnis_unlogged_requests", "Requests answered but not logged.", total.dropped),
        ):
            counter = CounterMetricFamily(name, text, labels=names)
            counter.add_metric(values, number)
            yield counter
        counts = list(accumulate(total.buckets))
        bounds = [*map(str, BOUNDS_S), "+Inf"]
        duration = HistogramMetricFamily(
            "lemnis_request_duration_seconds", "Time from headers to answer.", labels=names
        )
        duration.add_metric(values, list(zip(bounds, counts, strict=True)), sum_value=total.microseconds / 1e6)
        yield duration
        ready = GaugeMetricFamily(
            "lemnis_model_version", "The version that answers; 0 before one is ready.", labels=names
        )
        ready.add_metric(values, version or 0)
        yield ready
        lag = GaugeMetricFamily(
            "lemnis_log_lag_seconds", "How long the oldest answered request of the workspace waits for the log."
        )
        lag.add_metric([], lag_s)
        yield lag
