"""Direct loss estimation (DLE): a model of the absolute errors says how far off answers are before the truth is known.

Run as a module it estimates the windows of one served version: LightGBM can end the process that it runs in.
"""

import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.monitor.concept.figures import ends_of
from lemnis.engine.monitor.concept.influence import mean_covariance
from lemnis.engine.monitor.concept.records import Doubt, Figure, Figures

Values = NDArray[np.float64]
Places = NDArray[np.int64]
ROUNDS = 60
PARAMETERS = {
    "objective": "regression",
    "num_leaves": 15,
    "learning_rate": 0.08,
    "min_data_in_leaf": 20,
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
}
ERROR = "mean_absolute_error"


def fit_errors(matrix: Values, predicted: Values, error: Values, blocks: Places) -> tuple[str, Doubt]:
    """Return the text of a LightGBM model of the absolute error, and how far off it is on blocks it has not seen.

    Args:
        matrix: Features of the held-out rows, shape (n, features).
        predicted: What the model said, shape (n,).
        error: Absolute distance to the truth, shape (n,).
        blocks: Block of each row, numbered from 0; a half of them judges the model of the other half.

    Source: DLE as in NannyML: the answer itself is one of the features.
    """
    from lemnis.engine.trees import lightgbm

    def trained(columns: Values, wanted: Values) -> Any:  # Any: lightgbm is typed in part
        return lightgbm.train(cast("dict[str, Any]", PARAMETERS), lightgbm.Dataset(columns, wanted), ROUNDS)

    columns = np.column_stack([matrix, predicted])
    said = np.empty(error.size)
    for fold in (0, 1):
        inside = blocks % 2 == fold
        said[inside] = trained(columns[~inside], error[~inside]).predict(columns[inside], num_threads=1)
    variance = float(mean_covariance((error - said)[:, None], blocks)[0, 0]) * error.size
    doubt = Doubt(rows=error.size, variance={ERROR: variance}, effect={ERROR: variance / own_variance(said)})
    return trained(columns, error).model_to_string(), doubt


def direct_figures(text: str, matrix: Values, predicted: Values, doubt: Doubt) -> Figures:
    """Return the mean absolute error that answers are expected to have, with its 95 % interval.

    Args:
        text: Of the model of the errors.
        matrix: Features of the rows, shape (n, features).
        predicted: What the model said, shape (n,).
        doubt: How far off such estimates were on held-out rows.
    """
    from lemnis.engine.trees import lightgbm

    known = np.isfinite(predicted)
    if not known.any():
        return Figures()
    columns = np.column_stack([matrix, predicted])[known]
    booster: Any = lightgbm.Booster(model_str=text)  # Any: lightgbm is typed in part
    said = np.maximum(np.asarray(booster.predict(columns, num_threads=1), dtype=np.float64), 0.0)
    value, rows = float(said.mean()), int(known.sum())
    error = doubt.error(ERROR, own_variance(said), rows)
    return Figures(rows=rows, found={ERROR: Figure(value, *ends_of(ERROR, value, error, rows))})


def own_variance(said: Values) -> float:
    """Return what the variance of one row's error goes with: the mean square of the errors expected."""
    return max(float((said**2).mean()), 1e-300)


def main() -> int:
    """Estimate the windows that are due: workspace, endpoint, model, version."""
    from lemnis.engine.monitor.concept.windowed import estimate_due
    from lemnis.engine.store import Store
    from lemnis.engine.workspace import Workspace

    root, endpoint, model, version = sys.argv[1:]
    store = Store(Workspace(Path(root)))
    try:
        estimate_due(store, [endpoint, model, int(version)], apart=False)
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
