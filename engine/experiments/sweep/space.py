"""The space a sweep searches: one dimension a parameter, which can be narrowed and frozen while it runs. Pure."""

import math
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from lemnis.engine.config import Range
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.parameters import Value, typed
from lemnis.engine.text import safe

RANGE = re.compile(r"(?P<low>[^:,]+?)\.\.(?P<high>[^:,]+?)(?::(?P<log>log))?(?::step=(?P<step>[^:,]+))?")
FIXED = ("seed", "cores", "memory", "device")  # what a sweep does not vary: the same for every trial


class Dimension(Struct, frozen=True, kw_only=True):
    """What one parameter may be: a range of numbers, or choices.

    Attributes:
        integer: Whole numbers only.
        choices: Empty for a range.
        frozen: The one value that new trials have; None while it varies.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    integer: bool = False
    choices: list[bool | int | float | str] = []
    frozen: bool | int | float | str | None = None

    @property
    def words(self) -> str:
        """The dimension for people, as `--space` takes it."""
        if self.frozen is not None:
            return f"= {value_text(self.frozen)}"
        if self.choices:
            return ",".join(value_text(choice) for choice in self.choices)
        log = ":log" if self.log else ""
        step = f":step={bound_text(self.step)}" if self.step is not None else ""
        return f"{bound_text(self.low)}..{bound_text(self.high)}{log}{step}"


Space = Sequence[Dimension]

WITHOUT_TREES = ("linear", "constant")
USUAL = (  # of trees
    Dimension(name="num_leaves", low=7, high=255, log=True, integer=True),
    Dimension(name="learning_rate", low=0.01, high=0.3, log=True),
    Dimension(name="min_data_in_leaf", low=5, high=200, log=True, integer=True),
    Dimension(name="feature_fraction", low=0.4, high=1.0),
    Dimension(name="lambda_l2", low=0.001, high=10.0, log=True),
)


def usual_space(algorithm: str) -> list[Dimension]:
    """Return what is usually varied of an algorithm.

    Raises:
        BadInput: There is nothing usual for it.
    """
    if algorithm in WITHOUT_TREES:
        raise BadInput(f"Nothing is usually varied of {algorithm}.", "Name what varies with --space.", "space")
    return list(USUAL)


def read_space(words: Sequence[str]) -> list[Dimension]:
    """Return dimensions written as ``num_leaves=7..255:log``, ``rate=0.1..0.9:step=0.1`` or ``algorithm=gbdt,dart``.

    Raises:
        BadInput: A word is none, or its range is empty.
    """
    found: list[Dimension] = []
    for word in words:
        name, sign, text = (part.strip() for part in word.partition("="))
        if not (name and sign and text):
            raise BadInput(
                f"{safe(word, limit=60)!r} is no dimension.", "Write num_leaves=7..255:log or algorithm=gbdt,dart."
            )
        found.append(read_dimension(name, text))
    return checked(found)


def read_dimension(name: str, text: str) -> Dimension:
    """Return what is written after the sign of one dimension; see `read_space`."""
    match = RANGE.fullmatch(text)
    if match is None:
        return sound(Dimension(name=name, choices=[typed(part.strip()) for part in text.split(",")]))
    low, high = read_number(name, match["low"]), read_number(name, match["high"])
    step = read_number(name, match["step"]) if match["step"] else None
    return ranged(name, Range(low=low, high=high, log=bool(match["log"]), step=step))


def declared_space(declared: Mapping[str, Range | list[bool | int | float | str]]) -> list[Dimension]:
    """Return the dimensions of a declaration; raises BadInput."""
    return checked(
        [
            ranged(name, what) if isinstance(what, Range) else sound(Dimension(name=name, choices=what))
            for name, what in declared.items()
        ]
    )


def ranged(name: str, declared: Range) -> Dimension:
    """Return the dimension of a range; raises BadInput."""
    parts = (declared.low, declared.high, declared.step)
    return sound(
        Dimension(
            name=name,
            low=float(declared.low),
            high=float(declared.high),
            log=declared.log,
            step=None if declared.step is None else float(declared.step),
            integer=all(isinstance(part, int) or part is None for part in parts),
        )
    )


def sound(dimension: Dimension) -> Dimension:
    """Return the dimension.

    Raises:
        BadInput: Nothing can be drawn from it.
    """
    name, place = dimension.name, f"space {safe(dimension.name, limit=60)}"
    if name in FIXED:
        raise BadInput(f"{name} can't vary within a sweep.", "Set it in the preset, or with --set.", place)
    if dimension.choices:
        if len({(type(choice), choice) for choice in dimension.choices}) < len(dimension.choices):
            raise BadInput(f"{safe(name)} has a choice twice.", "Leave one out.", place)
        return dimension
    low, high, step = dimension.low, dimension.high, dimension.step
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise BadInput(f"{safe(name)} has no value from {low:g} to {high:g}.", "Give the lower bound first.", place)
    if dimension.log and low <= 0:
        raise BadInput(f"{safe(name)} begins at {low:g}, which has no logarithm.", "Begin above 0.", place)
    if step is not None and (step <= 0 or dimension.log):
        raise BadInput(f"{safe(name)} can't go in steps of {step:g}.", "Give a step above 0, without log.", place)
    return dimension


def checked(space: Space) -> list[Dimension]:
    """Return the space; raises BadInput if a parameter stands twice or if there is none."""
    names = [dimension.name for dimension in space]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{safe(twice)} stands in the space twice.", "Leave one out.", "space")
    return list(space)


def dimension_of(space: Space, name: str) -> Dimension:
    """Return one dimension; raises NotFound."""
    for dimension in space:
        if dimension.name == name:
            return dimension
    known = ", ".join(dimension.name for dimension in space)
    raise NotFound(f"{safe(name, limit=60)!r} does not vary in this sweep.", f"These do: {known}.", "space")


def replaced(space: Space, dimension: Dimension) -> list[Dimension]:
    """Return the space with one dimension replaced."""
    return [dimension if one.name == dimension.name else one for one in space]


def narrowed(dimension: Dimension, declared: Dimension, text: str) -> Dimension:
    """Return a dimension with other bounds or fewer choices, written as in `--space`.

    Args:
        dimension: As it is now; it stays logarithmic, and whole numbers stay whole.
        declared: As the sweep began: nothing outside of it can be asked for.
        text: ``20..80``, or ``gbdt,dart``.

    Raises:
        BadInput: The text can't be read, or names what the sweep did not begin with.
    """
    place = f"space {safe(dimension.name)}"
    if declared.choices:
        found = [typed(part.strip()) for part in text.split(",")]
        strange = next((value for value in found if value not in declared.choices), None)
        if strange is not None:
            raise BadInput(f"{value_text(strange)} is none of {declared.words}.", "Name some of these.", place)
        return sound(structs.replace(dimension, choices=found, frozen=None))
    match = RANGE.fullmatch(text.strip())
    if match is None or match["log"] or match["step"]:
        raise BadInput(f"{safe(text, limit=60)!r} is no range.", "Write for example 20..80.", place)
    low, high = (float(read_number(dimension.name, match[end])) for end in ("low", "high"))
    if low < declared.low or high > declared.high:
        raise BadInput(f"The sweep began with {declared.words}.", "Stay inside of it, or begin another sweep.", place)
    if dimension.integer and not (low.is_integer() and high.is_integer()):
        raise BadInput(f"{dimension.name} takes whole numbers.", "Write for example 20..80.", place)
    return sound(structs.replace(dimension, low=low, high=high, frozen=None))


def holds(dimension: Dimension, value: Value) -> bool:
    """Say whether a value lies in a dimension as it is now, on its steps if it has some."""
    if dimension.choices:
        return value in dimension.choices
    if isinstance(value, bool | str) or not dimension.low <= value <= dimension.high:
        return False
    step = dimension.step if dimension.step is not None else 1.0 if dimension.integer else None
    return step is None or math.isclose((steps := (value - dimension.low) / step), round(steps), abs_tol=1e-8)


def read_point(space: Space, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return a point that somebody names; what it leaves open the sampler chooses. It may lie outside the ranges.

    Raises:
        NotFound: A parameter does not vary.
        BadInput: A value is of the wrong kind.
    """
    found: dict[str, Value] = {}
    for name, value in given.items():
        dimension = dimension_of(space, name)
        place = f"{name}={value_text(value)}"
        if dimension.choices and value not in dimension.choices:
            raise BadInput(f"{name} has no choice {value_text(value)}.", f"Choices: {dimension.words}.", place)
        if not dimension.choices:
            if isinstance(value, bool | str) or (dimension.integer and not float(value).is_integer()):
                kind = "a whole number" if dimension.integer else "a number"
                raise BadInput(f"{name} takes {kind}, not {value_text(value)}.", "Give one.", place)
            value = int(value) if dimension.integer else float(value)
        found[name] = value
    return found


def share_of(dimension: Dimension, value: Value) -> float | None:
    """Return where a value lies between the ends of a dimension, 0 to 1; None if it is no value of it."""
    if dimension.choices:
        place = dimension.choices.index(value) if value in dimension.choices else None
        return None if place is None else place / max(1, len(dimension.choices) - 1)
    if isinstance(value, bool | str):
        return None
    low, high, at = dimension.low, dimension.high, float(value)
    if dimension.log:
        if at <= 0:
            return 0.0
        low, high, at = math.log(low), math.log(high), math.log(at)
    return 0.5 if low == high else min(1.0, max(0.0, (at - low) / (high - low)))


def read_number(name: str, text: str) -> int | float:
    """Return a bound; raises BadInput."""
    value = typed(text.strip())
    if isinstance(value, bool | str):
        raise BadInput(f"{safe(text, limit=60)!r} is no number.", "Write for example 7..255.", f"space {safe(name)}")
    return value


def value_text(value: Value) -> str:
    """Return a value for people and for `--set`: four significant digits of a number that was drawn."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else safe(value, limit=60)


def bound_text(value: float) -> str:
    """Return a bound as it was written."""
    return f"{value:.12g}"
