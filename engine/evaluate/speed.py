"""How fast a model answers on this machine: measured on real rows, never estimated."""

from typing import Any

import numpy as np

from lemnis.engine.clock import monotonic_s
from lemnis.engine.evaluate.records import Speed
from lemnis.engine.evaluate.subject import Subject
from lemnis.engine.features.matrix import encode_rows, encode_table

WARM_UP, CALLS = 20, 500
LEAST_BATCH_S = 0.3  # a batch is repeated until it has taken this long


def measure_speed(subject: Subject, rows: Any, *, cores: int) -> Speed:
    """Time single rows on one thread and a whole batch on `cores` threads.

    Args:
        subject: The model.
        rows: Some thousand rows as an Arrow table; the same ones serve for both, so at least one is needed.
        cores: Threads of the batch.
    """
    requests = [as_request(row) for row in rows.select(subject.signature.names).slice(0, CALLS).to_pylist()]
    singles: list[float] = []
    for call in range(-WARM_UP, CALLS):
        request = [requests[call % len(requests)]]
        started = monotonic_s()
        subject.model.predict(encode_rows(request, subject.signature), num_threads=1)
        if call >= 0:
            singles.append((monotonic_s() - started) * 1000)
    done, started = 0, monotonic_s()
    while (elapsed := monotonic_s() - started) < LEAST_BATCH_S:
        subject.model.predict(encode_table(rows, subject.signature), num_threads=cores)
        done += rows.num_rows
    p50, p99 = np.quantile(singles, [0.5, 0.99])
    return Speed(
        latency_p50_ms=round(float(p50), 4),
        latency_p99_ms=round(float(p99), 4),
        latency_calls=CALLS,
        rows_per_s=round(done / elapsed, 1),
        batch_rows=rows.num_rows,
        batch_cores=cores,
        model_bytes=subject.path.stat().st_size,
        load_ms=round(subject.load_ms, 2),
    )


def as_request(row: dict[str, Any]) -> dict[str, Any]:
    """Return a table's row as JSON would bring it: NaN is null. Any: cells of any type."""
    return {name: None if value != value else value for name, value in row.items()}
