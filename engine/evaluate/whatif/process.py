"""The what-if process: keeps a model loaded, reads one question a line from stdin, writes one answer a line to stdout.

It ends when stdin ends, so it never outlives who asked. The model file is loaded only if its hash is right.
"""

import os
import resource
import sys
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.evaluate.explain import actual_text, contributions, explainable
from lemnis.engine.evaluate.interpretation.dependence import grid_of, value_name
from lemnis.engine.evaluate.subject import Subject, find_row, held_out, open_subject, row_keys, some, targets
from lemnis.engine.evaluate.whatif.flips import apart, joint_changes, nearest, single_changes, spreads
from lemnis.engine.evaluate.whatif.records import (
    Cell,
    Change,
    Field,
    Flip,
    Flips,
    Near,
    Open,
    Opened,
    Question,
    Refused,
    Tried,
    Try,
    Values,
)
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Feature
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

MEMORY_BYTES, CPU_SECONDS = 8 << 30, 3600
ROWS, NEAR, DIFFERENT = 20_000, 5, 4
Matrix = NDArray[np.float64]


class Desk:
    """One model, one row, and the held-out rows it is compared with."""

    def __init__(self, subject: Subject, key: str) -> None:
        self.subject, self.features = subject, subject.signature.features
        row, number = find_row(subject, key)
        self.key = row_keys(subject.version, row, np.array([number]))[0]
        self.actual = actual_text(subject, float(targets(subject, row)[0]))
        self.first = encode_table(row, subject.signature)[0]
        _, rows, numbers = held_out(subject)
        chosen = some(rows.append_column("lemnis row number", [numbers]), ROWS)
        self.rows, self.numbers = chosen, chosen.column("lemnis row number").to_numpy()
        self.matrix = encode_table(chosen, subject.signature)
        self.spread = spreads(self.matrix, subject.signature.categorical)
        self.output = int(self.scores_of(self.first[None])[0].argmax())
        grids = [grid_of(feature, self.matrix[:, place]) for place, feature in enumerate(self.features)]
        self.steps = [grid[np.isfinite(grid)] for grid in grids]

    @cached_property
    def scores(self) -> Matrix:
        """The answers to the held-out rows; asked when they are first needed, so that the row opens at once."""
        return self.scores_of(self.matrix)

    @cached_property
    def width(self) -> float:
        """How far apart two numbers are different answers: a standard deviation of the answers."""
        return float(self.scores[:, 0].std()) or 1.0

    def opened(self) -> Opened:
        """Return the row as it is."""
        signature = self.subject.signature
        two = signature.task == "binary"
        return Opened(
            key=self.key,
            answer=signature.classes[-1 if two else self.output] if signature.classes else "",
            threshold=signature.threshold if two else None,
            actual=self.actual,
            fields=[self.field(place, feature) for place, feature in enumerate(self.features)],
            first=self.tried(self.first),
        )

    def field(self, place: int, feature: Feature) -> Field:
        kind = "category" if feature.kind == "categorical" else "truth" if feature.logical else "number"
        return Field(
            name=feature.name,
            kind=kind,
            value=cell(feature, float(self.first[place])),
            steps=[cell(feature, value) for value in self.steps[place].tolist()],
            low=feature.low,
            high=feature.high,
            known=feature.categories,
        )

    def scores_of(self, matrix: Matrix, *, raw: bool = False) -> Matrix:
        found = self.subject.model.predict(matrix, raw_score=raw, num_threads=1)
        return np.asarray(found, dtype=np.float64).reshape(len(matrix), -1)

    def encoded(self, values: Values) -> Matrix:
        """Return the row with these values, encoded as serving encodes a request."""
        return encode_rows([values], self.subject.signature)[0]

    def tried(self, row: Matrix) -> Tried:
        """Return the answer to one encoded row."""
        scores, raw = self.scores_of(row[None])[0], self.scores_of(row[None], raw=True)[0]
        bias, amounts = 0.0, list[float]()
        if explainable(self.subject):
            *amounts, bias = contributions(self.subject, row[None], threads=1)[0, self.output].tolist()
        return Tried(
            score=float(scores[self.output]), said=self.said(scores), raw=float(raw[self.output]), bias=bias,
            amounts=amounts,
        )  # fmt: skip

    def said(self, scores: Matrix) -> str:
        """Return the answer in words."""
        signature = self.subject.signature
        if signature.task == "regression":
            return ""
        if signature.task == "binary":
            return "yes" if scores[0] >= signature.threshold else "no"
        return signature.classes[int(scores.argmax())]

    def flips(self, row: Matrix) -> Flips:
        """Return what would change the answer to one encoded row."""
        own = self.scores_of(row[None])[0]
        categorical = self.subject.signature.categorical
        distances = apart(row, self.matrix, self.spread, categorical)
        places = nearest(distances.mean(axis=1), self.other(own, self.scores), NEAR)

        def flipped(matrix: Matrix) -> NDArray[np.bool_]:
            return self.other(own, self.scores_of(matrix))

        def towards(matrix: Matrix) -> Matrix:
            return self.nearness(own, self.scores_of(matrix))

        single = single_changes(row, self.steps, flipped, self.spread, categorical)
        together = [] if single else joint_changes(row, self.steps, flipped, towards)
        return Flips(
            near=[self.near(row, place, distances[place]) for place in places],
            single=[self.change(row, place, value) for place, value in single],
            together=[self.change(row, place, value) for place, value in together],
            scores=self.after(row, [[one] for one in single] or ([together] if together else [])),
            rows=len(self.matrix),
        )

    def other(self, own: Matrix, scores: Matrix) -> NDArray[np.bool_]:
        """Say of which scores the answer is another: across the threshold, another class, or a deviation away."""
        task, threshold = self.subject.signature.task, self.subject.signature.threshold
        if task == "binary":
            return (scores[:, 0] >= threshold) != (own[0] >= threshold)
        if task == "multiclass":
            return scores.argmax(axis=1) != own.argmax()
        return np.abs(scores[:, 0] - own[0]) >= self.width

    def nearness(self, own: Matrix, scores: Matrix) -> Matrix:
        """Return how near scores are to another answer."""
        task = self.subject.signature.task
        if task == "binary":
            return -scores[:, 0] if own[0] >= self.subject.signature.threshold else scores[:, 0]
        return -scores[:, own.argmax()] if task == "multiclass" else np.abs(scores[:, 0] - own[0])

    def near(self, row: Matrix, place: int, distances: Matrix) -> Near:
        there = self.matrix[place]
        order = [at for at in np.argsort(-distances, kind="stable")[:DIFFERENT].tolist() if distances[at] > 0]
        chosen = self.rows.slice(place, 1)
        return Near(
            key=row_keys(self.subject.version, chosen, self.numbers[place : place + 1])[0],
            distance=float(distances.mean()),
            score=float(self.scores[place, self.output]),
            said=self.said(self.scores[place]),
            actual=actual_text(self.subject, float(targets(self.subject, chosen)[0])),
            changes=[self.change(row, at, float(there[at])) for at in order],
        )

    def change(self, row: Matrix, place: int, value: float) -> Change:
        feature = self.features[place]
        before, after = value_name(feature, float(row[place])), value_name(feature, value)
        return Change(feature=feature.name, before=before, after=after)

    def after(self, row: Matrix, sets: list[list[tuple[int, float]]]) -> list[float]:
        """Return the scores of a row after each set of changes."""
        rows = np.tile(row, (len(sets), 1))
        for at, changes in enumerate(sets):
            for place, value in changes:
                rows[at, place] = value
        return self.scores_of(rows)[:, self.output].tolist() if sets else []


