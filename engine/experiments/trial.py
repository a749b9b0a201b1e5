"""A trial: some rounds on one device in a process of its own, which may crash or hang without harm."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.experiments.parameters import Value


class Order(Struct, frozen=True, kw_only=True):
    """What is to be tried.

    Attributes:
        folder: Has the matrices as ``train.npy``, ``train_target.npy`` and, with validation rows, ``validation…``.
        parameters: Complete, from `parameters.completed`, the device among them.
        metric: LightGBM's name of the metric that is told.
    """

    folder: str
    names: list[str]
    categorical: list[int]
    parameters: dict[str, Value | list[str]]
    metric: str
    rounds: int


def run_trial(order: Order) -> dict[str, Any]:
    """Return seconds, metric and peak memory of some rounds, or LightGBM's refusal as `fault`. Any: JSON values."""
    import numpy as np

    from lemnis.engine.trees import lightgbm

    folder, parameters = Path(order.folder), dict(order.parameters)
    train, target = np.load(folder / "train.npy", mmap_mode="r"), np.load(folder / "train_target.npy")
    began = time.perf_counter()
    data = lightgbm.Dataset(
        train, target, feature_name=order.names, categorical_feature=order.categorical, params=parameters
    )
    held: lightgbm.Dataset | None = None
    if (folder / "validation.npy").exists():
        rows, answers = np.load(folder / "validation.npy"), np.load(folder / "validation_target.npy")
        # With the parameters, or it would change the number of threads for all.
        held = data.create_valid(rows, answers, params=parameters)
    try:
        booster = lightgbm.Booster(params=parameters, train_set=data)
        if held is not None:
            booster.add_valid(held, "validation")
        ends: list[float] = []
        for _ in range(order.rounds):
            booster.update()
            ends.append(time.perf_counter())
        told = booster.eval_train() if held is None else booster.eval_valid()
    except lightgbm.basic.LightGBMError as error:
        return {"fault": f"{str(error).strip().splitlines()[0].rstrip('.')}."}
    value = next((float(one[2]) for one in told if one[1] == order.metric), None)
    later = np.diff(ends)
    return {
        "fault": "",
        "prepare_s": ends[0] - began,
        "round_s": float(np.median(later)) if len(later) else 0.0,
        "value": value,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> int:
    """Read an Order from the file that the command line names, and say on the last line what came of it."""
    order = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    print(f"\n{json.dumps(run_trial(order))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
