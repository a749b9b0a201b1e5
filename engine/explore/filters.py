"""Filters of rows as data: what a column's value must be, in words, and as SQL with every value bound. Pure."""

from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from lemnis.engine.text import safe

Value: TypeAlias = bool | int | float | str | None
Op: TypeAlias = Literal["in", "not in", "!=", "<", "<=", ">", ">=", "within", "contains", "starts"]

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
FRACTIONS = ("FLOAT", "DOUBLE")
NUMBERS = (*INTEGERS, *(f"U{name}" for name in INTEGERS), *FRACTIONS, "DECIMAL")
TIMES = ("DATE", "TIMESTAMP")
WORDS = {"!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥", "contains": "contains", "starts": "starts with"}
VALUE_CHARACTERS = 40  # of one value in the words of a filter
LISTED = 4  # values in the words of a filter


class Filter(Struct, frozen=True, kw_only=True):
    """One condition on one column.

    Attributes:
        column: The column's name.
        op: ``in`` and its opposite ``not in`` take any values, None for missing ones; ``!=`` and the comparisons take
            one and are false for missing ones, as in SQL; ``within`` takes pairs of a low end that belongs to it and
            a high end that does not, None for an open end, two None for missing ones; ``contains`` and ``starts``
            take a text, whose case does not matter.
        values: Numbers and truth values as they are; times, decimals and everything else as text.
    """

    column: str
    op: Op
    values: tuple[Value, ...]

    @property
    def words(self) -> str:
        """The filter as a person reads it, such as ``carrier is not UA``."""
        name = safe(self.column, limit=VALUE_CHARACTERS)
        if self.op in ("in", "not in"):
            no = "" if self.op == "in" else "not "
            if len(self.values) == 1:
                sign = "=" if self.op == "in" and self.values[0] is not None else f"is {no}".strip()
                return f"{name} {sign} {said(self.values[0])}"
            more = f", {len(self.values) - LISTED} more" if len(self.values) > LISTED else ""
            return f"{name} {no}in ({', '.join(map(said, self.values[:LISTED]))}{more})"
        if self.op == "within":
            return " or ".join(span_words(name, low, high) for low, high in pairs(self.values))
        return f"{name} {WORDS[self.op]} {said(self.values[0])}"


class Asked(Struct, frozen=True, kw_only=True):
    """Which rows of a version, and in which order.

    Attributes:
        filters: Conditions that all must hold.
        where: A SQL condition that a person typed, which must hold too; empty for none.
        order: A column to sort by, missing values last; empty for the rows' own order.
    """

    filters: tuple[Filter, ...] = ()
    where: str = ""
    order: str = ""
    descending: bool = False

    @property
    def parts(self) -> list[str]:
        """Each condition as a person reads it; none for all rows."""
        return [*(one.words for one in self.filters), *([safe(self.where)] if self.where else [])]

    @property
    def words(self) -> str:
        """The conditions in one line; empty for all rows."""
        return " · ".join(self.parts)


ALL_ROWS = Asked()


class Condition(NamedTuple):
    """A piece of SQL, and the values of its question marks in order."""

    sql: str
    values: tuple[Value, ...] = ()


def said(value: Value) -> str:
    """Return one value as a person reads it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe(f"{value:.15g}" if isinstance(value, float) else value, limit=VALUE_CHARACTERS) or "''"


def span_words(name: str, low: Value, high: Value) -> str:
    """Return one span of `within` as a person reads it."""
    if low is None and high is None:
        return f"{name} is missing"
    below = "" if high is None else f" < {said(high)}"
    return f"{name}{below}" if low is None else f"{said(low)} ≤ {name}{below}"


def pairs(values: tuple[Value, ...]) -> list[tuple[Value, Value]]:
    """Return the values two by two."""
    return list(zip(values[::2], values[1::2], strict=True))


def plain_type(kind: str) -> bool:
    """Say whether values of this DuckDB type are compared as what they are; others are compared by their text."""
    return kind.startswith((*NUMBERS, *TIMES, "BOOLEAN", "VARCHAR", "TIME")) and not kind.endswith("]")


def value_sql(column: str, kind: str) -> str:
    """Return the SQL of a column's value: NaN is a missing one, and what has no plain type is its text.

    Args:
        column: The column as SQL.
        kind: Its DuckDB type.
    """
    if not plain_type(kind):
        return f"cast({column} as varchar)"
    return f"nullif({column}, 'nan'::{kind})" if kind in FRACTIONS else column


def order_sql(column: str, kind: str) -> str:
    """Return the SQL of what rows are sorted by; DuckDB would put NaN before the missing values."""
    return value_sql(column, kind) if kind in FRACTIONS else column


def condition(one: Filter, column: str, kind: str) -> Condition:
    """Return a filter as SQL that is true or false, never null.

    Args:
        one: The filter.
        column: Its column as SQL.
        kind: The DuckDB type of the column.
    """
    column = column if plain_type(kind) else f"cast({column} as varchar)"
    missing = f"({column} is null or isnan({column}))" if kind in FRACTIONS else f"{column} is null"
    if one.op in ("contains", "starts"):
        call = "contains" if one.op == "contains" else "starts_with"
        text = f"lower(cast({column} as varchar))"
        return Condition(f"coalesce({call}({text}, lower(?)), false)", (str(one.values[0]),))
    if one.op in ("in", "not in"):
        found = in_list(one, column, missing, kind)
        return found if one.op == "in" else Condition(f"not {found.sql}", found.values)
    if one.op == "within":
        spans = [span(column, missing, kind, low, high) for low, high in pairs(one.values)]
        sql = " or ".join(part.sql for part in spans) or "false"
        return Condition(f"({sql})", tuple(value for part in spans for value in part.values))
    return Condition(
        f"{known(column, missing, kind)}{column} {one.op} {bound(one.values[0], kind, same=one.op == '!=')})",
        one.values,
    )


def in_list(one: Filter, column: str, missing: str, kind: str) -> Condition:
    """Return `in` as SQL."""
    values = tuple(value for value in one.values if value is not None)
    parts = [missing] if len(values) < len(one.values) else []
    if values:
        listed = ", ".join(bound(value, kind, same=True) for value in values)
        parts.append(f"coalesce({column} in ({listed}), false)")
    return Condition(f"({' or '.join(parts) or 'false'})", values)


def span(column: str, missing: str, kind: str, low: Value, high: Value) -> Condition:
    """Return one span of `within` as SQL."""
    if low is None and high is None:
        return Condition(missing)
    ends = [(sign, value) for sign, value in ((">=", low), ("<", high)) if value is not None]
    tests = " and ".join(f"{column} {sign} {bound(value, kind)}" for sign, value in ends)
    return Condition(f"{known(column, missing, kind)}{tests})", tuple(value for _, value in ends))


def known(column: str, missing: str, kind: str) -> str:
    """Return the start of a comparison that is false for missing values; DuckDB holds NaN for the largest number."""
    return f"({column} is not null and not isnan({column}) and " if kind in FRACTIONS else f"({column} is not null and "


def bound(value: Value, kind: str, *, same: bool = False) -> str:
    """Return the question mark of a value, as the type it is compared as; `same` is for being equal.

    0.1 as it is written equals the 0.1 of a column of FLOAT, which is another number.
    """
    if not plain_type(kind):
        return "cast(? as varchar)"
    return f"cast(? as {kind})" if isinstance(value, str) or (same and kind == "FLOAT") else "?"