def cell(feature: Feature, value: float) -> Cell:
    """Return an encoded value as JSON has it."""
    if not np.isfinite(value):
        return None
    if feature.kind == "categorical":
        return feature.categories[int(value)]
    return bool(value) if feature.logical else value


def serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """Answer questions until there are no more."""
    desk: Desk | None = None
    for line in asked:
        answer: Any  # one of the records
        try:
            question = msgspec.json.decode(line, type=Question)
            if isinstance(question, Open):
                store = Store(Workspace(Path(question.root)), read_only=True)
                desk = Desk(open_subject(store, question.run_id), question.key)
                answer = desk.opened()
            else:
                answer = answered(desk, question)
        except LemnisError as error:
            answer = Refused(problem=error.problem, remedy=error.remedy, place=error.place)
        except MemoryError:
            answer = Refused(problem="There is not enough memory for these rows.", remedy="Close other programs.")
        told.write(msgspec.json.encode(answer) + b"\n")
        told.flush()


def answered(desk: Desk | None, question: Try | Flip) -> Tried | Flips:
    """Return the answer to a question about the row that is open.

    Raises:
        BadInput: None is, or a value is not one that the model takes.
    """
    if desk is None:
        raise BadInput("No row is open.", "Open one first.")
    row = desk.encoded(question.values)
    return desk.flips(row) if isinstance(question, Flip) else desk.tried(row)


def main() -> int:
    """Serve stdin; what LightGBM prints goes to stderr."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    serve(sys.stdin.buffer, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
