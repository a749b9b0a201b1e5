"""Rows of a dataset version as live traffic: in order of event time, with labels that become known later."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false

import hashlib
from collections.abc import Container, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.data.versions import Version

DAY_MS = 86_400_000


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
        truths: list[Any] = self._table.column(self._label).to_pylist()
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


def read_traffic(
    version: "Version", features: list[str], target: str, *, start: int, end: int, sample: float
) -> Traffic:
    """Read the rows of a version with `start` <= time < `end`, in order of time.

    Args:
        version: Needs a time column; rows are named by its key columns, else by their content.
        features: Columns the endpoint takes.
        target: Column of the label.
        start: Epoch ms.
        end: Epoch ms; the first moment outside.
        sample: Share of the rows to keep, (0, 1]; the same rows every time, chosen by the hash of their key.

    Raises:
        BadInput: The version has no time column.
        NotFound: It lacks a column.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from lemnis.engine.data.split import time_within

    if not version.time:
        raise BadInput(f"{version.title} has no time column, so there is no order to replay.", "Set dataset.time.")
    named = version.keys or [column.name for column in version.columns]
    columns = dict.fromkeys([*features, target, version.time, *named])
    condition = time_within(version.column(version.time), start, end)
    table = pq.read_table(version.file, columns=[version.column(name).name for name in columns], filters=condition)
    table = table.sort_by([(version.time, "ascending"), *((name, "ascending") for name in version.keys)])
    texts = [table.column(name).cast(pa.string()).to_pylist() for name in named]
    keys = ["|".join(str(part) for part in parts) for parts in zip(*texts, strict=True)]
    keys = keys if version.keys else [digest(key) for key in keys]
    places = [place for place, key in enumerate(keys) if sample >= 1 or chance(key) < sample]
    table = table.take(pa.array(places, pa.int64()))
    stamps = pc.cast(table.column(version.time), pa.timestamp("ms"), safe=False)
    times: list[int] = stamps.cast(pa.int64()).to_pylist()
    return Traffic(table, [keys[place] for place in places], times, features, target)


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
