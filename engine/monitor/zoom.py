"""Windows of another width than the declared one: sums of what was counted, judged when somebody looks at them.

They are in no table: alerts and verdicts are of the declared width alone.
"""

import threading
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from lemnis.engine.config import Config
from lemnis.engine.monitor.judge import Judged, judge_window
from lemnis.engine.monitor.kept import Grid, cell_in, feature_in, grid_from
from lemnis.engine.monitor.lasting import BEFORE
from lemnis.engine.monitor.parts import changes_by_start, tally_within
from lemnis.engine.monitor.performance import measure_window
from lemnis.engine.monitor.records import FeatureDrift, Window
from lemnis.engine.monitor.reference import Reference, kept_reference
from lemnis.engine.monitor.seasonal import seasonal_reference
from lemnis.engine.monitor.spans import MINUTE_MS, WIDTHS, Spans, Width, span_of, tier_of
from lemnis.engine.monitor.windows import complete_until
from lemnis.engine.store import Row, Store

REMEMBERED = 240  # judged windows, of some kB each: of four widths as many as Monitor lists
PACKED = 1  # zlib's level: a quarter of the size, in a tenth of a millisecond

Since: TypeAlias = tuple[int, tuple[frozenset[str], ...]]  # times a window changed, and what those before it suspected


class Place(NamedTuple):
    """Where a window stands: the served version (row of its cursor), its width, and where it starts."""

    served: int
    width: Width
    starts: int

    @property
    def id(self) -> int:
        """A number for this window alone; below 0, as those of kept windows are above."""
        return -((self.starts // MINUTE_MS * len(WIDTHS) + WIDTHS.index(self.width)) * 4096 + self.served % 4096)


class Seen(NamedTuple):
    """A judged window and what it was judged from: it is judged again when that changes.

    Attributes:
        features: Its `Judged.features`, packed: all but the window that is looked at are told of by a number each.
    """

    changes: object
    window: dict[str, Any]  # Any: what the columns of a kept window hold
    suspected: frozenset[str] | None
    features: bytes

    @classmethod
    def of(cls, changes: object, judged: Judged) -> "Seen":
        packed = zlib.compress(msgspec.msgpack.encode(judged.features), PACKED)
        return cls(changes, judged.window, judged.suspected, packed)

    def unpacked(self) -> list[dict[str, Any]]:
        """Return its features as they were judged. Any: what their columns hold."""
        return msgspec.msgpack.decode(zlib.decompress(self.features))


class Zoom:
    """Judges windows of any width, and remembers the latest ones until a row or a label comes to them.

    Several threads may ask; the second waits, as it mostly wants what the first is judging.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._seen: OrderedDict[Place, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def windows(
        self, config: Config, endpoint: str, width: Width, limit: int, until: int | None = None
    ) -> list[Window]:
        """Return the latest windows of this width that start before `until`, in order of event time.

        Minutes reach back two days and hours 90 before the newest row; longer ones to the first.
        """
        cursors = self.store.rows(
            "select rowid, * from monitor_cursors where ? in ('', endpoint) order by rowid", [endpoint]
        )
        found = [
            (row, start, changes)
            for row in cursors
            for start, changes in latest(self.store, row, width, limit + BEFORE, until)
        ]
        found.sort(key=lambda entry: (entry[1], entry[0]["version"], entry[0]["endpoint"]))
        references = {row["rowid"]: kept_reference(self.store, row["model"], row["version"]) for row in cursors}
        complete = {row["endpoint"]: complete_until(self.store, row["endpoint"]) for row in cursors}
        windows: list[Window] = []
        told: defaultdict[int, list[frozenset[str]]] = defaultdict(list)
        for row, start, changes in found[-limit - BEFORE * len(cursors) :]:
            reference = references[row["rowid"]]
            if reference is not None:
                place = Place(row["rowid"], width, start)
                earlier = told[row["rowid"]]
                with self._lock:
                    seen = self._judged(config, row, reference, place, (changes, tuple(earlier[-BEFORE:])))
                if seen.suspected is not None:
                    earlier.append(seen.suspected)
                windows.append(window_of(row, place, seen, complete[row["endpoint"]]))
        self._forget(max(REMEMBERED, len(found)))
        return windows[-limit:]

    def features(self, window_id: int) -> list[FeatureDrift]:
        """Return the features of a window that `windows` returned lately, in the order of the signature."""
        rows = (row for place, seen in self._remembered() if place.id == window_id for row in seen.unpacked())
        return [feature_in({"window_id": window_id, **row}) for row in rows]

    def grid(self, windows: Sequence[Window]) -> Grid:
        """Return the drift of every feature over windows that `windows` returned lately."""
        known = {place.id: seen for place, seen in self._remembered()}
        return grid_from(
            [window.id for window in windows],
            [
                (window.id, row["feature"], cell_in(row), row["importance"])
                for window in windows
                if window.id in known
                for row in known[window.id].unpacked()
            ],
        )

    def _remembered(self) -> list[tuple[Place, Seen]]:
        with self._lock:
            return list(self._seen.items())

    def _forget(self, most: int) -> None:
        with self._lock:
            while len(self._seen) > most:
                self._seen.popitem(last=False)

    def _judged(self, config: Config, row: Row, reference: Reference, place: Place, since: Since) -> Seen:
        basis = (since, config.monitor, config.problem.value)
        seen = self._seen.get(place)
        if seen is None or seen.changes != basis:
            key, span = [row["endpoint"], row["model"], row["version"]], span_of(place.starts, place.width)
            tally = tally_within(self.store, key, tier_of(place.width), span)
            measured = measure_window(self.store, key, span, reference, config.problem.value)
            seasonal = seasonal_reference(self.store, reference, place.width, place.starts)
            seen = Seen.of(basis, judge_window(config.monitor, seasonal, tally, measured, since[1]))
        self._seen[place] = seen
        self._seen.move_to_end(place)
        return seen


def latest(store: Store, cursor: Row, width: Width, limit: int, until: int | None) -> list[tuple[int, int]]:
    """Return start and changes of the latest windows of one served version that start before `until`."""
    spans = Spans(width)
    found: dict[int, int] = {}
    key = [cursor["endpoint"], cursor["model"], cursor["version"]]
    for starts, changes in changes_by_start(store, key, tier_of(width)):
        start = spans.start(starts)
        if until is not None and start >= until:
            continue
        if start not in found and len(found) == limit:
            break
        found[start] = found.get(start, 0) + changes
    return list(found.items())


def window_of(cursor: Row, place: Place, seen: Seen, until: dict[str, int]) -> Window:
    """Return the record of a judged window."""
    starts, ends = span_of(place.starts, place.width)
    facts: dict[str, Any] = {  # Any: what the columns of a kept window hold
        "id": place.id,
        "endpoint": cursor["endpoint"],
        "model": cursor["model"],
        "version": cursor["version"],
        "starts": starts,
        "ends": ends,
        "computed_at": cursor["arrived_at"],
        **{column: ends <= moment for column, moment in until.items()},
        **seen.window,
    }
    return msgspec.convert(facts | {"schema_changes": msgspec.json.decode(facts["schema_changes"])}, Window)
