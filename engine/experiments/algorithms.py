"""How a model may learn: LightGBM's ways to grow trees, a linear model and a constant, and what each takes. Pure."""

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from lemnis.engine.config import Preset
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import Value, typed
from lemnis.engine.text import safe

# What samples rows in bagging, in LightGBM's spellings; GOSS samples in its own way and refuses them.
BAGGING = frozenset(
    {
        *("bagging_fraction", "sub_row", "subsample", "bagging", "bagging_freq", "subsample_freq"),
        *("pos_bagging_fraction", "pos_sub_row", "pos_subsample", "pos_bagging"),
        *("neg_bagging_fraction", "neg_sub_row", "neg_subsample", "neg_bagging", "bagging_by_query"),
    }
)
BOOSTING = ("boosting", "boosting_type", "boost")  # LightGBM's spellings of what an algorithm decides
CENTRES = ("mean", "median")


class Algorithm(Struct, frozen=True):
    """One way to learn.

    Attributes:
        words: What it is, for people.
        sets: What it tells LightGBM; a parameter of the run may not say otherwise.
        usual: What it takes where the run says nothing.
        trees: LightGBM trains it, round by round; else it is fitted in one go on the CPU.
        stops_early: It may end when validation gets no better, and be cut at its best round.
        resumes: It can go on from a checkpoint.
        devices: Where it can train.
        ignores: Parameters it has no use for.
    """

    name: str
    words: str
    sets: Mapping[str, Value] = {}
    usual: Mapping[str, Value] = {}
    trees: bool = True
    stops_early: bool = True
    resumes: bool = True
    devices: tuple[str, ...] = ("cpu", "gpu", "cuda")
    ignores: frozenset[str] = frozenset()


ALGORITHMS = {
    one.name: one
    for one in (
        Algorithm("gbdt", "gradient-boosted trees"),
        Algorithm(
            "dart",
            "boosted trees that are dropped at random (DART)",
            sets={"boosting": "dart"},
            stops_early=False,  # later rounds change earlier trees
            resumes=False,
        ),
        Algorithm(
            "rf",
            "random forest",
            sets={"boosting": "rf"},
            # A forest is only one with sampled rows or columns; this share of rows is what a bootstrap sample holds.
            usual={"bagging_freq": 1, "bagging_fraction": 0.632},
            stops_early=False,
            resumes=False,
        ),
        Algorithm(
            "goss",
            "boosted trees, rows sampled by gradient (GOSS)",
            sets={"data_sample_strategy": "goss"},
            ignores=BAGGING,
        ),
        Algorithm("extra_trees", "boosted trees with random thresholds", sets={"extra_trees": True}),
        Algorithm(
            "linear_tree", "boosted trees with a line in each leaf", sets={"linear_tree": True}, devices=("cpu", "gpu")
        ),
        Algorithm(
            "linear",
            "logistic or ridge regression, a baseline",
            usual={"lambda_l2": 1.0},
            trees=False,
            devices=("cpu",),
        ),
        Algorithm("constant", "the same answer to every row, a baseline", trees=False, devices=("cpu",)),
    )
}


class Suited(NamedTuple):
    """What of a preset an algorithm takes.

    Attributes:
        params: Everything that is kept as a parameter of the run, `rounds` and `early_stopping` of trees included.
        left_out: What the preset says and this algorithm has no use for.
    """

    preset: Preset
    params: dict[str, Value]
    left_out: list[str]


def find_algorithm(name: str) -> Algorithm:
    """Return an algorithm; `lightgbm` is what gbdt was called first.

    Raises:
        BadInput: There is none of this name.
    """
    found = ALGORITHMS.get("gbdt" if name == "lightgbm" else name)
    if found is None:
        raise BadInput(f"There is no algorithm {safe(name, limit=60)!r}.", f"Known: {', '.join(ALGORITHMS)}.")
    return found


