"""Runs what bench_drift.py asks of a peer, in the peer's own environment; prints one line of JSON.

usage: peer_drift.py evidently|nannyml|alibi_detect|datasketches speed ROWS CURRENT
       peer_drift.py evidently|nannyml alarms ROWS WINDOW WINDOWS STICKY
       peer_drift.py datasketches sketch FILE
"""

import json
import logging
import sys
import time
import warnings

import numpy as np
from null_rows import CATEGORICAL, NAMES, WINDOW_SEED, null_windows, streamed_windows

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
SEED = 11


def frame(matrix):
    import pandas as pd

    found = pd.DataFrame(matrix, columns=NAMES)
    for place in CATEGORICAL:
        found[NAMES[place]] = ("c" + found[NAMES[place]].astype(int).astype(str)).astype(str)
    return found


def evidently_report(reference, current):
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    sides = [Dataset.from_pandas(side, DataDefinition()) for side in (current, reference)]
    return Report([DataDriftPreset()]).run(*sides)


def nannyml_alerts(reference, current, chunk):
    import nannyml

    calculator = nannyml.UnivariateDriftCalculator(
        column_names=NAMES,
        treat_as_categorical=[NAMES[place] for place in CATEGORICAL],
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon", "wasserstein"],
        categorical_methods=["chi2", "jensen_shannon"],
        **chunk,
    )
    return calculator.fit(reference).calculate(current)


def speed(tool, rows, current):
    before, after = null_windows(SEED, 1, rows)[0], null_windows(SEED + 1, 1, current)[0]
    if tool == "datasketches":
        return sketch_all(before, after)
    if tool == "alibi_detect":
        from alibi_detect.cd import TabularDrift

        started = time.perf_counter()
        detector = TabularDrift(before, p_val=0.05, categories_per_feature={place: None for place in CATEGORICAL})
        detector.predict(after)
        return {"seconds": time.perf_counter() - started}
    sides = frame(before), frame(after)
    started = time.perf_counter()
    if tool == "evidently":
        evidently_report(*sides)
    else:
        nannyml_alerts(*sides, {"chunk_number": 1})
    return {"seconds": time.perf_counter() - started}


def sketch_all(before, after):
    import datasketches

    numeric = [place for place in range(before.shape[1]) if place not in CATEGORICAL]
    started, size = time.perf_counter(), 0
    for place in numeric:
        sketches = []
        for side in (before, after):
            sketch = datasketches.kll_doubles_sketch(200)
            sketch.update(np.ascontiguousarray(side[:, place]))
            sketches.append(sketch)
        edges = sketches[0].get_quantiles(np.linspace(0, 1, 11)[1:-1])
        for sketch in sketches:
            sketch.get_pmf(np.unique(edges))
        datasketches.ks_test(*sketches, 0.05)
        size = max(size, len(sketches[1].serialize()))
    return {"seconds": time.perf_counter() - started, "columns": len(numeric), "bytes": size}


def alarms(tool, rows, window, windows, sticky):
    """Count windows in which the tool's defaults raise anything, and Evidently's verdict on the whole table."""
    reference = frame(null_windows(1_000, 1, rows, sticky)[0])
    found = streamed_windows(WINDOW_SEED, windows, window, sticky)
    if tool == "nannyml":
        result = nannyml_alerts(reference, frame(np.concatenate(list(found))), {"chunk_size": window})
        table = result.filter(period="analysis").to_df()
        alerts = table[[column for column in table.columns if column[-1] == "alert"]].to_numpy().astype(bool)
        return {"windows": len(alerts), "alarms": int(alerts.any(axis=1).sum())}
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DriftedColumnsCount  # what DataDriftPreset says of the table, without its pictures

    any_column = whole = columns = 0
    before = Dataset.from_pandas(reference, DataDefinition())
    for one in found:
        report = Report([DriftedColumnsCount()]).run(Dataset.from_pandas(frame(one), DataDefinition()), before)
        share = report.dict()["metrics"][0]["value"]
        columns += share["count"]
        any_column += share["count"] > 0
        whole += share["share"] >= 0.5
    return {"windows": windows, "alarms": any_column, "columns_a_window": columns / windows, "table_alarms": whole}


def sketched(file):
    """Return the KS distance of the sketches of pairs of columns, how many bytes they take, and the seconds."""
    import datasketches

    held = np.load(file)
    found, size, seconds = {}, 0, 0.0
    for name in (name[7:] for name in held.files if name.startswith("before_")):
        sides = []
        for side in (held["before_" + name], held["after_" + name]):
            started = time.perf_counter()
            sketch = datasketches.kll_doubles_sketch(200)
            sketch.update(side)
            seconds += time.perf_counter() - started
            sides.append(sketch)
            size = max(size, len(sketch.serialize()))
        points = np.unique(
            np.concatenate(
                [
                    np.quantile(side, np.linspace(0, 1, 2_001))
                    for side in (held["before_" + name], held["after_" + name])
                ]
            )
        )
        one, two = (np.array(sketch.get_cdf(points)[:-1]) for sketch in sides)
        found[name] = float(np.abs(one - two).max())
    return {"ks": found, "bytes": size, "seconds": seconds}


if __name__ == "__main__":
    tool, what, *numbers = sys.argv[1:]
    if what == "speed":
        result = speed(tool, *map(int, numbers))
    elif what == "alarms":
        result = alarms(tool, *map(int, numbers[:3]), float(numbers[3]))
    else:
        result = sketched(numbers[0])
    print(json.dumps(result))
