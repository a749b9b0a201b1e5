"""One term of a query as SQL: comparisons with every value bound; what a row lacks compares as false or null."""

import re

from lemnis.engine.pattern import pattern_fault
from lemnis.engine.query.fields import Bound, Column, Kind, Name, Pairs, wrong
from lemnis.engine.query.tokens import LENGTH, MILLISECONDS, Token, date_ms, number_in
from lemnis.engine.query.tree import Term
from lemnis.engine.text import safe


def contains(sql: str, text: str) -> Term:
    """Return that a text stands somewhere in another; ASCII letters are the same in both cases."""
    return Term(f"instr(lower({sql}), lower(?)) > 0", (text,))


def has(name: Name) -> Term:
    """Return that a row has a value for a field; an empty text is none."""
    if isinstance(name.column, Column):
        return Term(f"({name.column.sql}) != ''")
    return Term("p.key = ? and p.value is not null", (name.key,), name.column, name.key)


def like(name: Name, operator: str, value: Token) -> Term:
    """Return MLflow's `like` (case matters) and `ilike` (it does not); % stands for any text, _ for one character."""
    escaped = re.sub(r"[\[*?]", lambda match: f"[{match.group()}]", value.text)
    pattern = escaped.translate({ord("%"): "*", ord("_"): "?"})
    test = "{0} glob ?" if operator == "like" else "lower({0}) glob lower(?)"
    if isinstance(name.column, Column):
        return Term(test.format(f"({name.column.sql})"), (pattern,))
    if name.column.numeric:
        raise wrong("A number can't be compared with like.", "Compare it with = or >.", value.at)
    text = "p.number is null and " if pattern[:1].isalpha() else ""  # as `mixed` says it; no number begins so
    return Term(f"p.key = ? and {text}{test.format('p.value')}", (name.key, pattern), name.column, name.key)


def compare(name: Name, operator: str, values: list[Token], *, now_ms: int) -> Term:
    """Return a comparison of a field with one value, or with several for `in`."""
    marks = f"({', '.join('?' * len(values))})" if operator.endswith("in") else "?"
    if operator in ("~", "!~"):
        return regular(name, operator, values[0])
    column = name.column
    if isinstance(column, Pairs) and not column.numeric:
        return mixed(name, column, operator, values)
    kind = column.kind if isinstance(column, Column) else "number"
    bound = tuple(literal(value, kind, column) for value in values)
    if isinstance(column, Pairs):
        return Term(f"p.key = ? and p.value {operator} {marks}", (name.key, *bound), column, name.key)
    if kind == "age":
        return Term(f"(? - ({column.sql})) {operator} {marks}", (now_ms, *bound))
    return Term(f"({column.sql}) {operator} {marks}", bound)


def mixed(name: Name, family: Pairs, operator: str, values: list[Token]) -> Term:
    """Compare as numbers what is a number on both sides, and as texts everything else."""
    numbers = [number for value in values if (number := number_in(value.text)) is not None]
    texts = [value.text for value in values if number_in(value.text) is None]
    if operator in ("in", "not in"):
        listed = (("p.number", numbers), ("p.number is null and p.value", texts))
        chosen = " or ".join(f"{part} in ({', '.join('?' * len(given))})" for part, given in listed if given)
        # `null in (…)` is null; a text parameter is in no list of numbers.
        test = f"({chosen})" if operator == "in" else f"not coalesce({chosen}, 0)"
        return Term(f"p.key = ? and {test}", (name.key, *numbers, *texts), family, name.key)
    if numbers:
        test = "(p.number != ? or p.number is null)" if operator == "!=" else f"p.number {operator} ?"
        return Term(f"p.key = ? and {test}", (name.key, *numbers), family, name.key)
    lacking = "p.number is null and " if operator == "=" else ""  # as a text is, and as the index has it
    return Term(f"p.key = ? and {lacking}p.value {operator} ?", (name.key, *texts), family, name.key)


def regular(name: Name, operator: str, value: Token) -> Term:
    """Return that a regular expression is, or is not, found in a field that has a value."""
    fault = pattern_fault(value.text)
    if fault:
        raise wrong(f"This is no regular expression: {safe(fault)}.", "Mend it, or quote it.", value.at)
    no = "not " if operator == "!~" else ""
    if isinstance(name.column, Column):
        return Term(f"({name.column.sql}) {no}regexp ?", (value.text,))
    return Term(f"p.key = ? and p.value {no}regexp ?", (name.key, value.text), name.column, name.key)


def literal(value: Token, kind: Kind, column: Column | Pairs) -> Bound:
    """Return a written value as what its column holds."""
    text = value.text
    if kind == "text":
        if isinstance(column, Column) and (column.words or column.folded):
            return column.words.get(text.lower(), text.lower() if column.folded else text)
        return text
    number = number_in(text)
    if kind == "number":
        if number is None:
            raise wrong(f"Expected a number, found {safe(text, limit=40)!r}.", "Write for example 0.8.", value.at)
        return number
    if kind == "time":
        moment = number if number is not None and number >= 1e5 else date_ms(text)
        if moment is None:
            raise wrong(f"Expected a date, found {safe(text, limit=40)!r}.", "Write for example 2026-01-31.", value.at)
        return moment
    length = LENGTH.fullmatch(text.lower())
    if length:
        return float(length.group(1)) * MILLISECONDS[length.group(2)]
    if kind == "duration" and number is not None:
        return number * 1000
    raise wrong(f"Expected a length of time, found {safe(text, limit=40)!r}.", "Write for example 3d or 90s.", value.at)
