"""What trainings take, by a law of physical terms fitted to measured ones, with an interval. Pure NumPy, no I/O.

A training reads and bins its cells once, then fills histograms round by round, searches splits in them and moves rows
to leaves. Each of these takes a time that is not negative and grows with a known product of sizes, so the law is a sum
of such products with coefficients >= 0: it can be asked far outside of what was measured without turning absurd.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.resources.planning.records import Figure, Law, Measured, Sizes, Span, Trial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


SURE = 0.8  # of trainings like these that lie in the interval
FEWEST = 4  # with fewer residuals no finite interval can promise SURE
UNMEASURED = math.log(3)  # half the width of an interval that nothing is known of: a third to three times
SPEEDUPS = (1.0, 0.85, 0.7, 0.55, 0.4, 0.2, 0.0)  # exponents of cores: perfect to none
USUAL_SPEEDUP = 0.7  # where every training had the same cores
PASSES = 4
FOLDS = 40  # laws that are fitted to all but some: more would only take longer
OUTLYING = 0.35  # a residual from which (in e-folds) a training counts less: the machine was busy with something else
SIZES = ("rows", "columns", "rounds", "leaves", "cores")


def terms_of(sizes: Sizes, figure: Figure, speedup: float) -> list[float]:
    """Return what a figure is a sum of, those that grow with the data first: of equals the first is taken."""
    rows, columns, rounds = float(sizes.rows), float(sizes.columns), float(sizes.rounds)
    depth, cores = math.log2(max(2, sizes.leaves)), max(1.0, sizes.cores) ** speedup
    if figure == "peak_bytes":
        return [
            (rows + sizes.held_rows) * columns,  # the matrix as read, and in bins
            rows + sizes.held_rows,  # gradients, scores, answers
            float(sizes.leaves * columns * min(sizes.bins, rows)),  # histograms
            rounds * sizes.leaves,  # the trees
            1.0,  # Python with its libraries
        ]
    return [
        rows * columns * rounds * depth / cores,  # histograms of the smaller children
        rows * columns * rounds / cores,  # histograms of the roots
        rows * rounds * depth / cores,  # moving rows to leaves
        sizes.held_rows * rounds * depth / cores,  # scoring what is watched
        rounds * sizes.leaves * columns * min(sizes.bins, rows) / cores,  # searching splits
        (rows + sizes.held_rows) * columns,  # reading, encoding and binning
        rounds * sizes.leaves,  # growing and writing trees
        1.0,  # starting a process
    ]


def fitted_law(trainings: Sequence[Measured], figure: Figure) -> Law:
    """Return the law of a figure, fitted to trainings of one device.

    Relative errors are made small, since a training of an hour may be off by minutes. The intervals come from leaving
    out one training after the other (jackknife+, Barber et al. 2021, on the logarithms).

    Raises:
        ValueError: There is no training, or one's figure is not positive.
    """
    if not trainings or any(getattr(one, figure) <= 0 for one in trainings):
        raise ValueError("a law needs trainings with a positive figure")
    speedup = best_speedup(trainings, figure)
    coefficients = coefficients_of(trainings, figure, speedup)
    logs: list[float] = []
    if len(trainings) > 1:
        folds = min(FOLDS, len(trainings))
        for fold in range(folds):
            others = [one for place, one in enumerate(trainings) if place % folds != fold]
            found = coefficients_of(others, figure, speedup)
            logs += [
                math.log(getattr(one, figure) / value(found, one.sizes, figure, speedup))
                for one in trainings[fold::folds]
            ]
    residuals = sorted(abs(one) for one in logs)
    return Law(
        figure=figure,
        coefficients=coefficients,
        speedup=speedup,
        residuals=residuals,
        least=extreme(trainings, min),
        most=extreme(trainings, max),
        trial=left_out(logs),
    )


def left_out(logs: Sequence[float]) -> Trial:
    """Return how leave-one-out estimates did, each judged by the interval that the others' residuals give."""
    errors = sorted(abs(math.exp(-log) - 1) for log in logs)
    inside = 0
    for place, log in enumerate(logs):
        others = sorted(abs(one) for one in (*logs[:place], *logs[place + 1 :]))
        inside += abs(log) <= half_width(others)
    return Trial(
        count=len(logs),
        error=middle(errors) if errors else None,
        covered=inside / len(logs) if logs else None,
    )


def estimate(law: Law, sizes: Sizes) -> Span:
    """Return what a law says of a training; the interval widens with every e-fold outside of what was measured."""
    likely = value(law.coefficients, sizes, law.figure, law.speedup)
    wide = half_width(law.residuals) * (1 + sum(outside(law, sizes).values()))
    return Span(low=likely * math.exp(-wide), likely=likely, high=likely * math.exp(wide))


