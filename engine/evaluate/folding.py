"""The job `evaluate.folds`: a run's conditions trained again on folds, each judged by rows it has not seen."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import Config, load_config
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.baselines import groups_of
from lemnis.engine.evaluate.measure import FIRST_METRIC, Scored, known, measures
from lemnis.engine.evaluate.metrics import HIGHER_IS_BETTER
from lemnis.engine.evaluate.subject import months_of
from lemnis.engine.evaluate.verifications import FoldResult, Folds, save_verification
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.devices import choose_device
from lemnis.engine.experiments.fit import PrintedLog, Rows, explained, feature_names
from lemnis.engine.experiments.parameters import typed
from lemnis.engine.experiments.predictions import predicted, row_times
from lemnis.engine.experiments.runs import Run, get_run
from lemnis.engine.experiments.train import tree_parameters
from lemnis.engine.features.folds import Fold, group_folds, month_folds, shuffled_folds, time_folds
from lemnis.engine.features.matrix import encode_table, fit_signature, target_vector
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import Model, read_model
from lemnis.engine.text import safe
from lemnis.engine.trees import lightgbm

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

PARTS = ("train", "validation")  # the test rows stay unseen: conditions may be chosen by their folds
SEED = 1
Table = Any  # a pyarrow Table
Told = Callable[[float, str], None]


class Material(Struct, frozen=True, kw_only=True):
    """The rows that are cut into folds, with a known target, in order of time where they have one.

    Attributes:
        parts: Whose rows they are; ``all`` where there is no split.
    """

    rows: Table
    time: NDArray[np.int64] | None
    parts: list[str]


def fold(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Train a run's conditions on each fold and keep every fold's measures.

    Args:
        context: The job.
        arguments: ``run``; ``scheme``: k-fold, time or group; ``k``: how many; ``columns``: what groups follow.

    Raises:
        NotFound: There is no such run, or its rows are gone.
        BadInput: Rows can't be cut so, or LightGBM refuses the parameters.
        Cancelled: The job was asked to stop; what was trained by then is kept.
    """
    config, store = load_config(context.workspace.config), context.store
    run, scheme = get_run(store, int(arguments["run"])), str(arguments["scheme"])
    columns: list[str] = list(arguments.get("columns", []))
    context.progress(0.0, "reading the data")
    material = material_of(find_version(store, run.version_id), run, columns)
    folds = folds_of(material, scheme, int(arguments["k"]), columns)
    device = "cpu" if run.device.startswith("cpu") else choose_device(run.device_asked).device
    rounds = rounds_of(run)
    began, done = monotonic_s(), list[FoldResult]()

    def tell(share: float, text: str) -> None:
        reached = (len(done) + share) / len(folds)
        left = (monotonic_s() - began) * (1 / reached - 1) if reached > 0.02 else None
        about = f", about {left:,.0f} s left" if left is not None else ""
        context.progress(reached, f"fold {len(done) + 1} of {len(folds)} ({safe(one.name)}): {text}{about}")

    for one in folds:
        started = monotonic_s()
        found = judge_fold(material, one, run, config, device=device, rounds=rounds, told=tell)
        done.append(
            FoldResult(
                name=one.name, learned=one.learn.size, judged=one.judge.size, metrics=found,
                seconds=round(monotonic_s() - started, 2),
            )
        )  # fmt: skip
        kept = Folds(
            run_id=run.id, scheme=scheme, column=", ".join(columns), parts=material.parts, rounds=rounds, folds=[*done],
            of=len(folds), seconds=round(monotonic_s() - began, 2), at=now_ms(), job_id=context.job_id,
            **summary(FIRST_METRIC[run.task], done),
        )  # fmt: skip
        save_verification(store, f"folds {scheme}", kept)
    return {"run": run.id, "scheme": scheme, **summary(FIRST_METRIC[run.task], done)}


def material_of(version: Version, run: Run, columns: list[str]) -> Material:
    """Return the training and validation rows with a target, or all rows of a version without a split.

    Raises:
        NotFound: A column is not there.
    """
    for name in columns:
        version.column(name)
    time_column = [version.time] if version.time else []
    wanted = list(dict.fromkeys([*run.features, run.target, *time_column, *columns]))
    parts = [part for part in PARTS if part in version.split]
    tables = [read_table(version, wanted, part) for part in parts] or [read_table(version, wanted)]
    rows: Table = pa.concat_tables(tables)
    rows = rows.filter(rows.column(run.target).is_valid())
    time = row_times(version, rows)
    if time is not None:
        order = np.argsort(time, kind="stable")
        rows, time = rows.take(pa.array(order)), time[order]
    return Material(rows=rows, time=time, parts=parts or ["all"])


