"""A query as a tree of what must hold, and its SQL: asked of each row, or of sets of rows that indexes give. Pure."""

from typing import Literal, NamedTuple, TypeAlias

from lemnis.engine.query.fields import Bound, Condition, Pairs


class Term(NamedTuple):
    """One condition: on the row itself, or on one pair `p` that the row must have.

    Attributes:
        sql: Over the row; over `p` if there is a family. Null is false.
        values: Of its question marks, in order.
        family: The table of pairs.
        key: Which pair; empty where the condition looks at several, so that a row may have more than one.
    """

    sql: str
    values: tuple[Bound, ...] = ()
    family: Pairs | None = None
    key: str = ""


class Group(NamedTuple):
    """Several conditions that hold together, or of which one must."""

    word: Literal["and", "or"]
    parts: "tuple[Node, ...]"


class Negation(NamedTuple):
    """What must not hold."""

    part: "Node"


Node: TypeAlias = Term | Group | Negation
EVERYTHING = Group("and", ())


def group(word: Literal["and", "or"], parts: "list[Node]") -> Node:
    """Return several conditions as one."""
    return parts[0] if len(parts) == 1 else Group(word, tuple(parts))


def conjuncts(node: Node) -> list[Node]:
    """Return the conditions that must all hold."""
    if isinstance(node, Group) and node.word == "and":
        return [each for part in node.parts for each in conjuncts(part)]
    return [node]


def condition(node: Node, row: str, *, each_row: bool = False) -> Condition:
    """Return a tree as SQL that is true or not; where a row lacks what is asked for, it may be null.

    Args:
        node: What is asked.
        row: SQL of the row's key.
        each_row: Look the pairs of each row up, which is right where few rows are looked at; otherwise every term's
            rows are gathered once from its index.
    """
    if isinstance(node, Group):
        if not node.parts:
            return Condition("1")
        parts = [condition(part, row, each_row=each_row) for part in node.parts]
        values = tuple(value for part in parts for value in part.values)
        return Condition(f"({f' {node.word} '.join(part.sql for part in parts)})", values)
    if isinstance(node, Negation):
        part = condition(node.part, row, each_row=each_row)
        return Condition(f"not coalesce({part.sql}, 0)", part.values)
    if node.family is None:
        return Condition(f"({node.sql})", node.values)
    table, owner = node.family.table, node.family.owner
    if each_row:
        return Condition(f"exists (select 1 from {table} p where p.{owner} = {row} and {node.sql})", node.values)
    # The plus keeps SQLite from searching the key by several lists at once, which it does list by list: quadratic.
    return Condition(f"+{row} in (select p.{owner} from {table} p where {node.sql})", node.values)
