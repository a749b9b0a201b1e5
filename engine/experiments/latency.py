"""How long a model takes for one row: measured after its training, of runs that are asked for it."""

from statistics import median
from typing import Any

from lemnis.engine.clock import monotonic_s
from lemnis.engine.experiments.runs import write_metrics
from lemnis.engine.models.files import read_model
from lemnis.engine.store import Store

METRIC = "predict_ms"
WARM_UP, CALLS = 10, 100


def keep_latency(store: Store, run_id: int, text: str, matrix: Any) -> float:
    """Measure a model by its text, keep the metric with the run, and return it: milliseconds for one encoded row.

    The median of CALLS calls in one thread, each with another row. Any: a matrix (rows, features) of NumPy.
    """
    model = read_model(text)
    took: list[float] = []
    for call in range(WARM_UP + CALLS):
        row = matrix[call % len(matrix)].reshape(1, -1)
        began = monotonic_s()
        model.predict(row, num_threads=1)
        took.append((monotonic_s() - began) * 1000)
    found = round(median(took[WARM_UP:]), 4)
    with store.write() as db:
        write_metrics(db, run_id, [(METRIC, found, 0)])
    print(f"{METRIC}: {found} for one row in one thread, the median of {CALLS} calls", flush=True)
    return found
