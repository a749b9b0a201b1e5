"""One window judged: its counts against the reference, feature by feature, as the rows the store keeps. Pure."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from lemnis.engine.config import Monitor
from lemnis.engine.distances import chi_square_quantile
from lemnis.engine.monitor.drift.calibration import KOLMOGOROV, FalseAlarms
from lemnis.engine.monitor.drift.null import LEVEL
from lemnis.engine.monitor.drift.scores import Scores, coarse, method_of, p_value, scores_of
from lemnis.engine.monitor.measures import Measures
from lemnis.engine.monitor.policy import (
    IMPORTANT_SHARE,
    Suspicion,
    alarms_in_words,
    feature_verdict,
    rule_in_words,
    suspicions,
    window_verdict,
)
from lemnis.engine.monitor.records import METHOD_NAMES, PREDICTION, Bins
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.schema.sentences import schema_changes
from lemnis.engine.monitor.skew.balance import answers, most_skewed, segments
from lemnis.engine.monitor.skew.records import ShareSkew
from lemnis.engine.monitor.tally import Binning, Column, Tally


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of monitor_windows and rows of monitor_features. Any: what SQLite stores."""

    window: dict[str, Any]
    features: list[dict[str, Any]]

    @property
    def suspected(self) -> frozenset[str] | None:
        """The features that this window alone makes suspect; None where it has too few rows to say."""
        if self.window["verdict"] in ("insufficient", "no data"):
            return None
        return frozenset(feature["feature"] for feature in self.features if feature["suspected"])


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One feature against its reference, before the others are known.

    Attributes:
        chance: What the effect stays below by chance; threshold: that or the declared floor, the larger.
    """

    binning: Binning
    column: Column
    position: int
    scores: Scores
    chance: float
    threshold: float
    p: float


def judge_window(
    monitor: Monitor,
    reference: Reference,
    tally: Tally,
    measured: Measures,
    earlier: Sequence[frozenset[str]] = (),
) -> Judged:
    """Return what a window's counts and labels say, against the reference.

    Args:
        monitor: The declared floor and least rows.
        reference: Of the model version that answered.
        tally: The window's counts.
        measured: Figures of its labelled rows.
        earlier: `Judged.suspected` of the windows before it that could say something, the newest last; two are enough.
    """
    compared = [
        compare(monitor.effect, binning, column, position)
        for position, binning in enumerate(reference.binnings)
        if (column := tally.columns.get(binning.name)) is not None
    ]
    found = suspicions([(one.scores.effect, one.threshold, one.p) for one in compared])
    past = false_alarms_at(reference.false_alarms, tally.rows)
    tried = alarms_in_words(past.alarmed, past.runs) if past else alarms_in_words(None, None)
    features = [
        judge_feature(monitor, reference, one, suspicion, [one.binning.name in names for names in earlier], tried)
        for one, suspicion in zip(compared, found, strict=True)
    ]
    weighed = [
        (f["feature"], f["verdict"], 1.0 if f["importance"] is None else f["importance"]) for f in features
    ]  # the prediction moves with whatever matters, so it weighs as much as all features
    verdict, why = window_verdict(weighed, tally.rows, monitor.min_rows)
    inputs = [feature for feature in features if feature["feature"] != PREDICTION]
    predicted = next((feature["psi"] for feature in features if feature["feature"] == PREDICTION), None)
    told = tally.rows >= monitor.min_rows
    why = f"{why}; the rule {tried}" if told else why
    skewed = most_skewed(shares_in(reference, tally)) if told else None
    window = {
        "rows": tally.rows,
        "duplicates": tally.duplicates,
        "verdict": verdict,
        "why": why,
        "false_alarms": past.alarmed if past else None,
        "null_runs": past.runs if past else None,
        "null_rows": past.rows if past else None,
        "max_psi": max((f["psi"] for f in inputs), default=None) if told else None,
        "important_psi": max((f["psi"] for f in inputs if f["importance"] >= IMPORTANT_SHARE), default=None)
        if told
        else None,
        "weighted_psi": sum(f["psi"] * f["importance"] for f in inputs) if told and inputs else None,
        "missing_rise": max((f["missing_share"] - f["reference_missing_share"] for f in inputs), default=None)
        if told
        else None,
        "skew": abs(skewed.moved) if skewed else 0.0 if told else None,
        "skewed": skewed.words if skewed else "",
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


def shares_in(reference: Reference, tally: Tally) -> list[ShareSkew]:
    """Return the shares of a window's answers and segments beside training, unjudged."""
    classes = reference.classes or (["no", "yes"] if reference.task == "binary" else [])
    told = [one for one in reference.binnings if one.kind == "prediction"]
    given = [share for one in told for share in answers(one, tally, classes, reference.threshold)]
    return [*given, *segments([one for one in reference.binnings if one.kind != "prediction"], tally)]


