"""How a check is said: bounds, lists of names and codes, numbers. Pure."""

from lemnis.engine.config import Check
from lemnis.engine.validate.records import DATASET

Bound = float | str | None


def declared_text(check: Check) -> str:
    """Return what a check is about, for one that can't be compiled."""
    names = check.columns or [check.column or check.source or DATASET]
    return f"{check.kind.replace('_', ' ')} of {listed(names)}"


def bounds_text(low: Bound, high: Bound) -> str:
    """Return a lower and an upper bound in words; a date stays as it is."""
    return bounded(low, high, ("{} to {}", "{} or more", "{} or less"))


def bounded(low: Bound, high: Bound, forms: tuple[str, str, str], *before: str) -> str:
    """Return bounds in the form of what has both, a lower or an upper one; `before` fills the form's first places."""
    ends = [plain_number(end) if isinstance(end, int | float) else end for end in (low, high) if end is not None]
    form = forms[0] if len(ends) > 1 else forms[1] if low is not None else forms[2]
    return form.format(*before, *ends)


def plain_number(value: float) -> str:
    """Return a number with thousands separators and no needless fraction."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,g}"


def is_number(text: str) -> bool:
    """Say whether a text is a finite number as SQL writes it."""
    try:
        return abs(float(text)) < float("inf") and "_" not in text
    except ValueError:
        return False


def listed(names: list[str], word: str = "and") -> str:
    """Return names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def shortened(values: list[str], most: int = 6) -> str:
    """Return a code list in words, a long one cut."""
    return ", ".join(values[:most]) + (f" … ({len(values)} codes)" if len(values) > most else "")


def age_text(ms: float) -> str:
    """Return a length of time in the largest unit that fits: ``36 h``, ``12 d``."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min")):
        if ms >= 2 * size:
            return f"{ms / size:,.0f} {unit}"
    return f"{ms / 1000:,.0f} s"
