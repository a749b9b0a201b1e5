"""The query language of every list: text → a tree → parameterised SQL over a description of fields. Pure.

    metrics.auc > 0.8 and params.learning_rate = 0.1 or tag:baseline
    not state in (failed, lost) and age < 3d and name ~ "^late"
    metrics.auc > champion.auc + 0.002

`and` may be left out, `or` may be written `|`, `not` as `!` or `-`. A word alone is looked for in the name. MLflow's
search strings parse unchanged. A comparison with something a row does not have is false, so `not` is a true opposite.
"""

import re

from lemnis.engine.query.fields import Column, Completion, Condition, Fields, Pairs, QueryError, resolve, wrong
from lemnis.engine.query.reader import Reader
from lemnis.engine.query.relative import Reference
from lemnis.engine.query.tree import EVERYTHING, Node, condition

__all__ = [
    "Column",
    "Completion",
    "Condition",
    "Fields",
    "Node",
    "Pairs",
    "QueryError",
    "Reference",
    "check_query",
    "compile_order",
    "compile_query",
    "parse_query",
]

LONGEST = 4000  # characters


def compile_query(text: str, fields: Fields, *, now_ms: int) -> Condition:
    """Return the SQL condition of a query; an empty query is true. See `parse_query`."""
    return condition(parse_query(text, fields, now_ms=now_ms), fields.id)


def check_query(text: str, fields: Fields) -> None:
    """Check how a query is written, asking no store; raises QueryError."""
    parse_query(text, fields, now_ms=0)


def parse_query(text: str, fields: Fields, *, now_ms: int, ask: Reference | None = None) -> Node:
    """Return the tree of a query; an empty query holds for everything.

    Args:
        text: What a person typed.
        fields: What can be asked.
        now_ms: The time that ages are counted from.
        ask: Answers what the champion or the baseline has; None only checks how that is written.

    Raises:
        QueryError: It can't be read; `column` says where, the problem what was expected.
    """
    if len(text) > LONGEST:
        raise wrong(f"The query has {len(text):,} characters; {LONGEST:,} are allowed.", "Ask for less.", LONGEST)
    surrogate = re.search(r"[\ud800-\udfff]", text)
    if surrogate:
        raise wrong("This character is not text.", "Take it away.", surrogate.start())
    reader = Reader(text, fields, now_ms, ask)
    if reader.here.kind == "end":
        return EVERYTHING
    found = reader.either(0)
    if reader.here.kind != "end":
        raise reader.expected("and, or, or the end")
    return found


def compile_order(key: str, fields: Fields, *, descending: bool) -> Condition:
    """Return an `order by` list for one field, rows without it last whichever the direction.

    Raises:
        QueryError: There is no such field.
    """
    name = resolve(key, fields, 0)
    way = "desc" if descending else "asc"
    if isinstance(name.column, Column):
        sql, turned = name.column.sql, name.column.kind == "age"
        return Condition(f"({sql}) is null, ({sql}) {('asc' if descending else 'desc') if turned else way}")
    family = name.column
    one = f"(select p.{{}} from {family.table} p where p.{family.owner} = {fields.id} and p.key = ?)"
    if family.numeric:
        return Condition(f"{one.format('value')} {way} nulls last", (name.key,))
    # Numbers before texts, then each by itself.
    number, value = one.format("number"), one.format("value")
    return Condition(f"{number} {way} nulls last, {value} {way} nulls last", (name.key, name.key))
