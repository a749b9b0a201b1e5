"""What a model takes and what it answers: a record stored beside every model, and how one value is read by it."""

import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.files import write_atomic
from lemnis.engine.models.calibration import ProbabilityMap
from lemnis.engine.models.kinds import Task
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Cell: TypeAlias = Any  # a value of a request: what JSON can hold, judged here

NAN = math.nan


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the matrix, as training saw it.

    Attributes:
        kind: `numeric` covers truth values too; they have `logical` set.
        categories: Of a categorical feature, sorted; a category's code is its place here.
        low, high: Smallest and largest finite training value of a numeric feature; None where there was none.
        nullable: Training had rows without a value.
    """

    name: str
    kind: Literal["numeric", "categorical"]
    categories: list[str] = []
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    logical: bool = False

    @property
    def holds(self) -> Literal["text", "truth", "number"]:
        """What its values are in a request."""
        return "text" if self.kind == "categorical" else "truth" if self.logical else "number"


class Signature(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a model takes and what it answers; stored beside every model.

    Attributes:
        features: In the order of the matrix's columns.
        classes: Of a binary or multiclass target, sorted; the last of two is the positive one.
        threshold: A binary score at or above it counts as positive.
        calibration: What makes scores better probabilities before they are answered.
    """

    features: list[Feature]
    task: Task
    target: str
    classes: list[str] = []
    threshold: float = 0.5
    calibration: ProbabilityMap | msgspec.UnsetType = msgspec.UNSET

    def answers(self, scores: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """Return a model's scores as they are answered: calibrated, where a map is kept with it."""
        return scores if self.calibration is msgspec.UNSET else self.calibration.many(scores)

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @property
    def categorical(self) -> list[int]:
        """Columns of the matrix that hold category codes; LightGBM's `categorical_feature`."""
        return [place for place, feature in enumerate(self.features) if feature.kind == "categorical"]

    @cached_property
    def by_name(self) -> dict[str, Feature]:
        """The features by name, in their order."""
        return {feature.name: feature for feature in self.features}

    @cached_property
    def readers(self) -> list[tuple[str, Callable[[Cell], float]]]:
        """One function a feature that turns a request's value into the matrix's, raising TypeError if it can't."""
        return [(feature.name, reader(feature)) for feature in self.features]

    @cached_property
    def layout(self) -> list[tuple[str, str, Callable[[Cell], float]]]:
        """Name, what it holds and reader of each feature, in order."""
        return [(f.name, f.holds, read) for f, (_, read) in zip(self.features, self.readers, strict=True)]

    def save(self, path: Path) -> None:
        """Write the signature as JSON."""
        write_atomic(path, msgspec.json.format(msgspec.json.encode(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> "Signature":
        """Read a signature.

        Raises:
            NotFound: There is no such file.
            BadInput: It is no signature.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            raise NotFound("The model's signature is missing.", "Train the run again.", str(path)) from None
        except (msgspec.DecodeError, OSError) as error:
            raise BadInput(f"This is no model signature: {error}.", "Train the run again.", str(path)) from None


def reader(feature: Feature) -> Callable[[Cell], float]:
    """Return the function that reads one request value of a feature; it raises TypeError for a wrong one."""
    codes = {category: float(place) for place, category in enumerate(feature.categories)}

    def category(value: Cell) -> float:
        if type(value) is str:
            return codes.get(value, NAN)
        if value is None:
            return NAN
        raise TypeError

    def number(value: Cell) -> float:
        if type(value) is float:
            if value - value == 0.0:  # false for NaN and infinities, which are not JSON
                return value
        elif type(value) is int:  # exactly: a truth value is an int in Python, not in JSON
            try:
                return float(value)
            except OverflowError:
                raise TypeError from None
        elif value is None:
            return NAN
        raise TypeError

    def truth(value: Cell) -> float:
        if value is True or value is False:
            return float(value)
        if value is None:
            return NAN
        raise TypeError

    return category if feature.kind == "categorical" else truth if feature.logical else number


def class_name(value: Cell) -> str:
    """Return a target value as the text that names its class; 1.0 is the class ``1``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def target_value(value: Cell, signature: Signature) -> float:
    """Return one actual answer from a request as `target_vector` would; 0 and 1 also stand for a two-class target.

    Raises:
        BadInput: It is no answer of this model.
    """
    if signature.task == "regression":
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    elif value is not None:
        name = class_name(value)
        if name in signature.classes:
            return float(signature.classes.index(name))
        if len(signature.classes) == 2 and name in ("0", "1", "false", "true"):
            return float(name in ("1", "true"))
    accepted = " or ".join(signature.classes[:4]) if signature.classes else "a finite number"
    raise BadInput(f"{safe(value, limit=40)!r} is no value of {signature.target}.", f"Send {accepted}.")
