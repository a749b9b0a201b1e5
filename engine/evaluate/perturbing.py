"""Faults put into real requests one at a time: does the serving path refuse them, and what do they cost."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Problem
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.baselines import Ground, constant
from lemnis.engine.evaluate.measure import FIRST_METRIC, Scored, measures
from lemnis.engine.evaluate.metrics import HIGHER_IS_BETTER
from lemnis.engine.evaluate.paired import none_if_nan
from lemnis.engine.evaluate.records import Importance
from lemnis.engine.evaluate.speed import as_request
from lemnis.engine.evaluate.subject import Subject, thinned
from lemnis.engine.evaluate.verifications import SAME, Perturbation, Perturbations
from lemnis.engine.features.requests import encode_columns, encode_rows
from lemnis.engine.features.signature import Feature

Values = NDArray[np.float64]
ROWS, MOST_FEATURES = 4_000, 40
TENTH = 0.1  # of what the model is worth over the constant: more may no fault cost
HOUR_SHIFT, FOLLOWS = 5, 0.9  # hours; share of rows in which a feature is the time of day, up to a whole shift
UNKNOWN = "\u2047 never seen"


def perturbations_of(
    subject: Subject,
    ground: Ground,
    problem: Problem,
    importances: list[Importance],
    *,
    threads: int,
    job_id: int | None,
    told: Callable[[], None] = lambda: None,
) -> Perturbations:
    """Return what each fault does to the answers on a sample of the rows that judge.

    Args:
        subject: The model.
        ground: The rows.
        problem: Task, threshold and value of answers.
        importances: The features, the most important first.
        threads: Of LightGBM.
        job_id: Who asks.
        told: Called now and then; may raise to stop.
    """
    import pyarrow as pa

    places = thinned(ground.judged, ROWS)
    chosen = ground.rows.take(pa.array(places))
    requests = [as_request(row) for row in chosen.select(subject.signature.names).to_pylist()]
    trial = Trial(subject, problem, ground.all.where(places), requests, threads)
    fixed = constant(subject, ground)[: places.size]
    trial.allow(none_if_nan(measures(Scored(target=trial.rows.target, score=fixed, time=None), problem)[trial.metric]))
    by_name = subject.signature.by_name
    tried = whole_requests(trial)
    names = [one.feature for one in importances][:MOST_FEATURES]
    for name in names:
        told()
        tried += faults_of(trial, by_name[name], subject.signature.names.index(name), ground.all.where(places).time)
    return Perturbations(
        run_id=subject.run_id,
        part=ground.part,
        rows=places.size,
        metric=trial.metric,
        value=trial.value,
        constant=trial.constant,
        allowed=trial.allowed,
        features=len(names),
        of=len(by_name),
        tried=tried,
        at=now_ms(),
        job_id=job_id,
    )


class Trial:
    """The rows as requests, what the model answers to them, and what a fault may cost."""

    def __init__(
        self, subject: Subject, problem: Problem, rows: Scored, requests: list[dict[str, Any]], threads: int
    ) -> None:
        """Answer the rows as they are. Any: cells of any type."""
        self.subject, self.problem, self.rows, self.requests, self.threads = subject, problem, rows, requests, threads
        self.matrix = encode_rows(requests, subject.signature)
        self.metric = FIRST_METRIC[problem.task]
        self.score = self.answers(self.matrix)
        self.value = self.measured(self.score)
        self.constant: float | None = None
        self.allowed = 0.0

    def allow(self, constant: float | None) -> None:
        """Take what the constant answer is worth: a fault may cost a tenth of what the model is worth over it."""
        self.constant = constant
        if self.value is not None and constant is not None:
            self.allowed = TENTH * abs(self.value - constant)

    def answers(self, matrix: Values) -> Values:
        """Return the model's scores of encoded rows."""
        return np.asarray(self.subject.model.predict(matrix, num_threads=self.threads))

    def measured(self, score: Values) -> float | None:
        """Return the task's first measure."""
        found = measures(Scored(target=self.rows.target, score=score, time=None), self.problem)
        return none_if_nan(found[self.metric])

    def judged(self, kind: str, feature: str, matrix: Values, *, same: bool = False) -> Perturbation:
        """Return what a fault that was taken does; `same` if it should change nothing."""
        score = self.answers(matrix)
        value, changed = self.measured(score), self.changed(score)
        loss = None
        if value is not None and self.value is not None:
            loss = (self.value - value) * (1 if self.metric in HIGHER_IS_BETTER else -1)
        passed = changed <= SAME if same else loss is not None and loss <= self.allowed
        return Perturbation(kind=kind, feature=feature, value=value, loss=loss, changed=changed, passed=passed)

    def changed(self, score: Values) -> float:
        """Return the share of rows that are answered otherwise."""
        if score.ndim == 2:
            return float((score.argmax(1) != self.score.argmax(1)).mean())
        if self.problem.task == "binary":
            at = self.problem.threshold
            return float(((score >= at) != (self.score >= at)).mean())
        return float((abs(score - self.score) > TENTH * (float(self.score.std()) or 1.0)).mean())


