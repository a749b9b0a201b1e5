"""Warm starts: a training that goes on from another run's model, or fits that model's leaves to other rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.checkpoint import Checkpoint
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import load_model
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.experiments.fit import Fitted, Rows

START, START_RUN = "start", "start_run"  # parameters of ours: how a training begins, and from which run's model
DECAY_RATE = 0.9  # of a refit: how much of a leaf's old value stays, LightGBM's own default


class Begun(Struct, frozen=True, kw_only=True):
    """The model a training begins with.

    Attributes:
        how: `continue`: new trees on top of its; `refit`: its trees, their leaves fitted to the new rows.
        rounds: Rounds of trees in it.
        model: Its text.
        signature: What its columns mean: codes of categories must stay what its trees take them for.
    """

    how: Literal["continue", "refit"]
    run_id: int
    rounds: int
    model: str
    signature: Signature

    @property
    def checkpoint(self) -> Checkpoint:
        """Where new trees begin."""
        return Checkpoint(round=self.rounds, model=self.model)


def begun_of(store: Store, params: Mapping[str, object], features: Sequence[str]) -> Begun | None:
    """Return the model that a training begins with; None for a training from nothing.

    Raises:
        BadInput: The parameters name no way or no run, or that run can't be gone on from with these features.
        NotFound: There is no such run, or its model is gone.
    """
    how, number = params.get(START, "full"), params.get(START_RUN)
    if how == "full":
        return None
    if how not in ("continue", "refit"):
        raise BadInput(f"start is {how!r}.", "Write full, continue or refit.", "parameter start")
    if number is None or not str(number).isdecimal():
        raise BadInput(f"start = {how} needs the run to begin with.", "Add start_run=RUN.", "parameter start_run")
    sql = "select id, algorithm, model_sha256 from runs where id = ? and deleted_at is null"
    row = store.row(sql, [int(str(number))])
    if row is None or row["model_sha256"] is None:
        raise NotFound(f"Run {number} has no model to begin with.", "List runs with `lemnis runs list`.")
    if not find_algorithm(row["algorithm"]).resumes:
        raise BadInput(f"Run {number} ({row['algorithm']}) can't be gone on from.", "Train from nothing: start = full.")
    folder = store.workspace.run_dir(row["id"])
    signature = Signature.load(folder / "signature.json")
    if signature.names != list(features):
        raise BadInput(f"Run {number} has other features.", "Begin with a run of the same features, in their order.")
    model = load_model(folder / "model.txt", row["model_sha256"])
    return Begun(
        how="continue" if how == "continue" else "refit",
        run_id=row["id"],
        rounds=int(model.current_iteration()),
        model=model.model_to_string(),
        signature=signature,
    )


def refitted(begun: Begun, train: "Rows", validation: "Rows | None") -> "Fitted":
    """Return the model's own trees with leaves fitted to other rows, nine tenths of their old values kept.

    Args:
        begun: The model.
        train: Rows that the leaves are fitted to.
        validation: Rows to measure on; None for none.
    """
    import numpy as np

    from lemnis.engine.experiments.fit import Fitted, sampled
    from lemnis.engine.experiments.fit_linear import watched
    from lemnis.engine.experiments.parameters import metric_name
    from lemnis.engine.trees import lightgbm

    began = monotonic_s()
    booster = lightgbm.Booster(model_str=begun.model)
    made = booster.refit(train.matrix, train.target, decay_rate=DECAY_RATE, weight=train.weight)
    seconds = monotonic_s() - began
    metrics: dict[str, float | None] = {}
    for name, rows in (("train", sampled(train)), ("validation", validation)):
        if rows is not None:
            found = watched(begun.signature.task, rows.target, np.asarray(made.predict(rows.matrix)))
            metrics |= {metric_name(name, metric): value for metric, value in found.items()}
    return Fitted(
        model=made.model_to_string(), rounds_done=begun.rounds, best_round=None, metrics=metrics, seconds=seconds
    )
