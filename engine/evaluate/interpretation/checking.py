"""A failure type as a check over the data: it warns when rows of that kind become clearly more common than they are."""

import math
import re

from lemnis.engine.config import Check
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.interpretation.records import Condition, FailureType

ROOM = 1.5  # times as common as now is clearly more
LONGEST_NAME = 56


def check_of(found: FailureType, run_id: int, taken: set[str]) -> Check:
    """Return the check of a failure type: a condition that no row of the kind meets, with what is usual allowed.

    Args:
        found: The type.
        run_id: Whose errors these are.
        taken: Names of checks that there are already.

    Raises:
        BadInput: Its rows have nothing in common that a query could say.
    """
    if not found.conditions:
        raise BadInput("The rows of this failure type have no value in common.", "Label some of them instead.")
    words = "_".join(re.sub(r"[^A-Za-z0-9]+", "_", one.feature).strip("_") for one in found.conditions)
    base = f"failing_{words}"[:LONGEST_NAME].rstrip("_")
    name = next(name for name in (base, *(f"{base}_{n}" for n in range(2, 1000))) if name not in taken)
    usual = max(1, math.ceil(100 * found.fits * ROOM))
    if usual >= 100:
        raise BadInput("Most rows are of this kind: a check could not tell when there are more.", "Label some instead.")
    kind = " and ".join(sql_of(one) for one in found.conditions)
    return Check(
        name=name,
        kind="condition",
        condition=f"not coalesce({kind}, false)",
        warn_if=f"> {usual}%",
        why=f"Run {run_id} fails here ({found.kind}): {found.share:.0%} of its errors. {found.fits:.1%} of held-out "
        f"rows are of this kind, {found.fits_wrong:.0%} of them answered wrong.",
    )


def sql_of(one: Condition) -> str:
    """Return a condition as a SQL expression."""
    column = quote(one.feature)
    if one.missing:
        return f"{column} is null"
    if one.categories:
        return f"{column} in ({', '.join(literal(name) for name in one.categories)})"
    return f"{column} between {one.low:.9g} and {one.high:.9g}"