def whole_requests(trial: Trial) -> list[Perturbation]:
    """Return the faults of a request as a whole: shuffled columns, and numbers sent as float32 tensors."""
    signature = trial.subject.signature
    backwards = [dict(reversed(row.items())) for row in trial.requests]
    shuffled = trial.judged("columns shuffled", "", encode_rows(backwards, signature), same=True)
    columns: dict[str, Any] = {}
    for place, feature in enumerate(signature.features):
        plain = feature.kind == "numeric" and not feature.logical
        columns[feature.name] = (
            trial.matrix[:, place].astype(np.float32) if plain else [row[feature.name] for row in trial.requests]
        )
    return [shuffled, trial.judged("float32", "", encode_columns(columns, signature), same=True)]


def faults_of(trial: Trial, feature: Feature, place: int, time: NDArray[np.int64] | None) -> list[Perturbation]:
    """Return every fault that one feature can have."""
    signature, name = trial.subject.signature, feature.name
    found = [refusal(trial, name)]
    read = signature.readers[place][1]

    def with_column(kind: str, values: list[Any]) -> Perturbation:
        try:
            column = [read(value) for value in values]
        except TypeError:
            return Perturbation(kind=kind, feature=name, refused=f"{name}: wrong type", passed=True)
        matrix = trial.matrix.copy()
        matrix[:, place] = column
        return trial.judged(kind, name, matrix)

    cells = [row[name] for row in trial.requests]
    found.append(with_column("no value", [None] * len(cells)))
    if feature.kind == "categorical":
        found.append(with_column("unknown category", [UNKNOWN if cell is not None else None for cell in cells]))
    elif not feature.logical:
        found.append(with_column("unit × 1000", [None if cell is None else cell * 1000 for cell in cells]))
        shift = shifted_hours(trial.matrix[:, place], time)
        if shift is not None:
            found.append(with_column("time zone + 5 h", [None if np.isnan(one) else float(one) for one in shift]))
    return found


def refusal(trial: Trial, name: str) -> Perturbation:
    """Return what a request without one column is told."""
    without = {key: value for key, value in trial.requests[0].items() if key != name}
    try:
        encode_rows([without], trial.subject.signature)
    except BadInput as error:
        return Perturbation(kind="column absent", feature=name, refused=error.problem, passed=True)
    return Perturbation(kind="column absent", feature=name, passed=False)


def shifted_hours(column: Values, time: NDArray[np.int64] | None) -> Values | None:
    """Return a feature that is the time of day moved by some hours; None if it is none.

    It is one if it is the hour (0 to 23), or hour and minute as HHMM, of the rows' own time up to a whole number of
    hours, in most rows.
    """
    known = np.isfinite(column)
    if time is None or not known.any() or column[known].min() < 0 or (column[known] != np.floor(column[known])).any():
        return None
    hour = (time // 3_600_000) % 24
    clock = bool(column[known].max() > 24)
    if clock and (column[known].max() > 2400 or (column[known] % 100 >= 60).any()):
        return None
    own = np.floor(column / 100) if clock else column
    away = np.mod(own - hour, 24)[known]
    counts = np.sort(np.bincount(away.astype(np.int64) % 24, minlength=24))
    if counts[-2:].sum() < FOLLOWS * known.sum() or np.unique(own[known]).size < 2:  # two, for summer time
        return None
    return np.where(
        known, np.mod(own + HOUR_SHIFT, 24) * (100 if clock else 1) + (column % 100 if clock else 0), np.nan
    )
