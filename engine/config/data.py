"""What lemnis.toml declares of Data: sources, how they are linked into one table, and its split by time."""

from typing import Literal, TypeAlias

from msgspec import field

from lemnis.engine.config.types import Declared, Name

SourceFormat: TypeAlias = Literal["csv", "csv-zip", "parquet", "jsonl", "excel", "sqlite", "postgresql"]


class Scale(Declared, frozen=True):
    """What turns the values of a column into the wanted unit: value × factor + offset."""

    factor: float = 1.0
    offset: float = 0.0


class Source(Declared, frozen=True):
    """Where rows come from.

    Attributes:
        path: A file, relative to the workspace unless absolute; a pattern such as ``logs/2026-*.csv``, whose files are
            one table; an address such as ``s3://bucket/rows.parquet``; or ``postgresql://host/database``.
        table: The table of a SQLite or PostgreSQL database.
        query: What is asked of a PostgreSQL database, instead of a table.
        sheet: The sheet of a workbook; empty if it has one only.
        member: The file in a ZIP archive.
        delimiter: What parts the cells of delimited text; the next six are of delimited text too.
        quote: What encloses a cell that holds delimiters or line ends; empty when nothing does.
        escape: What stands before a quote inside a quoted cell.
        encoding: The text's encoding, by the name Python has for it: ``utf-8``, ``cp949``, ``latin-1``.
        header: Whether the first line names the columns.
        columns: The columns' names when there is no header.
        decimal: What stands before the fraction of a number.
        null: Texts that mean that a value is missing.
        types: The DuckDB type of a column, when it must not follow from the cells.
        rename: What a column is called from here on, by its name in the file; the keys above know the file's names.
        scale: How the numbers of a column are converted, by the name it has from here on.
        filename: The column that is added to say which file a row came from; empty adds none.
        append: Its writer only adds lines: rows that are held are not read again.
        sync: ``scheduled`` reads it by the cadence of the acquisition plan.
    """

    path: str
    format: SourceFormat = "csv"
    table: str = ""
    query: str = ""
    sheet: str = ""
    member: str = ""
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    encoding: str = "utf-8"
    header: bool = True
    columns: list[str] = field(default_factory=list[str])
    decimal: Literal[".", ","] = "."
    null: list[str] = field(default_factory=lambda: [""])
    types: dict[str, str] = field(default_factory=dict[str, str])
    rename: dict[str, str] = field(default_factory=dict[str, str])
    scale: dict[str, Scale] = field(default_factory=dict[str, Scale])
    filename: str = ""
    append: bool = False
    sync: Literal["manual", "scheduled"] = "manual"


class Link(Declared, frozen=True):
    """A left join of one source to the base: `on` maps left columns or expressions to the source's columns.

    With `overwrite` a column that the left side has already takes the source's value wherever there is one.

    Attributes:
        columns: What it brings; all but the keys when none are named.
        prefix: Put before the names of what it brings.
        asof: A column of times in the source: only the latest row at or before `dataset.time` is joined.
        tolerance: The oldest that such a row may be, such as ``2h``; empty for any age.
        strict: Only rows before `dataset.time`, none at that very moment.
        time: The source's column that says when a row was known, for the warning of rows from the future;
            when empty every column of times is looked at.
    """

    source: Name
    on: dict[str, str]
    columns: list[str] = field(default_factory=list[str])
    prefix: str = ""
    overwrite: bool = False
    asof: str = ""
    tolerance: str = ""
    strict: bool = False
    time: str = ""


class Span(Declared, frozen=True):
    """Rows whose time is at or after `start` and before `end` (ISO dates, UTC)."""

    start: str
    end: str


class Split(Declared, frozen=True):
    """The time-based split; a row belongs to the part whose span holds its time."""

    train: Span | None = None
    validation: Span | None = None
    test: Span | None = None


class Quarantine(Declared, frozen=True):
    """Rows that the dataset leaves out: their `column`, as text, is one of `values`."""

    column: str
    values: list[str]
    why: str = ""


class Dataset(Declared, frozen=True):
    """How sources become one table: base, links, derived columns, roles and split.

    Attributes:
        group: Columns that say which thing a row is about, such as a customer: its last known answer is a baseline, and
            folds by group keep its rows together.
        label_delay: How long after its time a row's target becomes known, such as ``6h`` or ``30d``; empty for at once.
    """

    name: Name = "dataset"
    base: str = ""
    links: list[Link] = field(default_factory=list[Link])
    derive: dict[str, str] = field(default_factory=dict[str, str])
    where: str = ""
    quarantine: list[Quarantine] = field(default_factory=list[Quarantine])
    key: list[str] = field(default_factory=list[str])
    time: str = ""
    group: list[str] = field(default_factory=list[str])
    label_delay: str = ""
    split: Split = Split()
