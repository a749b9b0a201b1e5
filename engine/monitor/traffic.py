"""Rows of a dataset version or a file as live traffic: in order of event time, labels become known later."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false

import hashlib
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from lemnis.engine.errors import BadInput, NotFound

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from lemnis.engine.data.versions import Version

DAY_MS = 86_400_000
EARLIEST_MS, LATEST_MS = -2_208_988_800_000, 4_102_444_800_000  # 1900 and 2100: further away no event is


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows to replay are.

    Attributes:
        path: A Parquet or CSV file; `title` is how it is called.
        time: The column that says when a row happened.
        keys: The columns that name a row; empty: it is named by its content.
        label: The column of its true answer; empty: none is told.
        texts: Columns that a CSV file's numbers are read as text in.
    """

    path: str
    title: str
    time: str
    keys: list[str] = []
    label: str = ""
    texts: list[str] = []


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to send: rows to be predicted, or labels that became known.

    Attributes:
        at: Event time of its last entry, epoch ms; deliveries come in this order.
        rows: One list of values a row, in the order of the features. Any: what JSON can hold.
        actuals: The true answer of each key.
    """

    kind: Literal["rows", "labels"]
    at: int
    keys: list[str]
    event_times: list[int] = []
    rows: list[list[Any]] = []
    actuals: list[Any] = []


class Traffic:
    """The rows of a span of event time, in order, as deliveries."""

    def __init__(self, table: "pa.Table", keys: list[str], times: list[int], features: list[str], label: str) -> None:
        self._table, self.keys, self.times = table, keys, times
        self._features, self._label = features, label

    def __len__(self) -> int:
        return len(self.keys)

    def deliveries(
        self, *, batch: int, delay_ms: int, sent: Container[str], labelled: Container[str]
    ) -> Iterator[Delivery]:
        """Yield rows and labels in event-time order; a label follows its row by the delay, also past the last row.

        Args:
            batch: Most rows, or labels, in one delivery.
            delay_ms: How long after its row a label becomes known, in event time.
            sent: Keys whose row was delivered before and is left out.
            labelled: Keys whose label was.
        """
        rows = [place for place, key in enumerate(self.keys) if key not in sent]
        truths: list[Any] = self._table.column(self._label).to_pylist() if self._label else [None] * len(self)
        labels = [p for p, key in enumerate(self.keys) if truths[p] is not None and key not in labelled]
        given = 0
        for start in range(0, len(rows), batch):
            places = rows[start : start + batch]
            while given < len(labels) and self.times[labels[given]] + delay_ms <= self.times[places[0]]:
                due = labels[given : given + batch]
                due = [place for place in due if self.times[place] + delay_ms <= self.times[places[0]]]
                yield self._known(due, truths, delay_ms)
                given += len(due)
            yield self._asked(places)
        for start in range(given, len(labels), batch):
            yield self._known(labels[start : start + batch], truths, delay_ms)

    def _asked(self, places: list[int]) -> Delivery:
        columns = [self._table.column(name).take(places).to_pylist() for name in self._features]
        return Delivery(
            kind="rows",
            at=self.times[places[-1]],
            keys=[self.keys[place] for place in places],
            event_times=[self.times[place] for place in places],
            rows=[[plain(value) for value in row] for row in zip(*columns, strict=True)],
        )

    def _known(self, places: list[int], truths: list[Any], delay_ms: int) -> Delivery:
        return Delivery(
            kind="labels",
            at=self.times[places[-1]] + delay_ms,
            keys=[self.keys[place] for place in places],
            actuals=[plain(truths[place]) for place in places],
        )


def rows_of(version: "Version", target: str) -> Rows:
    """Return a dataset version as rows to replay; raises BadInput when it does not say when they happened."""
    if not version.time:
        raise BadInput(f"{version.title} has no time column, so there is no order to replay.", "Set dataset.time.")
    return Rows(path=str(version.file), title=version.title, time=version.time, keys=version.keys, label=target)


def read_traffic(rows: Rows, features: list[str], *, start: int | None, end: int | None, sample: float) -> Traffic:
    """Read the rows with `start` <= time < `end`, in order of time.

    Args:
        rows: Where they are.
        features: Columns the endpoint takes.
        start: Epoch ms; None for the first row.
        end: Epoch ms, the first moment outside; None for after the last row.
        sample: Share of the rows to keep, (0, 1]; the same rows every time, chosen by the hash of their key.

    Raises:
        NotFound: The file is gone, or lacks a column.
        BadInput: It can't be read, or its time column holds no times.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    data = opened(rows, features)
    named = rows.keys or data.schema.names
    columns = dict.fromkeys([*features, *filter(None, [rows.label]), rows.time, *named])
    try:
        table = data.to_table(columns=list(columns), filter=inside(rows, data, start, end))
    except pa.ArrowInvalid as error:
        raise BadInput(f"{rows.title} can't be read: {str(error)[:300]}", "Mend the file.", rows.path) from None
    table = table.sort_by([(rows.time, "ascending"), *((name, "ascending") for name in rows.keys)])
    texts = [table.column(name).cast(pa.string()).to_pylist() for name in named]
    keys = ["|".join(str(part) for part in parts) for parts in zip(*texts, strict=True)]
    keys = keys if rows.keys else told_apart([digest(key) for key in keys])
    places = [place for place, key in enumerate(keys) if sample >= 1 or chance(key) < sample]
    table = table.take(pa.array(places, pa.int64()))
    stamps = pc.cast(table.column(rows.time), pa.timestamp("ms"), safe=False)
    times: list[int] = stamps.cast(pa.int64()).to_pylist()
    return Traffic(table, [keys[place] for place in places], times, features, rows.label)


