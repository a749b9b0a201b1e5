"""Training itself: matrices in, a model's text and its metrics out, every round recorded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.experiments.checkpoint import Checkpoint
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.rounds import Rounds
from lemnis.engine.features.signature import Signature
from lemnis.engine.trees import lightgbm

if TYPE_CHECKING:
    from collections.abc import Callable

TRAIN_SAMPLE = 10_000  # training rows that are evaluated every round; all of them would cost as much as the trees
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """A part of the data as LightGBM takes it: matrix (rows, features), target (rows,) and, if rows differ, weight."""

    matrix: Matrix
    target: Matrix
    weight: Matrix | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of a training: the model as text and the metrics of exactly that model."""

    model: str
    rounds_done: int
    best_round: int | None
    metrics: dict[str, float | None]
    seconds: float
    peak_mib: float | None = None  # of a training that was done elsewhere


class Watcher(Protocol):
    """What is told of every round, here or on a worker of a cluster."""

    before_iteration: bool
    told: Rounds

    @property
    def seconds(self) -> float:
        """Time spent training so far."""
        ...

    def __call__(self, env: Any) -> None:
        """Take one round. Any: LightGBM's CallbackEnv."""
        ...

    def close(self) -> None:
        """Take note that the training has ended."""
        ...


class PrintedLog:
    """LightGBM's messages as lines of the job's log."""

    def info(self, message: str) -> None:
        print(message, flush=True)

    def warning(self, message: str) -> None:
        print(f"warning: {message}", flush=True)


def fit(
    train: Rows,
    validation: Rows | None,
    signature: Signature,
    parameters: Mapping[str, Value | list[str]],
    recorder: Watcher,
    *,
    resumed: Checkpoint | None = None,
) -> Fitted:
    """Train until the rounds are done or validation stops getting better.

    With early stopping the model is cut at its best round, otherwise it has all rounds; the metrics are of the model
    that is returned. A resumed training is bit-identical to an uninterrupted one unless rows or features are sampled.

    Args:
        train: Rows to learn from.
        validation: Rows to watch; None for none.
        signature: What the columns of the matrices are.
        parameters: Complete, from `parameters.completed`.
        recorder: Takes every round's metrics; it knows the number of rounds.
        resumed: Trees of an earlier attempt to go on from.

    Raises:
        BadInput: LightGBM refuses the data or the parameters.
        Unavailable: The device failed.
        Cancelled: The job was asked to stop.
    """
    lightgbm.register_logger(PrintedLog())
    told = recorder.told
    complete: dict[str, Any] = dict(parameters)
    data = lightgbm.Dataset(
        train.matrix,
        train.target,
        weight=train.weight,
        feature_name=feature_names(signature.names),
        categorical_feature=signature.categorical,
        params=complete,
    )
    sample = sampled(train)
    watched = {"train": data.create_valid(sample.matrix, sample.target)}
    if validation is not None:
        watched["validation"] = data.create_valid(validation.matrix, validation.target)
    callbacks: list[Callable[..., Any]] = [recorder]
    try:
        booster = lightgbm.train(
            complete,
            data,
            num_boost_round=told.wanted - told.done,
            valid_sets=list(watched.values()),
            valid_names=list(watched),
            init_model=lightgbm.Booster(model_str=resumed.model) if resumed else None,
            keep_training_booster=True,
            callbacks=callbacks,
        )
    except lightgbm.basic.LightGBMError as error:
        raise explained(str(error), str(parameters["device_type"])) from error
    finally:
        recorder.close()
    return Fitted(
        model=booster.model_to_string(num_iteration=told.cut or -1),
        rounds_done=told.done,
        best_round=told.best_round,
        metrics=told.metrics,
        seconds=recorder.seconds,
    )


def sampled(rows: Rows, most: int = TRAIN_SAMPLE) -> Rows:
    """Return at most `most` rows, evenly spread over all of them."""
    count = len(rows.target)
    if count <= most:
        return rows
    chosen = np.linspace(0, count - 1, most).astype(np.int64)
    return Rows(rows.matrix[chosen], rows.target[chosen])


def feature_names(names: Sequence[str]) -> list[str]:
    """Return the names as LightGBM accepts them: without JSON's characters and blanks, and each once."""
    found: list[str] = []
    for place, name in enumerate(names):
        plain = re.sub(r'[\s",:\[\]{}\\]|[^\x20-\x7e]', "_", name)
        found.append(f"{plain}_{place}" if plain in found or not plain else plain)
    return found


def explained(message: str, device: str) -> BadInput | Unavailable:
    """Turn LightGBM's message into an error for a person."""
    problem = f"LightGBM refused: {message.strip().splitlines()[0].rstrip('.')}."
    if device != "cpu" and re.search(r"opencl|cuda|gpu|device", message, re.IGNORECASE):
        return Unavailable(problem, "Train with --device cpu.", f"device {device}")
    return BadInput(problem, "Check the parameters and the target.", "training")
