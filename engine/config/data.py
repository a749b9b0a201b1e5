"""What lemnis.toml declares of Data: sources, how they are linked into one table, and its split by time."""

from typing import Literal, TypeAlias

from msgspec import field

from lemnis.engine.config.types import Declared, Name

SourceFormat: TypeAlias = Literal["csv", "csv-zip", "parquet", "jsonl", "sqlite"]


class Source(Declared, frozen=True):
    """Where rows come from; `path` is relative to the workspace unless absolute."""

    path: str
    format: SourceFormat = "csv"
    table: str = ""
    member: str = ""
    delimiter: str = ","
    null: list[str] = field(default_factory=lambda: [""])
    types: dict[str, str] = field(default_factory=dict[str, str])


class Link(Declared, frozen=True):
    """A left join of one source to the base: `on` maps left columns or expressions to the source's columns.

    With `overwrite` a column that the left side has already takes the source's value wherever there is one.
    """

    source: Name
    on: dict[str, str]
    columns: list[str] = field(default_factory=list[str])
    prefix: str = ""
    overwrite: bool = False


class Span(Declared, frozen=True):
    """Rows whose time is at or after `start` and before `end` (ISO dates, UTC)."""

    start: str
    end: str


class Split(Declared, frozen=True):
    """The time-based split; a row belongs to the part whose span holds its time."""

    train: Span | None = None
    validation: Span | None = None
    test: Span | None = None


class Dataset(Declared, frozen=True):
    """How sources become one table: base, links, derived columns, roles and split."""

    name: Name = "dataset"
    base: str = ""
    links: list[Link] = field(default_factory=list[Link])
    derive: dict[str, str] = field(default_factory=dict[str, str])
    where: str = ""
    key: list[str] = field(default_factory=list[str])
    time: str = ""
    split: Split = Split()