def counted(rows: Rows, *, start: int | None, end: int | None) -> tuple[int, int, int]:
    """Return how many rows have `start` <= time < `end` (epoch ms, see `read_traffic`), the first time and the last."""
    import pyarrow as pa
    import pyarrow.compute as pc

    data = opened(rows, [])
    column = data.to_table(columns=[rows.time], filter=inside(rows, data, start, end)).column(rows.time)
    span: Any = pc.min_max(pc.cast(column, pa.timestamp("ms"), safe=False).cast(pa.int64())).as_py()
    return len(column) - column.null_count, span["min"] or 0, span["max"] or 0


def inside(rows: Rows, data: "ds.Dataset", start: int | None, end: int | None) -> Any:
    """Return the condition on a row's time. Any: pyarrow's expression."""
    from lemnis.engine.data.split import time_within
    from lemnis.engine.data.versions import Column

    time = Column(name=rows.time, type=str(data.schema.field(rows.time).type), role="time")
    return time_within(time, EARLIEST_MS if start is None else start, LATEST_MS if end is None else end)


def columns_of(rows: Rows) -> tuple[list[str], list[str]]:
    """Return the names of a file's columns, and of those that hold times; see `read_traffic` for what is raised."""
    import pyarrow as pa

    schema = dataset_of(rows).schema
    held = [field.name for field in schema if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)]
    return schema.names, held


def dataset_of(rows: Rows) -> "ds.Dataset":
    """Open a file; see `read_traffic` for what is raised."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.dataset as ds

    path = Path(rows.path)
    if not path.is_file():
        raise NotFound(f"There is no file {rows.path}.", "Check the path.", rows.path)
    options = csv.ConvertOptions(column_types=dict.fromkeys(rows.texts, pa.string()), strings_can_be_null=True)
    form = ds.CsvFileFormat(convert_options=options) if path.suffix.lower() == ".csv" else "parquet"
    try:
        return ds.dataset(path, format=form)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise BadInput(f"{rows.title} is no Parquet or CSV file: {reason}", "Name it .csv or .parquet.") from None


def opened(rows: Rows, features: Sequence[str]) -> "ds.Dataset":
    """Open a file and check that it has the columns; see `read_traffic` for what is raised."""
    import pyarrow as pa

    data = dataset_of(rows)
    wanted = [*features, rows.time, *rows.keys, *filter(None, [rows.label])]
    missing = [name for name in dict.fromkeys(wanted) if name not in data.schema.names]
    if missing:
        has = ", ".join(data.schema.names[:12])
        raise NotFound(f"{rows.title} has no column {' and '.join(missing)}.", f"It has {has}.", rows.path)
    kind = data.schema.field(rows.time).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise BadInput(
            f"{rows.time} of {rows.title} holds {kind}, no times.", "Write times as 2013-07-01T05:30:00.", rows.path
        )
    return data


def told_apart(names: Sequence[str]) -> list[str]:
    """Return names of which later equal ones get a number: rows of the same content are still several rows."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for name in names:
        found.append(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def chance(key: str) -> float:
    """Return a number in [0, 1) that only depends on the key."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) / 2**64


def digest(text: str) -> str:
    """Return a short name of a row's content."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def plain(value: Any) -> Any:
    """Return a table's value as JSON has it."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
