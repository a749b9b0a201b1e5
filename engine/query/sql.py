"""One term of a query as SQL: comparisons that are true or false, never unknown, with every value bound."""

import re

from lemnis.engine.pattern import pattern_fault
from lemnis.engine.query.fields import Bound, Column, Condition, Fields, Kind, Name, Pairs, wrong
from lemnis.engine.query.tokens import LENGTH, MILLISECONDS, Token, date_ms, number_in
from lemnis.engine.text import safe


def joined(word: str, parts: list[Condition]) -> Condition:
    """Return several conditions as one, in brackets."""
    if len(parts) == 1:
        return parts[0]
    return Condition(f"({word.join(part.sql for part in parts)})", tuple(v for part in parts for v in part.values))


def contains(sql: str, text: str) -> Condition:
    """Return that a text stands somewhere in another; ASCII letters are the same in both cases."""
    return Condition(f"coalesce(instr(lower({sql}), lower(?)) > 0, 0)", (text,))


def owned(family: Pairs, fields: Fields, condition: str, values: tuple[Bound, ...]) -> Condition:
    """Return that a row has a pair for which a condition over `p` holds."""
    # The plus keeps SQLite from searching the key by several lists at once, which it does list by list: quadratic.
    return Condition(f"+{fields.id} in (select p.{family.owner} from {family.table} p where {condition})", values)


def has(name: Name, fields: Fields) -> Condition:
    """Return that a row has a value for a field; an empty text is none."""
    if isinstance(name.column, Column):
        return Condition(f"coalesce(({name.column.sql}) != '', 0)")
    return owned(name.column, fields, "p.key = ? and p.value is not null", (name.key,))


def like(name: Name, operator: str, value: Token, fields: Fields) -> Condition:
    """Return MLflow's `like` (case matters) and `ilike` (it does not); % stands for any text, _ for one character."""
    escaped = re.sub(r"[\[*?]", lambda match: f"[{match.group()}]", value.text)
    pattern = escaped.translate({ord("%"): "*", ord("_"): "?"})
    test = "{0} glob ?" if operator == "like" else "lower({0}) glob lower(?)"
    if isinstance(name.column, Column):
        return Condition(f"coalesce({test.format(f'({name.column.sql})')}, 0)", (pattern,))
    if name.column.numeric:
        raise wrong("A number can't be compared with like.", "Compare it with = or >.", value.at)
    return owned(name.column, fields, f"p.key = ? and {test.format('p.value')}", (name.key, pattern))


def compare(name: Name, operator: str, values: list[Token], fields: Fields, *, now_ms: int) -> Condition:
    """Return a comparison of a field with one value, or with several for `in`."""
    marks = f"({', '.join('?' * len(values))})" if operator.endswith("in") else "?"
    if operator in ("~", "!~"):
        return regular(name, operator, values[0], fields)
    column = name.column
    if isinstance(column, Pairs) and not column.numeric:
        return mixed(name, column, operator, values, fields)
    kind = column.kind if isinstance(column, Column) else "number"
    bound = tuple(literal(value, kind, column) for value in values)
    if isinstance(column, Pairs):
        return owned(column, fields, f"p.key = ? and p.value {operator} {marks}", (name.key, *bound))
    if kind == "age":
        return Condition(f"coalesce((? - ({column.sql})) {operator} {marks}, 0)", (now_ms, *bound))
    return Condition(f"coalesce(({column.sql}) {operator} {marks}, 0)", bound)


def mixed(name: Name, family: Pairs, operator: str, values: list[Token], fields: Fields) -> Condition:
    """Compare as numbers what is a number on both sides, and as texts everything else."""
    numbers = [number for value in values if (number := number_in(value.text)) is not None]
    texts = [value.text for value in values if number_in(value.text) is None]
    if operator in ("in", "not in"):
        chosen = f"(p.number in ({', '.join('?' * len(numbers))}) or p.value in ({', '.join('?' * len(texts))}))"
        # `null in (…)` is null; a text parameter is in no list of numbers.
        test = f"coalesce({chosen}, 0)" if operator == "in" else f"not coalesce({chosen}, 0)"
        return owned(family, fields, f"p.key = ? and {test}", (name.key, *numbers, *texts))
    if numbers:
        other = " or p.number is null" if operator == "!=" else ""
        return owned(family, fields, f"p.key = ? and (p.number {operator} ?{other})", (name.key, *numbers))
    return owned(family, fields, f"p.key = ? and p.value {operator} ?", (name.key, *texts))


def regular(name: Name, operator: str, value: Token, fields: Fields) -> Condition:
    """Return that a regular expression is, or is not, found in a field that has a value."""
    fault = pattern_fault(value.text)
    if fault:
        raise wrong(f"This is no regular expression: {safe(fault)}.", "Mend it, or quote it.", value.at)
    no = "not " if operator == "!~" else ""
    if isinstance(name.column, Column):
        return Condition(f"coalesce(({name.column.sql}) {no}regexp ?, 0)", (value.text,))
    return owned(name.column, fields, f"p.key = ? and coalesce(p.value {no}regexp ?, 0)", (name.key, value.text))


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
