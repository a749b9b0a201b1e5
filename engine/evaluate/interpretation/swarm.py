"""Contributions of a sample as histograms: per feature, by level of its value; pure functions of arrays."""

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.interpretation.records import Level, Swarm, SwarmOutput, Tone
from lemnis.engine.features.signature import Feature

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

BINS = 60  # an even number, so that zero is an edge; 60, 30 or 20 cells can draw it
COMMONEST = 4  # categories with a level of their own
BEYOND = 0.5  # percent of all contributions that may lie outside the axis


def swarm_output(answer: str, features: list[Feature], matrix: Values, amounts: Values) -> SwarmOutput:
    """Return the swarms of one output, largest mean |contribution| first.

    Args:
        answer: The class these contributions push towards.
        features: In the order of the columns.
        matrix: Encoded rows, shape (n, features).
        amounts: Contributions without the bias, shape (n, features).
    """
    edge = edge_of(amounts)
    swarms = [
        Swarm(
            feature=feature.name,
            mean_absolute=float(np.abs(amounts[:, place]).mean()) if len(amounts) else 0.0,
            levels=levels_of(feature, matrix[:, place], amounts[:, place], edge),
        )
        for place, feature in enumerate(features)
    ]
    return SwarmOutput(answer=answer, edge=edge, swarms=sorted(swarms, key=lambda one: -one.mean_absolute))


def edge_of(amounts: Values) -> float:
    """Return the half width of the axis: nearly all contributions lie within; 1 if there is none."""
    size = np.abs(amounts[np.isfinite(amounts)])
    if not size.size or not size.max():
        return 1.0
    return float(np.percentile(size, 100 - BEYOND)) or float(size.max())


def levels_of(feature: Feature, values: Values, amounts: Values, edge: float) -> list[Level]:
    """Return the levels of a feature that have rows, in the order of its values, missing last."""
    known = np.isfinite(values)
    named = category_levels(feature, values) if feature.kind == "categorical" else number_levels(feature, values)
    named.append(("missing", "", ~known))
    return [level(name, tone, amounts[mask], edge) for name, tone, mask in named if mask.any()]


def level(name: str, tone: Tone, amounts: Values, edge: float) -> Level:
    """Return one level of some rows' contributions."""
    places = np.floor((np.clip(amounts, -edge, edge) + edge) / (2 * edge) * BINS).astype(np.int64)
    counts = np.bincount(np.minimum(places, BINS - 1), minlength=BINS)
    return Level(name=name, tone=tone, rows=len(amounts), mean=float(amounts.mean()), counts=counts.tolist())


def category_levels(feature: Feature, values: Values) -> list[tuple[str, Tone, Mask]]:
    """Return the commonest categories, and all others together."""
    codes, rows = np.unique(values[np.isfinite(values)], return_counts=True)
    common = codes[np.argsort(-rows, kind="stable")][:COMMONEST]
    found: list[tuple[str, Tone, Mask]] = [(feature.categories[int(code)], "", values == code) for code in common]
    others = np.isfinite(values) & ~np.isin(values, common)
    return [*found, (f"{len(codes) - len(common)} others", "", others)]


def number_levels(feature: Feature, values: Values) -> list[tuple[str, Tone, Mask]]:
    """Return the lower, middle and upper third of a number's rows; of two values each of them."""
    distinct = np.unique(values[np.isfinite(values)])
    if not distinct.size:
        return []
    if distinct.size <= 2:
        tones: list[Tone] = ["low", "high"] if distinct.size == 2 else ["middle"]
        words = {0.0: "false", 1.0: "true"} if feature.logical else {}
        return [
            (words.get(value, f"{value:.4g}"), tone, values == value)
            for value, tone in zip(distinct.tolist(), tones, strict=True)
        ]
    low, high = np.quantile(values[np.isfinite(values)], [1 / 3, 2 / 3], method="inverted_cdf").tolist()
    high = min(max(high, float(distinct[1])), float(distinct[-2]))  # where many rows tie, each third keeps a value
    low = min(low, float(distinct[distinct < high][-1]))
    return [
        (f"low, up to {low:.4g}", "low", values <= low),
        ("middle", "middle", (values > low) & (values <= high)),
        (f"high, above {high:.4g}", "high", values > high),
    ]
