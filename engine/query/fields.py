"""What a query can ask: fields as SQL expressions or key-value tables, and the errors that point into the text."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

Kind: TypeAlias = Literal["text", "number", "time", "age", "duration"]
Bound: TypeAlias = str | float | int


class QueryError(BadInput):
    """A query that can't be read; `column` is where, counted from 1."""

    code = "bad_query"

    def __init__(self, problem: str, remedy: str, place: str) -> None:
        super().__init__(problem, remedy, place)
        self.column = int(place.removeprefix("column "))


class Column(Struct, frozen=True):
    """A field that is an SQL expression over the listed table.

    Attributes:
        sql: Trusted SQL; ours, never from a person.
        kind: What it holds: `time` in epoch ms, `age` the time since one, `duration` in milliseconds.
        words: Other words for its values, in lower case (MLflow's FAILED and ours).
        folded: Its values are lower case, and compared so.
    """

    sql: str
    kind: Kind = "text"
    words: Mapping[str, str] = {}
    folded: bool = False


class Pairs(Struct, frozen=True):
    """A family of fields in a table of its own with `key`, `value` and, unless `numeric`, `number` (null for text)."""

    table: str
    owner: str
    numeric: bool = False


class Fields(Struct, frozen=True):
    """What can be asked of one kind of row.

    Attributes:
        id: SQL of the row's key, which `Pairs.owner` names.
        columns: Fields by name.
        bare: SQL of the text in which a word alone is looked for.
        pairs: Families by their prefix.
        aliases: Other spellings of either; an empty one is a prefix that means nothing.
    """

    id: str
    columns: Mapping[str, Column]
    bare: str
    pairs: Mapping[str, Pairs] = {}
    aliases: Mapping[str, str] = {}

    def known(self) -> str:
        return ", ".join([*self.columns, *(f"{family}.NAME" for family in self.pairs)])


class Completion(NamedTuple):
    """What may replace the text from `start` up to the cursor; the likeliest first."""

    start: int
    options: list[str]


class Condition(NamedTuple):
    """A piece of SQL, and the values of its question marks in order."""

    sql: str
    values: tuple[Bound, ...] = ()


class Name(NamedTuple):
    """A field as it was written: a family's key, or a column with an empty key."""

    column: Column | Pairs
    key: str
    at: int


def wrong(problem: str, remedy: str, at: int) -> QueryError:
    """Return the error for what stands `at` this many characters into the query."""
    return QueryError(problem, remedy, f"column {at + 1}")


def resolve(written: str, fields: Fields, at: int, key: str | None = None) -> Name:
    """Return the field of a dotted name; `key` is a family's key that was quoted apart."""
    head, dot, rest = written.partition(".")
    if dot and fields.aliases.get(head.lower()) == "":
        return resolve(rest, fields, at, key)
    family = fields.pairs.get(fields.aliases.get(head.lower(), head.lower()))
    if family and (key or rest):
        return Name(family, key if key is not None else rest, at)
    name = fields.aliases.get(written.lower(), written.lower())
    if key is None and name in fields.columns:
        return Name(fields.columns[name], "", at)
    raise wrong(f"There is no field {safe(written, limit=60)!r}.", f"Fields: {fields.known()}.", at)
