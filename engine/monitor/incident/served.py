"""The served rows of a window: when they were answered, examples of what moved, and which values carry the loss."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.monitor.incident.records import Example, Segment
from lemnis.engine.monitor.records import FeatureDrift, Window
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.features.signature import Signature

LOOKED_AT = 600  # served rows, the newest
LABELLED = 1_500  # labelled rows, the newest
EXAMPLES = 3
FACTS = ("id", "event_at", "row_key", "score")
GREW = 0.02  # of the rows: a bin whose share rose by more has grown
CARRIES = 1.25  # times its share of the rows: a value with so much of the loss carries it
LEAST = 0.02  # of the labelled rows: rarer values say nothing

SERVED = """select id, request_id, row_key, event_at, score, features from predictions
            where endpoint = ? and version = ? and event_at >= ? and event_at < ? order by event_at {} limit ?"""


class Bounds(msgspec.Struct, frozen=True):
    """Where the bins of one feature lie, as its frozen reference says; see `tally.Binning`, which this is a part of."""

    name: str
    kind: str
    edges: list[float] = []
    categories: list[str] = []
    bounds: list[int] = []

    # Any: what a request held.
    def place(self, value: Any) -> int:
        """Return in which bin a value is, counted as in `Bins.labels`."""
        if self.kind == "categorical":
            if not isinstance(value, str):
                return len(self.categories) + 1
            return self.categories.index(value) if value in self.categories else len(self.categories)
        edges = [self.edges[place] for place in self.bounds] or self.edges
        if not isinstance(value, bool | int | float) or value != value:
            return len(edges) + 1
        return bisect_right(edges, float(value))


class Binned(msgspec.Struct, frozen=True):
    """The part of a frozen reference that is needed here; the whole needs NumPy."""

    binnings: list[Bounds]


def bounds_of(store: Store, window: Window) -> dict[str, Bounds]:
    """Return where the bins of each feature lie; empty where no reference was made."""
    sql = "select reference from monitor_references where model = ? and version = ?"
    found = store.value(sql, [window.model, window.version])
    if found is None:
        return {}
    binnings = msgspec.json.decode(found, type=Binned).binnings
    edges = [[one.edges[place] for place in one.bounds] or one.edges for one in binnings]  # once, not for every row
    return {
        one.name: msgspec.structs.replace(one, edges=ends, bounds=[]) for one, ends in zip(binnings, edges, strict=True)
    }


def answered_at(store: Store, window: Window) -> int | None:
    """Return when the first row of a window was answered, epoch ms of the wall clock; None where its rows are gone."""
    rows = served(store, window, "asc", 1)
    if not rows:
        return None
    return store.value("select at from requests where id = ?", [rows[0]["request_id"]], name="predictions")


def served(store: Store, window: Window, order: str, limit: int) -> list[Row]:
    """Return the first or the last rows of a window."""
    key = [window.endpoint, window.version, window.starts, window.ends, limit]
    return store.rows(SERVED.format(order), key, name="predictions")


def grown(feature: FeatureDrift) -> list[int]:
    """Return the bins whose share of the rows rose, the most risen first."""
    rise = [after - before for before, after in zip(feature.bins.reference, feature.bins.current, strict=True)]
    return sorted((place for place, by in enumerate(rise) if by > GREW), key=lambda place: -rise[place])


def examples_of(
    store: Store, window: Window, signature: "Signature", features: Sequence[FeatureDrift]
) -> list[Example]:
    """Return the newest served rows that are in the most bins that grew; of the features, the first count most."""
    bounds, names = bounds_of(store, window), signature.names
    asked = [one for one in features if one.feature in names]
    wanted = {one.feature: set(grown(one)) for one in asked if one.feature in bounds}
    found: list[tuple[int, Row, dict[str, Any], list[str]]] = []
    places = {one.feature: names.index(one.feature) for one in asked}
    for row in served(store, window, "desc", LOOKED_AT):
        values: list[Any] = msgspec.json.decode(row["features"])
        if len(values) != len(names):
            continue
        sent = {name: values[place] for name, place in places.items()}
        moved = [name for name, bins in wanted.items() if bounds[name].place(sent[name]) in bins]
        weight = sum(1 << (len(asked) - place) for place, one in enumerate(asked) if one.feature in moved)
        found.append((weight, row, sent, moved))
    found.sort(key=lambda one: -one[0])  # stable: the newest of equals stays first
    return [
        Example(**{name: row[name] for name in FACTS}, values=sent, moved=moved)
        for _, row, sent, moved in found[:EXAMPLES]
    ]


def segments_by_share(features: Sequence[FeatureDrift], most: int = 4) -> list[Segment]:
    """Return the values of categorical features whose share of the rows rose, the most risen first."""
    found = [
        Segment(
            feature=one.feature,
            value=one.bins.labels[place],
            reference=one.bins.reference[place],
            current=one.bins.current[place],
        )
        for one in features
        if one.kind == "categorical"
        for place in grown(one)[:2]
    ]
    return sorted(found, key=lambda one: (one.reference or 0.0) - (one.current or 0.0))[:most]


def segments_by_loss(
    store: Store, window: Window, signature: "Signature", features: Sequence[FeatureDrift], most: int = 4
) -> list[Segment]:
    """Return the values of categorical features that have more of the loss than of the labelled rows.

    Loss is the log loss of a yes-or-no model, the absolute error of one of a number; empty for other models.
    """
    if signature.task == "multiclass":
        return []
    rows = store.rows(
        """select p.features, p.score, a.actual from predictions p
           join actuals a on a.endpoint = p.endpoint and a.row_key = p.row_key
           where p.endpoint = ? and p.version = ? and p.event_at >= ? and p.event_at < ? and p.row_key != ''
             and p.score is not null order by p.event_at desc limit ?""",
        [window.endpoint, window.version, window.starts, window.ends, LABELLED],
        name="predictions",
    )
    judged: list[tuple[list[Any], float]] = [
        (msgspec.json.decode(row["features"]), loss_of(row["score"], row["actual"], signature)) for row in rows
    ]
    whole = sum(loss for _, loss in judged)
    if not whole:
        return []
    found: list[Segment] = []
    for one in features:
        if one.kind != "categorical" or one.feature not in signature.names:
            continue
        column = signature.names.index(one.feature)
        sums: dict[str, list[float]] = {}
        for values, loss in judged:
            if column < len(values) and isinstance(values[column], str):
                entry = sums.setdefault(values[column], [0.0, 0.0])
                entry[0] += 1
                entry[1] += loss
        for value, (count, loss) in sums.items():
            part, share = count / len(judged), loss / whole
            if part >= LEAST and share >= CARRIES * part:
                segment = Segment(
                    feature=one.feature, value=value, reference=None, current=None, loss=share, part=part,
                    labelled=len(judged),
                )  # fmt: skip
                found.append(segment)
    return sorted(found, key=lambda one: (one.part or 0.0) - (one.loss or 0.0))[:most]


def loss_of(score: float, actual: float, signature: "Signature") -> float:
    """Return the loss of one answer."""
    if signature.task == "regression":
        return abs(score - actual)
    right = score if actual else 1 - score
    return -math.log(max(right, 1e-15))