def compare(floor: float, binning: Binning, column: Column, position: int) -> Compared:
    """Return one feature's scores, what chance gives them, and its p-value."""
    scores = scores_of(binning, column)
    chance, inflation = chance_at(binning, column, scores)
    return Compared(
        binning=binning,
        column=column,
        position=position,
        scores=scores,
        chance=chance,
        threshold=max(floor, chance),
        p=p_value(scores, inflation),
    )


def chance_at(binning: Binning, column: Column, scores: Scores) -> tuple[float, float]:
    """Return the effect that 99 % of windows of this size stay below by chance, and the statistic's inflation.

    Measured in past windows; where there were too few training rows for that, of independent rows.
    """
    n, m = max(sum(binning.counts), 1), max(sum(column.counts), 1)
    if binning.null is not None:
        return binning.null.at(m)
    spread = 1 / n + 1 / m
    if scores.freedom:  # JS² in bits is an eighth of the chi-square per effective row, over ln 2
        return math.sqrt(min(chi_square_quantile(LEVEL, scores.freedom) * spread / (8 * math.log(2)), 1.0)), 1.0
    return min(KOLMOGOROV[LEVEL] * math.sqrt(spread), 1.0), 1.0


def false_alarms_at(known: Sequence[FalseAlarms], rows: int) -> FalseAlarms | None:
    """Return the trial whose windows are nearest in size to this one, by their ratio; None where there was none."""
    return min(known, key=lambda one: abs(math.log(one.rows / max(rows, 1))), default=None)


def judge_feature(
    monitor: Monitor, reference: Reference, compared: Compared, suspicion: Suspicion, earlier: list[bool], tried: str
) -> dict[str, Any]:
    """Return one feature's row: scores, threshold with its rule, verdict and both distributions.

    Args:
        monitor: The declared floor and least rows.
        reference: Of the model version that answered.
        compared: The feature's scores.
        suspicion: What they say among all features.
        earlier: Whether the windows before suspected it, the newest last.
        tried: How often the rule alarmed on past windows.
    """
    binning, column, scores = compared.binning, compared.column, compared.scores
    before, after = (np.array(side.counts, float) for side in (binning, column))
    reference_rows, rows = int(before.sum()), int(after.sum())
    shares = Bins(
        labels=binning.labels,
        reference=(coarse(binning, before) / max(reference_rows, 1)).round(6).tolist(),
        current=(coarse(binning, after) / max(rows, 1)).round(6).tolist(),
    )
    method = method_of(binning)
    null = binning.null
    return {
        "position": compared.position,
        "feature": binning.name,
        "kind": binning.kind,
        "method": method,
        "score": scores.effect,
        "psi": scores.psi,
        "jensen_shannon": scores.jensen_shannon,
        "kolmogorov_smirnov": scores.kolmogorov_smirnov,
        "chi_square": scores.chi_square,
        "wasserstein": scores.wasserstein,
        "p": compared.p,
        "p_adjusted": suspicion.p_adjusted,
        "suspected": int(suspicion.suspected and rows >= monitor.min_rows),
        "threshold": compared.threshold,
        "rule": rule_in_words(
            score=METHOD_NAMES[method],
            floor=monitor.effect,
            chance=compared.chance,
            rows=rows,
            past=(sum(null.windows), null.rows[-1]) if null else None,
            alarms=tried,
            against="" if binning.name == PREDICTION else reference.against,
        ),
        "verdict": feature_verdict([*earlier, suspicion.suspected], rows=rows, min_rows=monitor.min_rows),
        "importance": reference.importance.get(binning.name),
        "missing_share": column.counts[-1] / max(rows, 1),
        "reference_missing_share": binning.counts[-1] / max(reference_rows, 1),
        "bins": msgspec.json.encode(shares).decode(),
    }
