"""One window judged: its counts against the reference, feature by feature, as the rows the store keeps. Pure."""

from typing import Any

import msgspec
import numpy as np

from lemnis.engine.config import Monitor
from lemnis.engine.distances import jensen_shannon_distance, population_stability_index, smoothed_shares
from lemnis.engine.monitor.measures import Measures
from lemnis.engine.monitor.policy import (
    IMPORTANT_SHARE,
    drift_threshold,
    feature_verdict,
    rule_in_words,
    window_verdict,
)
from lemnis.engine.monitor.records import PREDICTION, Bins
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.schema import schema_changes
from lemnis.engine.monitor.tally import Binning, Column, Tally


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of monitor_windows and rows of monitor_features. Any: what SQLite stores."""

    window: dict[str, Any]
    features: list[dict[str, Any]]


def judge_window(monitor: Monitor, reference: Reference, tally: Tally, measured: Measures) -> Judged:
    """Return what a window's counts and labels say, against the reference."""
    features = [
        judge_feature(monitor, reference, binning, column, position)
        for position, binning in enumerate(reference.binnings)
        if (column := tally.columns.get(binning.name)) is not None
    ]
    weighed = [
        (f["feature"], f["verdict"], 1.0 if f["importance"] is None else f["importance"]) for f in features
    ]  # the prediction moves with whatever matters, so it weighs as much as all features
    verdict, why = window_verdict(weighed, tally.rows, monitor.min_rows)
    inputs = [feature for feature in features if feature["feature"] != PREDICTION]
    predicted = next((feature["psi"] for feature in features if feature["feature"] == PREDICTION), None)
    told = tally.rows >= monitor.min_rows
    window = {
        "rows": tally.rows,
        "duplicates": tally.duplicates,
        "verdict": verdict,
        "why": why,
        "max_psi": max((f["psi"] for f in inputs), default=None) if told else None,
        "important_psi": max((f["psi"] for f in inputs if f["importance"] >= IMPORTANT_SHARE), default=None)
        if told
        else None,
        "weighted_psi": sum(f["psi"] * f["importance"] for f in inputs) if told and inputs else None,
        "missing_rise": max((f["missing_share"] - f["reference_missing_share"] for f in inputs), default=None)
        if told
        else None,
        "prediction_psi": predicted if told else None,
        "prediction_mean": tally.score_sum / tally.scored if tally.scored else None,
        "predicted_share": tally.positives / tally.scored if tally.scored and reference.task == "binary" else None,
        "reference_mean": reference.prediction_mean,
        "reference_share": reference.label_share,
        "reference_auc": reference.roc_auc,
        "reference_log_loss": reference.log_loss,
        "schema_changes": msgspec.json.encode(schema_changes(reference, tally)).decode(),
        **msgspec.structs.asdict(measured),
    }
    return Judged(window=window, features=features)


def judge_feature(
    monitor: Monitor, reference: Reference, binning: Binning, column: Column, position: int
) -> dict[str, Any]:
    """Return one feature's row: distances, threshold with its rule, verdict and both distributions."""
    before, after = np.array(binning.counts), np.array(column.counts)
    used = before + after > 0  # a bin that nobody fills is no degree of freedom
    expected, found = smoothed_shares(before[used]), smoothed_shares(after[used])
    psi = population_stability_index(expected, found)
    rows, reference_rows, bins = int(after.sum()), int(before.sum()), int(used.sum())
    watch, drift = (
        drift_threshold(bound, bins, reference_rows, rows) for bound in (monitor.psi_watch, monitor.psi_drift)
    )
    shares = Bins(
        labels=binning.labels,
        reference=(before / max(reference_rows, 1)).round(6).tolist(),
        current=(after / max(rows, 1)).round(6).tolist(),
    )
    return {
        "position": position,
        "feature": binning.name,
        "kind": binning.kind,
        "psi": psi,
        "jensen_shannon": jensen_shannon_distance(expected, found),
        "threshold": drift,
        "rule": rule_in_words(
            bound=monitor.psi_drift, threshold=drift, bins=bins, reference_rows=reference_rows, rows=rows
        ),
        "verdict": feature_verdict(psi, watch=watch, drift=drift, rows=rows, min_rows=monitor.min_rows),
        "importance": reference.importance.get(binning.name),
        "missing_share": column.counts[-1] / max(rows, 1),
        "reference_missing_share": binning.counts[-1] / max(reference_rows, 1),
        "bins": msgspec.json.encode(shares).decode(),
    }
