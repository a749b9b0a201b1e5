"""Telemetry over time: every second for half an hour, then ever coarser means, a month in a few megabytes.

One source keeps 1,800 rows of 1 s, 2,160 of 10 s, 2,880 of 60 s and 4,320 of 600 s: 11,160 rows of at most 450 bytes,
5 MB. The host, 64 cores (600 bytes a row) and eight GPUs (whose rows are half as long) stay below 40 MB for 30 days.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from lemnis.engine.resources.records import History, HostSample
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

Sample: TypeAlias = dict[str, float | None]

KEPT_S = {1: 1_800, 10: 21_600, 60: 172_800, 600: 2_592_000}  # seconds a row stands for: how long it is kept
COARSER = ((1, 10), (10, 60), (60, 600))
WANTED_POINTS = 100  # a finer resolution is read only when a coarser one would give fewer


def add_sample(db: "Database", source: str, at_ms: int, sample: Sample) -> None:
    """Keep one reading of a source, at most one a second."""
    db.execute(
        "insert or replace into telemetry (source, resolution, at, sample) values (?, 1, ?, ?)",
        [source, at_ms // 1000 * 1000, encode(sample)],
    )


def tidy(db: "Database", source: str, now_ms: int) -> None:
    """Make the coarser means of every interval that has ended since, and drop what is older than it is kept."""
    for fine, coarse in COARSER:
        width = coarse * 1000
        last: int | None = db.execute(LAST, [source, coarse]).fetchone()[0]
        span = [source, fine, 0 if last is None else last + width, now_ms // width * width]
        groups: dict[int, list[Sample]] = {}
        for at, sample in db.execute(BETWEEN, span).fetchall():
            groups.setdefault(at // width * width, []).append(decode(sample))
        for start, samples in groups.items():
            db.execute(
                "insert or replace into telemetry (source, resolution, at, sample) values (?, ?, ?, ?)",
                [source, coarse, start, encode(mean_of(samples))],
            )
    for resolution, seconds in KEPT_S.items():
        db.execute(
            "delete from telemetry where source = ? and resolution = ? and at < ?",
            [source, resolution, now_ms - seconds * 1000],
        )


LAST = "select max(at) from telemetry where source = ? and resolution = ?"
BETWEEN = "select at, sample from telemetry where source = ? and resolution = ? and at >= ? and at < ? order by at"


def mean_of(samples: list[Sample]) -> Sample:
    """Return the mean of each figure over the samples that have it; None where none has."""
    means: Sample = {}
    for name in dict.fromkeys(name for sample in samples for name in sample):
        known = [value for sample in samples if (value := sample.get(name)) is not None]
        means[name] = sum(known) / len(known) if known else None
    return means


def history(
    store: Store,
    source: str,
    metrics: list[str],
    *,
    seconds: int,
    points: int,
    now_ms: int,
    age_s: int = 0,
    before: History | None = None,
) -> History:
    """Return figures of the `seconds` up to a moment in `points` equal steps, the newest last; see `records.History`.

    A step is the mean of what was measured in it, None where nothing was: a gap is shown as a gap. Steps are never
    finer than the rows that are kept for that long. `age_s` is how long ago the moment `now_ms` is: rows as fine as
    those of the last hour are not kept of last week. `before` is what the same question was answered with a moment
    ago: only what has been measured since is read.
    """
    resolution = resolution_for(seconds, points, age_s)

    def rows_since(start: float, end: float) -> list[tuple[int, Sample]]:
        rows = store.rows(BETWEEN, [source, resolution, round(start), round(end)], name="metrics")
        if resolution > 1:  # what has not become a mean yet
            since = rows[-1]["at"] + resolution * 1000 if rows else round(start)
            rows += store.rows(BETWEEN, [source, 1, since, round(end)], name="metrics")
        return [(int(row["at"]), decode(row["sample"])) for row in rows]

    steps = Steps.up_to(now_ms, seconds, max(1, min(points, seconds // resolution)))
    return continued(source, metrics, steps, rows_since, before)


class Steps(NamedTuple):
    """Equal steps of time on a fixed grid, so that a mean stays what it was when the next second arrives."""

    start: float  # epoch ms
    width: float  # ms
    points: int

    @classmethod
    def up_to(cls, now_ms: int, seconds: int, points: int) -> "Steps":
        """Return steps over so many seconds, of which the last holds `now_ms`."""
        width = seconds * 1000 / points
        return cls((now_ms // width + 1 - points) * width, width, points)

    @property
    def end(self) -> float:
        return self.start + self.points * self.width

    def last(self, points: int) -> "Steps":
        """Return the last so many of these steps."""
        return Steps(self.end - points * self.width, self.width, points)


def continued(
    source: str,
    metrics: Sequence[str],
    steps: Steps,
    rows_since: Callable[[float, float], Iterable[tuple[int, Sample]]],
    before: History | None,
) -> History:
    """Return readings (epoch ms, figures) as means of steps; those that `before` has in full are taken from it.

    Args:
        source: What the readings are of.
        metrics: Which figures.
        steps: The steps.
        rows_since: Returns the readings between two moments.
        before: An earlier answer; None, or one of other steps or figures, for none.
    """
    known = 0  # steps at the beginning that are in `before`, but for its last, which was still filling
    if before is not None and before.step_s * 1000 == steps.width and set(before.values) >= set(metrics):
        moved = round((steps.start - before.at[0]) / steps.width)
        known = max(0, len(before.at) - 1 - moved) if moved >= 0 and len(before.at) == steps.points else 0
    fresh = steps.last(steps.points - known)
    means = in_steps(rows_since(fresh.start, fresh.end), metrics, fresh)
    if known and before is not None:
        old = len(before.at) - 1 - known
        means = {name: before.values[name][old:-1] + values for name, values in means.items()}
    return History(
        source=source,
        step_s=steps.width / 1000,
        at=[round(steps.start + place * steps.width) for place in range(steps.points)],
        values=means,
    )


def in_steps(
    readings: Iterable[tuple[int, Sample]], metrics: Sequence[str], steps: Steps
) -> dict[str, list[float | None]]:
    """Return the mean of each figure in each step, None where nothing was measured."""
    sums = {name: [0.0] * steps.points for name in metrics}
    counts = {name: [0] * steps.points for name in metrics}
    for at, sample in readings:
        place = int((at - steps.start) // steps.width)
        if 0 <= place < steps.points:
            for name in metrics:
                value = sample.get(name)
                if value is not None:
                    sums[name][place] += value
                    counts[name][place] += 1
    return {
        name: [total / count if count else None for total, count in zip(sums[name], counts[name], strict=True)]
        for name in metrics
    }


def host_then(store: Store, at: int) -> HostSample:
    """Return what is kept of the machine just before a moment (epoch ms): means of an interval, None elsewhere."""
    row = store.row(
        """select at, resolution, sample from telemetry where source = 'host' and at > ? - 2000 * resolution
           order by resolution, at desc limit 1""",
        [at],
        name="metrics",
    )
    if row is None:
        return HostSample(at=at, cores_total=0)
    known = {name: value for name, value in decode(row["sample"]).items() if name in HostSample.__struct_fields__}
    return msgspec.convert({**known, "at": row["at"], "cores_total": 0}, HostSample, strict=False)


def resolution_for(seconds: int, points: int, age_s: int = 0) -> int:
    """Return which rows to read: the coarsest that still give `points` steps, of those that are kept long enough."""
    kept = [resolution for resolution, limit in KEPT_S.items() if limit >= seconds + age_s] or [max(KEPT_S)]
    enough = [resolution for resolution in kept if seconds // resolution >= min(points, WANTED_POINTS)]
    return max(enough, default=min(kept))


def encode(sample: Sample) -> str:
    """Return a sample as JSON with four significant digits or whole numbers: what a chart can show."""
    return msgspec.json.encode({name: rounded(value) for name, value in sample.items()}).decode()


def decode(text: str) -> Sample:
    """Return a sample from its JSON."""
    return msgspec.json.decode(text, type=dict[str, float | None])


def rounded(value: float | None) -> float | int | None:
    """Return a number short enough to keep for a month."""
    if value is None or value != value:
        return None
    return round(value) if abs(value) >= 1000 else float(f"{value:.4g}")