def suited(preset: Preset, asked: Collection[str], task: str) -> Suited:
    """Return a preset as its algorithm takes it: what does not suit is left out, unless somebody asked for just that.

    Args:
        preset: With every override in it.
        asked: Names of what was overridden.
        task: binary, multiclass or regression.

    Raises:
        BadInput: Something that was asked for does not suit the algorithm, or contradicts it.
    """
    algorithm = find_algorithm(preset.algorithm)
    usual = usual_parameters(algorithm, task)
    left_out: list[str] = []

    def unsuited(name: str, why: str) -> None:
        if name in asked:
            raise BadInput(f"{name} can't be set for {algorithm.name}: {why}.", "Leave it out.", f"parameter {name}")
        left_out.append(name)

    early_stopping = preset.early_stopping
    if early_stopping and not (algorithm.trees and algorithm.stops_early):
        unsuited("early_stopping", why_to_the_end(algorithm))
        early_stopping = 0
    device = preset.device
    if device not in ("auto", *algorithm.devices):
        unsuited("device", f"it trains on {' or '.join(algorithm.devices)} only")
        device = "cpu"
    if device == "auto" and algorithm.devices == ("cpu",):
        device = "cpu"
    executor = preset.executor
    if executor != "local" and not algorithm.trees:
        unsuited("executor", "it is fitted in one go, on this machine")
        executor = "local"
    taken: dict[str, Value] = {}
    for name, value in preset.parameters.items():
        if algorithm.trees and name not in algorithm.ignores:
            taken[name] = value
        elif not algorithm.trees and name in usual:
            taken[name] = usual_value(name, value)
        else:
            takes = f"it takes {', '.join(usual)}" if usual else "it takes no parameters"
            unsuited(name, "it samples rows by gradient" if algorithm.trees else takes)
    refuse_contradiction(algorithm, taken)
    if algorithm.trees:
        rounds, params = preset.rounds, {**taken, "rounds": preset.rounds, "early_stopping": early_stopping}
    else:
        rounds, params = 1, {**usual, **taken}
        if "rounds" in asked:
            unsuited("rounds", "it is fitted in one go")
    made = msgspec.structs.replace(
        preset,
        algorithm=algorithm.name,
        rounds=rounds,
        early_stopping=early_stopping,
        device=device,
        executor=executor,
        parameters=taken,
    )
    return Suited(made, params, left_out)


def usual_parameters(algorithm: Algorithm, task: str) -> dict[str, Value]:
    """Return what an algorithm takes where the run says nothing; a constant number may be the mean or the median."""
    return {"centre": "mean"} if algorithm.name == "constant" and task == "regression" else dict(algorithm.usual)


def usual_value(name: str, value: Value) -> Value:
    """Return a parameter of a baseline as it is kept.

    Raises:
        BadInput: It is not accepted.
    """
    found = typed(value) if isinstance(value, str) else value
    if name == "centre":
        if found in CENTRES:
            return found
        raise BadInput(f"{name} can't be {safe(value, limit=60)!r}.", f"It is {' or '.join(CENTRES)}.")
    if isinstance(found, bool | str) or not math.isfinite(found) or found < 0:
        raise BadInput(f"{name} can't be {safe(value, limit=60)!r}.", "It is a number from 0 on.", f"parameter {name}")
    return float(found)


def why_to_the_end(algorithm: Algorithm) -> str:
    """Say why an algorithm can't stop early."""
    return {
        "dart": "later rounds change earlier trees, so that no round can be gone back to",
        "rf": "its trees do not build on each other, so that more of them do not overfit",
    }.get(algorithm.name, "it is fitted in one go")


def refuse_contradiction(algorithm: Algorithm, parameters: Mapping[str, Value]) -> None:
    """Raise BadInput where a parameter says what only another algorithm is."""
    decided = {"boosting": "gbdt", **algorithm.sets}
    for name, value in parameters.items():
        first = "boosting" if name in BOOSTING else name
        given = typed(value) if isinstance(value, str) else value
        if first in decided and given != decided[first]:
            means = given if first == "boosting" else next((a.name for a in ALGORITHMS.values() if first in a.sets), "")
            raise BadInput(
                f"{name} = {safe(value, limit=40)} contradicts the algorithm {algorithm.name}.",
                f"Say algorithm = {safe(means, limit=40)} instead."
                if means in ALGORITHMS and means != algorithm.name
                else "Leave it out, or name another algorithm.",
                f"parameter {name}",
            )