def outside(law: Law, sizes: Sizes) -> dict[str, float]:
    """Return the sizes that lie outside of what was measured, each with how far in e-folds; empty for none."""
    found: dict[str, float] = {}
    for name in SIZES:
        low, at, high = (max(1.0, float(getattr(one, name))) for one in (law.least, sizes, law.most))
        distance = max(math.log(low / at), math.log(at / high))
        if distance > 0.05:  # a few percent are nothing to widen for
            found[name] = distance
    return found


def tried(law: Law, held: Sequence[Measured]) -> Trial:
    """Return how a law does on trainings that it has not seen."""
    spans = [(getattr(one, law.figure), estimate(law, one.sizes)) for one in held]
    errors = sorted(abs(span.likely - real) / real for real, span in spans)
    inside = sum(span.low <= real <= span.high for real, span in spans)
    return Trial(
        count=len(spans),
        error=middle(errors) if errors else None,
        covered=inside / len(spans) if spans else None,
    )


def half_width(residuals: Sequence[float]) -> float:
    """Return half an interval on logarithms: the residual that SURE of one more lie below (split conformal)."""
    place = math.ceil((len(residuals) + 1) * SURE)
    if len(residuals) < FEWEST or place > len(residuals):
        return max([UNMEASURED, *residuals])
    return residuals[place - 1]


def best_speedup(trainings: Sequence[Measured], figure: Figure) -> float:
    """Return the exponent of cores that fits best; the usual one where cores never differed. Memory knows none."""
    if figure == "peak_bytes":
        return 0.0
    if len({one.sizes.cores for one in trainings}) < 2 or len(trainings) < 2 * FEWEST:
        return USUAL_SPEEDUP

    def misfit(speedup: float) -> float:
        found = coefficients_of(trainings, figure, speedup)
        return sum(
            min(OUTLYING, abs(math.log(getattr(one, figure) / value(found, one.sizes, figure, speedup))))
            for one in trainings
        )

    return min(SPEEDUPS, key=misfit)


def coefficients_of(trainings: Sequence[Measured], figure: Figure, speedup: float) -> list[float]:
    """Return coefficients >= 0 that make the errors of the logarithms small, outliers counting less (Huber)."""
    import numpy as np

    terms = np.array([terms_of(one.sizes, figure, speedup) for one in trainings], dtype=np.float64)
    real = np.array([getattr(one, figure) for one in trainings], dtype=np.float64)
    scale = terms.max(axis=0)
    scale[scale == 0] = 1.0
    weight = 1 / real
    found = np.zeros(terms.shape[1])
    for _ in range(PASSES):
        found = not_negative(terms / scale * weight[:, None], real * weight)
        guess = np.maximum(terms / scale @ found, 1e-12)
        off = np.abs(np.log(real / guess))
        # Around the fit a relative error is one of the logarithm when it is taken of the geometric mean.
        weight = np.sqrt(np.minimum(1.0, OUTLYING / np.maximum(off, 1e-12))) / np.sqrt(real * guess)
    return [float(one) for one in found / scale]


def not_negative(matrix: "NDArray[np.float64]", answers: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return x >= 0 that makes |matrix x - answers| least, shape (columns,).

    Source: Lawson and Hanson, Solving Least Squares Problems (1974), algorithm NNLS.
    """
    import numpy as np

    columns = matrix.shape[1]
    found, used = np.zeros(columns), np.zeros(columns, dtype=bool)
    tolerance = 1e-10 * float(np.abs(matrix).sum(axis=0).max())
    for _ in range(3 * columns):
        slope = matrix.T @ (answers - matrix @ found)
        slope[used] = -np.inf
        if used.all() or slope.max() <= tolerance:
            break
        used[int(slope.argmax())] = True
        while used.any():
            trial = np.zeros(columns)
            trial[used] = np.linalg.lstsq(matrix[:, used], answers, rcond=None)[0]
            if (trial[used] > 0).all():
                found = trial
                break
            bad = used & (trial <= 0)
            step = float((found[bad] / np.maximum(found[bad] - trial[bad], 1e-300)).min())
            found = found + step * (trial - found)
            used &= found > 1e-14
            found[~used] = 0.0
    return found


def value(coefficients: Sequence[float], sizes: Sizes, figure: Figure, speedup: float) -> float:
    """Return what coefficients say of a training."""
    terms = terms_of(sizes, figure, speedup)
    return max(1e-9, sum(each * term for each, term in zip(coefficients, terms, strict=True)))


def extreme(trainings: Sequence[Measured], choose: Callable[[Iterable[float]], float]) -> Sizes:
    """Return the least, or the largest, of each size."""
    names = Sizes.__struct_fields__
    return msgspec.convert({name: choose(getattr(one.sizes, name) for one in trainings) for name in names}, Sizes)


def middle(ascending: Sequence[float]) -> float:
    """Return the median of some numbers in order."""
    half = len(ascending) // 2
    return ascending[half] if len(ascending) % 2 else (ascending[half - 1] + ascending[half]) / 2
