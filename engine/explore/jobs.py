"""The work of exploring, as the worker does it: a sample of every column first, then all rows, column by column."""

import gc
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.data.versions import Version, find_version, list_versions
from lemnis.engine.explore.columns import SAMPLE_FROM, Columns
from lemnis.engine.explore.missing import Missingness, MissingPattern, find_missingness, save_missingness
from lemnis.engine.explore.profile import Profile, blank_profile, list_profiles, save_profile

if TYPE_CHECKING:
    from lemnis.engine.explore.measure import Beside, Measured
    from lemnis.engine.jobs.context import JobContext

KEEP_EVERY_S = 0.1  # a commit waits for the disk; a person can't see more than ten a second


def profile(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Profile the columns of a version that have no exact profile yet; what is measured can be read meanwhile.

    Args:
        context: The job.
        arguments: ``version``: id of the version; ``again``: measure every column anew; ``first``: the column to begin
            with.

    Raises:
        Cancelled: The job was asked to stop; what was measured is kept.
    """
    version = find_version(context.store, arguments.get("version"))
    if arguments.get("again"):
        with context.store.write() as db:
            db.execute("delete from profiles where version_id = ?", [version.id])
    return Profiling(context, version, arguments.get("first") or "").run()


class Profiling:
    """One profiling of one version: what is known, what is waiting to be kept, and the marks of missing rows."""

    def __init__(self, context: "JobContext", version: Version, first: str) -> None:
        self.context, self.version = context, version
        self.columns = Columns(version)
        self.known = {found.name: found for found in list_profiles(context.store, version.id)}
        order = sorted(range(len(version.columns)), key=lambda place: version.columns[place].name != first)
        self.sampled_next = [place for place in order if self._name(place) not in self.known]
        self.exact_next = [
            place for place in order if self._name(place) not in self.known or not self.known[self._name(place)].exact
        ]
        self.marks: dict[str, Any] = {}  # Any: NumPy arrays, which this module does not load
        self.waiting: list[Profile] = []
        self.kept_at = self.started = monotonic_s()

    def run(self) -> dict[str, Any]:
        """Measure what is not measured, and return what was done."""
        with self._keeping():
            if self.version.rows >= SAMPLE_FROM and self.sampled_next:
                self._sample()
            self._exact()
            self._keep()
            self._keys()
            found = find_missingness(self.context.store, self.version.id)
            if self.exact_next or found is None or not found.exact:
                self._patterns(self._all_marks(), self.version.rows)
        seconds = round(monotonic_s() - self.started, 3)
        return {"version": self.version.id, "columns": len(self.exact_next), "seconds": seconds}

    def _sample(self) -> None:
        """Measure the sample of every column that nothing is known of."""
        from lemnis.engine.explore.sampling import Sample

        sample = Sample(self.columns, self.version.label)
        for done, place in enumerate(self.sampled_next):
            self._tell(0.05 * done / len(self.sampled_next), f"sample of {self._name(place)}", done, self.sampled_next)
            self._take(place, sample.measure(place))
        self._patterns(self.marks, sample.rows)
        self.marks.clear()

    def _exact(self) -> None:
        """Measure all rows of the columns, as many at once as the job has cores."""
        if not self.exact_next:
            return
        from lemnis.engine.explore.measure import measure_column

        beside = self._beside()
        began = monotonic_s()

        def measure(place: int) -> "Measured":
            column = self.version.columns[place]
            values = self.columns.whole(column.name)
            return measure_column(values, blank_profile(column, place, self.version.rows), beside(column.name))

        with ThreadPoolExecutor(max(1, self.context.cores)) as pool:
            jobs: dict[Future[Measured], int] = {pool.submit(measure, place): place for place in self.exact_next}
            try:
                for done, job in enumerate(as_completed(jobs)):
                    self._take(jobs[job], job.result())
                    left = (monotonic_s() - began) / (done + 1) * (len(jobs) - done - 1)
                    name = f"{self._name(jobs[job])}, about {left:.0f} s left"
                    self._tell(0.05 + 0.95 * (done + 1) / len(jobs), name, done, self.exact_next)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _keys(self) -> None:
        """Read the keys of the rows with the farthest values, of all columns at once."""
        from lemnis.engine.explore.split import with_keys

        self.waiting += with_keys(self.version, list_profiles(self.context.store, self.version.id))
        self._keep()

    def _beside(self) -> "Callable[[str], Beside]":
        """Return what a column is measured against."""
        from lemnis.engine.explore.measure import Beside
        from lemnis.engine.explore.target import label_classes

        classes = label_classes(self.columns.whole(self.version.label)) if self.version.label else None
        earlier = [
            found
            for found in list_versions(self.context.store, self.version.name)
            if found.number < self.version.number
        ]
        before = max(earlier, key=lambda found: found.number, default=None)
        profiles = {found.name: found for found in list_profiles(self.context.store, before.id)} if before else {}
        title = before.title if before else ""
        return lambda name: Beside(classes, profiles.get(name), title)

    def _all_marks(self) -> dict[str, Any]:
        """Return which rows are missing by column, also of those that were measured by an earlier job."""
        import numpy as np

        for found in self.known.values():
            if found.exact and found.missing:
                values = self.columns.whole(found.name)
                self.marks[found.name] = np.packbits(values.is_null(nan_is_null=True).to_numpy())
        return self.marks

    def _patterns(self, marks: dict[str, Any], rows: int) -> None:
        """Find which columns are missing together, and keep it."""
        from lemnis.engine.explore.patterns import missing_patterns

        patterns, total = missing_patterns(marks, rows)
        found = Missingness(
            rows=rows,
            exact=rows == self.version.rows,
            candidates=[column.name for column in self.version.columns if column.name in marks],
            patterns=[MissingPattern(columns=list(one.columns), rows=one.rows) for one in patterns],
            total=total,
        )
        with self.context.store.write() as db:
            save_missingness(db, self.version.id, found, now=now_ms())

    def _name(self, place: int) -> str:
        return self.version.columns[place].name

    def _tell(self, share: float, words: str, done: int, of: list[int]) -> None:
        self.context.progress(share, f"{words} ({done + 1} of {len(of)})")

    def _take(self, place: int, measured: "Measured") -> None:
        """Keep a profile soon, and remember which rows are missing."""
        self.waiting.append(measured.profile)
        if measured.missing is not None:
            self.marks[self._name(place)] = measured.missing
        if monotonic_s() - self.kept_at >= KEEP_EVERY_S or self.kept_at == self.started:
            self._keep()

    @contextmanager
    def _keeping(self) -> Generator[None, None, None]:
        """Keep what was measured however the work ends; its arrays hold no cycles, so none are looked for."""
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
            self._keep()

    def _keep(self) -> None:
        if self.waiting:
            with self.context.store.write() as db:
                for measured in self.waiting:
                    save_profile(db, self.version.id, measured, now=now_ms())
            self.waiting.clear()
            self.kept_at = monotonic_s()
