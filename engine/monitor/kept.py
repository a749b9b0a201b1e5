"""Windows as they are kept: read back as records, one by one, in order of time, or as a grid of all features."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from lemnis.engine.monitor.records import Bins, FeatureDrift, Method, Verdict, Window, in_bounds
from lemnis.engine.store import Row, Store

COLUMNS = ", ".join(Window.__struct_fields__)


class Cell(msgspec.Struct, frozen=True):
    """One feature in one window: the score that decides about it, from where it is suspected, and the verdict."""

    score: float
    threshold: float
    method: Method
    verdict: Verdict

    @property
    def times_bound(self) -> float:
        """The deciding score in bounds, as of FeatureDrift."""
        return in_bounds(self.score, self.threshold)


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Drift of every feature over the windows: the features by importance, the prediction first.

    Attributes:
        windows: Ids, in order of time.
        cells: By feature, one per window; None where the window has no such feature.
    """

    windows: list[int]
    features: list[str]
    importance: dict[str, float | None]
    cells: dict[str, list[Cell | None]]

    def moved_most(self, window_id: int) -> tuple[str, Cell] | None:
        """Return the input that moved most in a window, the first of `moved_first`; None where none was judged."""
        from lemnis.engine.monitor.policy import moved_order

        if window_id not in self.windows:
            return None
        place = self.windows.index(window_id)
        inputs = [
            (name, cell)
            for name, cells in self.cells.items()
            if self.importance[name] is not None and (cell := cells[place]) is not None
        ]
        return min(
            inputs,
            key=lambda one: moved_order(one[1].verdict, self.importance[one[0]], one[1].times_bound),
            default=None,
        )


def grid_of(store: Store, windows: list[Window]) -> Grid:
    """Return the drift of every feature over some kept windows."""
    ids = [window.id for window in windows]
    rows = store.rows(
        f"""select window_id, feature, score, threshold, method, verdict, importance from monitor_features
            where window_id in ({", ".join("?" * len(ids))})""",
        ids,
    )
    entries = [(row["window_id"], row["feature"], cell_in(dict(row)), row["importance"]) for row in rows]
    return grid_from(ids, entries)


# Any: what the columns hold.
def cell_in(row: Mapping[str, Any]) -> Cell:
    """Return the cell of one judged feature."""
    return Cell(row["score"], row["threshold"], row["method"], row["verdict"])


def grid_from(ids: list[int], entries: Sequence[tuple[int, str, Cell, float | None]]) -> Grid:
    """Return a grid of cells, each with its window, feature and that feature's importance."""
    importance = {feature: share for _, feature, _, share in entries}
    found = {(feature, window): cell for window, feature, cell, _ in entries}
    order = sorted(importance, key=lambda name: -(2.0 if importance[name] is None else importance[name] or 0.0))
    return Grid(
        windows=ids,
        features=order,
        importance=importance,
        cells={name: [found.get((name, window)) for window in ids] for name in order},
    )


def list_windows(store: Store, endpoint: str = "", limit: int = 500, *, until: int | None = None) -> list[Window]:
    """Return the latest windows of one endpoint, or of all, that start before `until` (epoch ms), in order of time."""
    sql = f"""select {COLUMNS} from monitor_windows where ? in ('', endpoint) and (? is null or starts < ?)
              order by starts desc, version desc, endpoint limit ?"""
    return [window_in(row) for row in reversed(store.rows(sql, [endpoint, until, until, limit]))]


def window_in(row: Row) -> Window:
    """Return the window of one row."""
    facts: dict[str, Any] = dict(row)  # Any: what the columns hold
    facts |= {"closed": bool(row["closed"]), "labels_settled": bool(row["labels_settled"])}
    return msgspec.convert(facts | {"schema_changes": msgspec.json.decode(row["schema_changes"])}, Window)


def feature_in(row: Mapping[str, Any]) -> FeatureDrift:
    """Return the feature of one row. Any: what the columns hold."""
    facts = {name: value for name, value in row.items() if name != "position"}
    facts |= {"bins": msgspec.json.decode(row["bins"], type=Bins), "suspected": bool(row["suspected"])}
    return msgspec.convert(facts, FeatureDrift)


def moved_first(found: Iterable[FeatureDrift]) -> list[FeatureDrift]:
    """Return the features of a window, what moved most first and the prediction last."""
    from lemnis.engine.monitor.policy import moved_order

    return sorted(
        found,
        key=lambda one: (one.kind == "prediction", moved_order(one.verdict, one.importance, one.times_bound)),
    )