def folds_of(material: Material, scheme: str, count: int, columns: list[str]) -> list[Fold]:
    """Return which rows learn and which judge.

    Time: the last months where there are enough of them, else blocks of equally many rows.

    Raises:
        BadInput: There are too few rows, groups or times for so many folds.
    """
    rows = material.rows.num_rows
    if rows < 10 * (count + 1):
        raise BadInput(f"{rows:,} rows with a target are too few for {count} folds.", "Ask for fewer folds: -k 2.")
    if scheme == "k-fold":
        return shuffled_folds(rows, count, SEED)
    if scheme == "group":
        groups = groups_of(material.rows, columns, np.arange(rows, dtype=np.int64))
        there = int(groups.max()) + 1
        if there < count:
            raise BadInput(f"{there} groups can't make {count} folds.", "Ask for fewer folds, or for another column.")
        return group_folds(groups, count)
    if material.time is None:
        raise BadInput("The version has no time column to cut by.", "Ask for k-fold or group folds.")
    months = months_of(material.time)
    if len(set(months)) > count:
        return month_folds(months, count)
    days = material.time.astype("datetime64[ms]").astype("datetime64[D]").astype(str)
    plain = time_folds(rows, count)
    return time_folds(rows, count, [f"from {days[int(one.judge[0])]}" for one in plain])


def judge_fold(
    material: Material, one: Fold, run: Run, config: Config, *, device: str, rounds: int, told: Told
) -> dict[str, float | None]:
    """Train on a fold and return every measure on the rows that judge it."""
    told(0.0, "encoding")
    learn, judge = (material.rows.take(pa.array(places)) for places in (one.learn, one.judge))
    task: Any = run.task  # one of the three words, by the table's own check
    signature = fit_signature(learn, run.features, task=task, target=run.target, threshold=config.problem.threshold)
    train = Rows(encode_table(learn, signature), target_vector(learn, signature))
    model = model_of(run, train, signature, device=device, rounds=rounds, told=told)
    target = target_vector(judge, signature)
    seen = ~np.isnan(target)  # a class that the fold did not learn can't be judged
    score = predicted(model, signature, judge.filter(pa.array(seen)), threads=max(1, int(run.cores)))
    return known(measures(Scored(target=target[seen], score=score, time=None), config.problem))


def model_of(run: Run, train: Rows, signature: Signature, *, device: str, rounds: int, told: Told) -> Model:
    """Return a model of a run's own conditions that learned from other rows, as it would be read from its file."""
    if not find_algorithm(run.algorithm).trees:
        from lemnis.engine.experiments.fit_linear import fit_linear

        given = {key: typed(value) for key, value in run.params.items()}
        fitted = fit_linear(
            train, None, signature, given, constant=run.algorithm == "constant", cores=max(1, int(run.cores))
        )
        return read_model(fitted.model)
    _, parameters = tree_parameters(run, classes=len(signature.classes), device=device)
    complete: dict[str, Any] = {**parameters, "metric": "none"}
    lightgbm.register_logger(PrintedLog())
    data = lightgbm.Dataset(
        train.matrix, train.target, feature_name=feature_names(signature.names),
        categorical_feature=signature.categorical, params=complete,
    )  # fmt: skip

    def after(found: Any) -> None:  # Any: LightGBM's own record of a round
        told((found.iteration + 1) / rounds, f"round {found.iteration + 1} of {rounds}")

    try:
        booster = lightgbm.train(complete, data, num_boost_round=rounds, callbacks=[after])
    except lightgbm.basic.LightGBMError as error:
        raise explained(str(error), device) from error
    return read_model(booster.model_to_string())


def rounds_of(run: Run) -> int:
    """Return the rounds that the run's model has: a fold has no rows to stop early by, so it takes as many."""
    stopped = int(run.params.get("early_stopping", "0")) > 0
    return (run.best_round if stopped else None) or run.rounds_done or run.rounds or 1


def summary(metric: str, done: Sequence[FoldResult]) -> dict[str, Any]:
    """Return metric, mean, spread (standard deviation) and name of the worst fold, as `Folds` has them."""
    judged = [(value, one.name) for one in done if (value := one.metrics.get(metric)) is not None]
    values = np.array([value for value, _ in judged])
    poorest = min if metric in HIGHER_IS_BETTER else max
    return {
        "metric": metric,
        "mean": float(values.mean()) if judged else None,
        "spread": float(values.std(ddof=1)) if len(judged) > 1 else None,
        "worst": poorest(judged)[1] if judged else "",
    }
