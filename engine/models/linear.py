"""The linear model: what each feature adds to the raw score, as one text file; a constant is one without features.

It answers the calls that a `lightgbm.Booster` answers, by NumPy alone. The file is a first line that names it, then
JSON: there is nothing in it that could run, and a damaged one is refused instead of ending the process.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput

HEAD = b"lemnis linear 1\n"
FARTHEST = 1e100  # one feature never adds more than this, so that sums stay finite
Values = NDArray[np.float64]


class Effect(Struct, frozen=True, kw_only=True):
    """What one feature adds to the raw scores, one number an output; its mean over the training rows is 0.

    Attributes:
        centre, slope, base: Of a number x: ``base + slope * (x - centre)``.
        each: Of a category: by its place in the signature.
        missing: Without a value, or with a category that training did not see.
        gain: Variance over the training rows, summed over the outputs.
    """

    centre: float = 0.0
    slope: list[float] = []
    base: list[float] = []
    each: list[list[float]] = []
    missing: list[float]
    gain: float = 0.0


class LinearModel(Struct, frozen=True, kw_only=True, dict=True):
    """Raw score = bias + what each feature adds; the answer is its logistic, its softmax, or itself.

    Attributes:
        bias: One number an output: the mean raw score of the training rows.
        effects: In the order of the signature's features.
    """

    link: Literal["logistic", "softmax", "identity"]
    bias: list[float]
    effects: list[Effect]

    @property
    def text(self) -> str:
        """The file's content."""
        return HEAD.decode() + msgspec.json.encode(self).decode()

    @cached_property
    def tables(self) -> list[Values]:
        """What each feature adds by code, shape (categories + 1, outputs), the last row without a value; or empty."""
        return [
            np.array([*effect.each, effect.missing]) if effect.each else np.zeros((0, 0)) for effect in self.effects
        ]

    def num_feature(self) -> int:
        return len(self.effects)

    def num_model_per_iteration(self) -> int:
        """Return how many scores a row gets."""
        return len(self.bias)

    def feature_importance(self, kind: str) -> Values:
        """Return the variance that each feature gives the raw score (`gain`), or that it has no splits (`split`)."""
        return np.array([effect.gain if kind == "gain" else 0.0 for effect in self.effects])

    def added(self, matrix: Values) -> Values:
        """Return what each feature adds to the raw scores, shape (rows, outputs, features)."""
        found = np.empty((len(matrix), len(self.bias), len(self.effects)))
        for place, effect in enumerate(self.effects):
            found[:, :, place] = self._added(effect, self.tables[place], matrix[:, place])
        return found

    def _added(self, effect: Effect, table: Values, column: Values) -> Values:
        known = np.isfinite(column)
        if effect.each:
            known &= (column >= 0) & (column < len(effect.each))
            return table[np.where(known, column, len(effect.each)).astype(np.int64)]
        if not effect.slope:
            return np.broadcast_to(np.array(effect.missing), (len(column), len(self.bias)))
        away = np.where(known, column, 0.0)[:, None] - effect.centre
        with np.errstate(over="ignore"):
            value = np.clip(np.array(effect.base) + np.array(effect.slope) * away, -FARTHEST, FARTHEST)
        return np.where(known[:, None], value, np.array(effect.missing))

    def predict(self, matrix: Values, *, raw_score: bool = False, pred_contrib: bool = False, **_: Any) -> Values:
        """Return scores as a Booster of the same task would.

        Args:
            matrix: Encoded rows, shape (rows, features).
            raw_score: Without logistic or softmax.
            pred_contrib: What each feature adds and, last, the bias, for each output: (rows, outputs * (features + 1)).
                Of a linear model with independent features these are the Shapley values.
            **_: What only matters to trees, such as num_threads. Any: of each its own type.

        Source: S. Lundberg, S.-I. Lee, A unified approach to interpreting model predictions (2017), corollary 1.
        """
        rows = np.asarray(matrix, dtype=np.float64)
        if pred_contrib:
            bias = np.broadcast_to(np.array(self.bias)[None, :, None], (len(rows), len(self.bias), 1))
            return np.concatenate([self.added(rows), bias], axis=2).reshape(len(rows), -1)
        raw = np.tile(np.array(self.bias), (len(rows), 1))
        for place, effect in enumerate(self.effects):
            raw += self._added(effect, self.tables[place], rows[:, place])
        scores = raw if raw_score else answers(raw, self.link)
        return scores[:, 0] if len(self.bias) == 1 else scores

    def one(self, values: Sequence[float]) -> list[float]:
        """Return the scores of one encoded row, as `predict` does, without the cost of arrays."""
        raw = self.bias
        for effect, value in zip(self.effects, values, strict=True):
            raw = [so_far + more for so_far, more in zip(raw, amounts(effect, value), strict=True)]
        if self.link == "identity":
            return raw
        if self.link == "logistic":
            return [1 / (1 + math.exp(-max(-700.0, min(700.0, number)))) for number in raw]
        highest = max(raw)
        grown = [math.exp(number - highest) for number in raw]
        return [number / sum(grown) for number in grown]


def amounts(effect: Effect, value: float) -> list[float]:
    """Return what a feature adds for one value."""
    if not math.isfinite(value):
        return effect.missing
    if effect.each:
        return effect.each[int(value)] if 0 <= value < len(effect.each) else effect.missing
    away = value - effect.centre
    added = (base + slope * away for base, slope in zip(effect.base, effect.slope, strict=True))
    return [max(-FARTHEST, min(FARTHEST, number)) for number in added] if effect.slope else effect.missing


def answers(raw: Values, link: str) -> Values:
    """Return probabilities, or the numbers themselves, from raw scores of shape (rows, outputs)."""
    if link == "identity":
        return raw
    if link == "logistic":
        return 1 / (1 + np.exp(-np.clip(raw, -700, 700)))
    grown = np.exp(raw - raw.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def read_linear(text: str) -> LinearModel:
    """Return the model of a file's text.

    Raises:
        BadInput: It is none, or its parts do not fit each other.
    """
    try:
        model = msgspec.json.decode(text.encode().removeprefix(HEAD), type=LinearModel)
    except msgspec.DecodeError as error:
        raise BadInput(f"This is no linear model: {error}.", "Train the run again.", "model") from None
    outputs = len(model.bias)
    lists = [model.bias]
    for effect in model.effects:
        lists += [effect.missing, *effect.each, *([effect.slope, effect.base] if effect.slope else [])]
    if not outputs or any(len(numbers) != outputs for numbers in lists):
        raise BadInput("The parts of this linear model do not fit each other.", "Train the run again.", "model")
    return model
