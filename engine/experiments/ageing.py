"""Older rows that count less: the weight of a training row halves for every half-life of its age."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lemnis.engine.config import parse_age
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HALF_LIFE = "half_life"  # a parameter of ours: a run's condition, such as ``30d``


def half_life_ms(params: Mapping[str, object]) -> int | None:
    """Return after what age a training row counts half, in milliseconds; None where all count the same.

    Raises:
        BadInput: It is no length of time.
    """
    written = params.get(HALF_LIFE)
    if written is None:
        return None
    try:
        found = parse_age(str(written))
    except ValueError as error:
        raise BadInput(f"{HALF_LIFE}: {error}.", "Write for example 30d or 12h.", f"parameter {HALF_LIFE}") from None
    if found <= 0:
        raise BadInput(f"{HALF_LIFE} is {written}.", "Write for example 30d or 12h.", f"parameter {HALF_LIFE}")
    return found


def decayed(times: "NDArray[np.int64]", half_life: int) -> "NDArray[np.float64]":
    """Return the weight of each row, 1 for the newest and half of that for every half-life before it.

    Args:
        times: Of the rows, epoch ms, shape (n,).
        half_life: In milliseconds.

    Returns:
        Weights in (0, 1], shape (n,); the oldest are held above 1e-12, so that none counts as absent.
    """
    import numpy as np  # a name of this file is asked for wherever runs are listed: without NumPy

    if not times.size:
        return np.zeros(0)
    return np.maximum(np.exp2((times - times.max()) / half_life), 1e-12)
