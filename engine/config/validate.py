"""What lemnis.toml declares of Validate: the rules that the data must keep, and the code lists they refer to."""

import re
from typing import Literal, TypeAlias

from msgspec import Struct, field

from lemnis.engine.config.types import Count, Declared, Name

CheckKind: TypeAlias = Literal[
    "row_count", "not_null", "unique", "code_list", "reference", "range", "regex", "condition", "freshness", "sql"
]
DAY_MS = 86_400_000
UNITS_MS = {"min": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}


class Check(Declared, frozen=True):
    """One validation rule over the dataset or one of its sources.

    Attributes:
        codes: For code_list: the name of a [code_lists.NAME], instead of `values`.
        min, max: Bounds of a range or a row count; an ISO date for a column of times.
        learned: For row_count: bounds from the earlier versions instead of min and max.
        pattern: For regex: what the whole value must match (RE2).
        condition: For condition: a SQL expression over the columns that must be true where it is not null.
        max_age: For freshness: such as ``36h`` or ``2d``; of `column`, or without one of the source's last sync.
        query: For sql: lists the failing rows.
        severity, allow: `allow` failing rows are still fine; more of them fail or warn.
        warn_if, error_if: Instead of severity and allow, such as ``> 100`` or ``> 1%``.
    """

    name: Name
    kind: CheckKind
    source: str = ""
    column: str = ""
    columns: list[str] = field(default_factory=list[str])
    values: list[str] = field(default_factory=list[str])
    codes: str = ""
    reference: str = ""
    min: float | str | None = None
    max: float | str | None = None
    learned: bool = False
    pattern: str = ""
    condition: str = ""
    max_age: str = ""
    query: str = ""
    severity: Literal["warn", "fail"] = "fail"
    allow: Count = 0
    warn_if: str = ""
    error_if: str = ""
    owner: str = ""
    why: str = ""


class Code(Declared, frozen=True):
    """One code of a list: valid from `start` until before `end` (ISO dates; empty: always)."""

    code: str
    start: str = ""
    end: str = ""
    replacement: str = ""
    meaning: str = ""


class CodeList(Declared, frozen=True):
    """The codes that a column may hold.

    Attributes:
        codes: The codes, each a text or a table with the days it is valid from and to, and what replaces it.
        synonyms: What else is accepted, and the code it stands for.
        reference: SOURCE.COLUMN whose values are codes too.
    """

    codes: list[str | Code] = field(default_factory=list[str | Code])
    synonyms: dict[str, str] = field(default_factory=dict[str, str])
    reference: str = ""
    owner: str = ""
    why: str = ""

    @property
    def entries(self) -> list[Code]:
        """The codes, each as a record."""
        return [Code(code=code) if isinstance(code, str) else code for code in self.codes]


class Threshold(Struct, frozen=True, kw_only=True):
    """A bound on failing rows: a count, or a share of the rows a check speaks of in [0, 1]."""

    above: float
    share: bool = False
    inclusive: bool = False

    def broken_by(self, failing: int, total: int) -> bool:
        """Say whether this many failing rows are beyond it; of no rows at all every share is 0."""
        value = (failing / total if total else 0.0) if self.share else float(failing)
        return value >= self.above if self.inclusive else value > self.above

    @property
    def text(self) -> str:
        """``above 1%`` or ``from 100 on``."""
        value = f"{self.above * 100:g}%" if self.share else f"{self.above:,.0f}"
        return f"from {value} on" if self.inclusive else f"above {value}"


def parse_threshold(text: str) -> Threshold:
    """Return a threshold such as ``> 100``, ``>= 5`` or ``> 1%``.

    Raises:
        ValueError: The text is none.
    """
    match = re.fullmatch(r"\s*(>=?)\s*(\d[\d_]*(?:\.\d+)?)\s*(%?)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no threshold such as > 100 or > 1%")
    sign, digits, percent = match.groups()
    value = float(digits.replace("_", ""))
    if percent and value > 100:
        raise ValueError(f"{text!r} is more than all rows")
    return Threshold(above=value / 100 if percent else value, share=bool(percent), inclusive=sign == ">=")


def parse_age(text: str) -> int:
    """Return an age such as ``90min``, ``36h``, ``2d`` or ``1w`` in milliseconds.

    Raises:
        ValueError: The text is none.
    """
    match = re.fullmatch(r"\s*(\d{1,6}(?:\.\d+)?)\s*(min|h|d|w)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no age such as 36h or 2d")
    return round(float(match.group(1)) * UNITS_MS[match.group(2)])
