"""Models grown in memory on past rows, as the champion was trained: for studies, which keep figures and no models."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import resource
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Learnt, Problem, parse_window
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.experiments import ExperimentsRoom, Run
from lemnis.engine.experiments.ageing import decayed
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.begun import DECAY_RATE
from lemnis.engine.experiments.fit import Rows, feature_names
from lemnis.engine.experiments.parameters import typed
from lemnis.engine.experiments.predictions import predicted, row_times
from lemnis.engine.experiments.train import tree_parameters
from lemnis.engine.features.matrix import encode_table, fit_signature, labelled, target_vector
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import Model, load_model, read_model
from lemnis.engine.monitor.retraining.paired import figure_of
from lemnis.engine.monitor.retraining.records import Point, Try
from lemnis.engine.monitor.retraining.splits import begin_of, earliest_of, learnable_version
from lemnis.engine.monitor.spans import DAY_MS, Width
from lemnis.engine.store import Store

Places = NDArray[np.int64]
Told = Callable[[], None]


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """A model with what its columns mean, the rows it learnt from, its rounds and what it cost."""

    model: Model
    signature: Signature
    learnt: int
    rounds: int
    cpu_seconds: float
    seconds: float


class Bench:
    """The rows, the champion and its conditions: opened once, then tried on any number of times."""

    def __init__(self, store: Store, endpoint_model: tuple[str, int], problem: Problem, width: Width) -> None:
        """Read everything that a study needs.

        Raises:
            NotFound: The champion's run or its dataset version is gone.
            BadInput: The rows have no time.
        """
        deploy = DeployRoom(store)
        self.problem = problem
        self.width: Width = width
        champion = deploy.version(*endpoint_model)
        self.run: Run = ExperimentsRoom(store).run(champion.run_id)
        self.signature = deploy.signature(champion.model, champion.version)
        columns = [*self.signature.names, self.signature.target]
        self.data: Version = learnable_version(store, self.run.version_id, self.run.id, columns)
        self.table = read_table(self.data, list(dict.fromkeys([*columns, *filter(None, [self.data.time])])))
        times = row_times(self.data, self.table)
        if times is None:
            raise BadInput(f"{self.data.title} has no time.", "Name the column of time in [dataset].", self.data.title)
        known = ~np.isnan(target_vector(self.table, self.signature))
        self.times: Places = np.where(known, times, np.iinfo(np.int64).min)  # a row without a label is in no span
        self.champion = load_model(champion.path, champion.sha256)
        self.earliest = earliest_of(store, self.data)
        self.trained_until = trained_until(find_version(store, self.run.version_id or ""))
        self._yardsticks: dict[tuple[int, int], Yardstick] = {}

    def rows(self, first: int, until: int) -> Any:
        """Return the labelled rows of a span of time, in their order. Any: a pyarrow Table."""
        return self.table.take(pa.array(np.flatnonzero((self.times >= first) & (self.times < until))))

    def attempt(self, one: Try, told: Told) -> Point:
        """Grow a model as a try says, and return how it does beside the champion."""
        learnt = parse_window(one.window)
        first = begin_of(self.data, learnt, one.until, width=self.width, earliest=self.earliest)
        if one.start != "full":
            first = max(first, min(self.trained_until, one.until - DAY_MS))
        table, judged = self.rows(first, one.until), self.rows(*one.judged)
        empty = Point(
            name=one.name, learnt=table.num_rows, judged=judged.num_rows, rounds=0, cpu_seconds=0, seconds=0, figures=[]
        )
        if not table.num_rows or not judged.num_rows:
            return msgspec.structs.replace(
                empty, why=f"no labelled rows {'to learn from' if judged.num_rows else 'to judge'}"
            )
        validation = self.rows(*one.validated) if one.validated and self.early_stopping else None
        grown = self.grow(table, validation, start=one.start, learnt=learnt, told=told)
        tests = self.yardstick(one.judged, told).tests(predicted(grown.model, grown.signature, judged, threads=1))
        return msgspec.structs.replace(
            empty,
            rounds=grown.rounds,
            cpu_seconds=round(grown.cpu_seconds, 3),
            seconds=round(grown.seconds, 3),
            figures=[figure_of(test) for test in tests],
        )

    def yardstick(self, span: tuple[int, int], told: Told) -> Yardstick:
        """Return the champion's own scores of a span, uncalibrated like those of the models that are grown."""
        if span not in self._yardsticks:
            rows = self.rows(*span)
            score = predicted(self.champion, self.signature, rows, threads=1)
            base = Scored(target=target_vector(rows, self.signature), score=score, time=row_times(self.data, rows))
            self._yardsticks = {span: Yardstick(base, self.problem, told)}
        return self._yardsticks[span]

    @property
    def early_stopping(self) -> int:
        """After how many rounds without progress the champion's training would end; 0 for never."""
        return int(self.run.params.get("early_stopping", "0"))

    def grow(
        self, table: Any, validation: Any, *, start: Literal["full", "continue", "refit"], learnt: Learnt, told: Told
    ) -> Grown:
        """Return a model of some rows under the champion's conditions, and what it cost. Any: pyarrow Tables."""
        signature = self.signature
        if start == "full":
            signature = fit_signature(
                table, signature.names, task=signature.task, target=signature.target, threshold=signature.threshold
            )
            signature = msgspec.structs.replace(signature, classes=self.signature.classes)
        rows = self.encoded(table, signature, learnt)
        watched = self.encoded(validation, signature, None) if validation is not None and validation.num_rows else None
        began, used = monotonic_s(), processor_seconds()
        if not find_algorithm(self.run.algorithm).trees:
            model, rounds = self.fitted_linear(rows, signature, start), 1
        elif start == "refit":
            told()
            model = self.champion.refit(rows.matrix, rows.target, decay_rate=DECAY_RATE, weight=rows.weight)
            rounds = int(model.current_iteration())
        else:
            model, rounds = self.trees(rows, watched, signature, self.champion if start == "continue" else None, told)
        cost = {"cpu_seconds": processor_seconds() - used, "seconds": monotonic_s() - began}
        return Grown(model=model, signature=signature, learnt=len(rows.target), rounds=rounds, **cost)

    def encoded(self, table: Any, signature: Signature, learnt: Learnt | None) -> Rows:
        """Return rows as LightGBM takes them, weighted by age where that is asked for. Any: a pyarrow Table."""
        rows, target = labelled(table, signature)
        weight = None
        if learnt is not None and learnt.kind == "decay":
            times = row_times(self.data, rows)
            weight = decayed(times, round(learnt.amount * DAY_MS)) if times is not None else None
        return Rows(encode_table(rows, signature), target, weight)

    def fitted_linear(self, rows: Rows, signature: Signature, start: str) -> Model:
        """Return a linear model, or a constant; raises BadInput for a warm start."""
        from lemnis.engine.experiments.fit_linear import fit_linear

        if start != "full" or rows.weight is not None:
            raise BadInput(f"{self.run.algorithm} takes neither weights nor a warm start.", "Serve a model of trees.")
        params = {key: typed(value) for key, value in self.run.params.items()}
        return read_model(fit_linear(rows, None, signature, params, constant=self.run.algorithm == "constant").model)

    def trees(
        self, rows: Rows, validation: Rows | None, signature: Signature, init: Model | None, told: Told
    ) -> tuple[Model, int]:
        """Return trees and how many rounds: the champion's, or until validation stops getting better."""
        from lemnis.engine.trees import lightgbm

        _, parameters = tree_parameters(self.run, classes=len(signature.classes), device="cpu")
        data = lightgbm.Dataset(
            rows.matrix,
            rows.target,
            weight=rows.weight,
            feature_name=feature_names(signature.names),
            categorical_feature=signature.categorical,
            params=dict(parameters),
        )

        def each(_: Any) -> None:  # Any: LightGBM's CallbackEnv, which has no types
            told()

        callbacks: list[Callable[..., None]] = [each]
        valid: list[Any] = []
        rounds = self.run.best_round or self.run.rounds or 1
        if validation is not None:
            valid, rounds = [data.create_valid(validation.matrix, validation.target)], self.run.rounds or 1
            callbacks.append(lightgbm.early_stopping(self.early_stopping, first_metric_only=True, verbose=False))
        booster = lightgbm.train(
            dict(parameters), data, num_boost_round=rounds, valid_sets=valid, init_model=init, callbacks=callbacks
        )
        return booster, booster.best_iteration if validation is not None else booster.current_iteration()


def trained_until(version: Version) -> int:
    """Return where the rows end that a run learnt from, epoch ms; 0 where nobody knows."""
    return version.split["train"].end if "train" in version.split else 0


def processor_seconds() -> float:
    """Return the processor time this process has used so far, all its threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
