"""Detectors of change in a stream of losses: ADWIN, Page–Hinkley and DDM, with a state of numbers alone. Pure.

Each takes one loss after another and says whether it is stable, warns, has found a rise (drift) or a fall (better).
`effect` is by how much more the mean of many rows varies than if they had nothing in common (rows of one day have):
with 1 they find what river's detectors find; with more they wait for as much more evidence, so that a bad day is no
drift.
"""

import math

import msgspec

from lemnis.engine.monitor.concept.records import Level

NEVER = 1e300  # a least value before there is one; JSON knows no infinity


class PageHinkley(msgspec.Struct, kw_only=True):
    """Page–Hinkley test for a rise: the sum of what losses exceed their mean by, above its own minimum.

    Values are in standard deviations of the held-out rows' loss. Without a rise, independent rows reach `threshold`
    about once in exp(2 · delta · threshold) / (2 · delta²) rows: some millions.

    Source: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954); river's mode "up" with alpha 1.
    """

    effect: float = 1.0
    delta: float = 0.1
    threshold: float = 60.0
    warning: float = 45.0
    least_rows: int = 30
    rows: int = 0
    mean: float = 0.0
    total: float = 0.0
    least: float = NEVER

    def update(self, value: float) -> Level:
        """Take one value; after a drift it starts anew."""
        self.rows += 1
        self.mean += (value - self.mean) / self.rows
        self.total += value - self.mean - self.delta
        self.least = min(self.least, self.total)
        risen = self.total - self.least
        if self.rows < self.least_rows * self.effect or risen <= self.warning * self.effect:
            return "stable"
        if risen <= self.threshold * self.effect:
            return "warning"
        self.rows, self.mean, self.total, self.least = 0, 0.0, 0.0, NEVER
        return "drift"


class Ddm(msgspec.Struct, kw_only=True):
    """Drift detection method: the share of misses is far above its own minimum.

    Source: J. Gama et al., Learning with drift detection, SBIA 2004; as river's, but for the start: the share is not
    believed before `least_misses` were seen, as no miss in the first rows makes any later one a drift.
    """

    effect: float = 1.0
    warning: float = 3.0
    drift: float = 4.0
    least_rows: int = 30
    least_misses: int = 10
    rows: int = 0
    misses: int = 0
    low_share: float = NEVER
    low_error: float = NEVER

    def update(self, missed: bool) -> Level:
        """Take whether an answer was missed; after a drift it starts anew."""
        self.rows += 1
        self.misses += missed
        if self.rows <= self.least_rows * self.effect or self.misses < self.least_misses * self.effect:
            return "stable"
        share = self.misses / self.rows
        error = math.sqrt(share * (1 - share) / self.rows * self.effect)
        if share + error <= self.low_share + self.low_error:
            self.low_share, self.low_error = share, error
        if share + error > self.low_share + self.drift * self.low_error:
            self.rows, self.misses, self.low_share, self.low_error = 0, 0, NEVER, NEVER
            return "drift"
        return "warning" if share + error > self.low_share + self.warning * self.low_error else "stable"


class Adwin(msgspec.Struct, kw_only=True):
    """Adaptive windowing: the longest window of the past of which no two parts differ; losses are between 0 and 1.

    As in river it starts anew after a change.

    The window is kept as buckets of 1, 2, 4 … losses, at most `buckets` of each size: (sum, spread) where spread is the
    sum of squares about their mean. `rows_of[k]` holds the buckets of 2^k losses, the oldest first.

    Source: A. Bifet, R. Gavaldà, Learning from time-changing data with adaptive windowing, SDM 2007; as river's, with
    `doubt` for warnings, and with the direction of what was found.
    """

    effect: float = 1.0
    delta: float = 0.002
    doubt: float = 0.1
    clock: int = 32
    buckets: int = 5
    least_rows: int = 5
    grace: int = 10
    rows: int = 0
    total: float = 0.0
    spread: float = 0.0
    rows_of: list[list[tuple[float, float]]] = []
    before: float = 0.0  # means of the two parts that differed last
    after: float = 0.0

    def update(self, value: float) -> Level:
        """Take one loss; after a change it starts anew."""
        self._add(value)
        if self.rows % self.clock or self.rows <= self.grace:
            return "stable"
        found = self._cut()
        if found in ("drift", "better"):
            self.rows, self.total, self.spread, self.rows_of = 0, 0.0, 0.0, []
        return found

    def _add(self, value: float) -> None:
        """Put a loss in, and merge the oldest two buckets of a size of which there are too many."""
        if not self.rows_of:
            self.rows_of = [[]]
        if self.rows:
            self.spread += self.rows * (value - self.total / self.rows) ** 2 / (self.rows + 1)
        self.rows += 1
        self.total += value
        self.rows_of[0].append((value, 0.0))
        for power in range(len(self.rows_of)):
            row = self.rows_of[power]
            if len(row) <= self.buckets:
                break
            (one, one_spread), (two, two_spread) = row.pop(0), row.pop(0)
            size = float(1 << power)
            between = size * size * (one / size - two / size) ** 2 / (size + size)
            if power + 1 == len(self.rows_of):
                self.rows_of.append([])
            self.rows_of[power + 1].append((one + two, one_spread + two_spread + between))

    def _cut(self) -> Level:
        """Compare every older part of the window with what is newer."""
        old_rows, old_total, warned = 0, 0.0, False
        variance = max(self.spread, 0.0) / self.rows
        bounds = [math.log(2 * math.log(self.rows) / delta) for delta in (self.delta, self.doubt)]
        for power in range(len(self.rows_of) - 1, -1, -1):
            size = 1 << power
            for total, _ in self.rows_of[power]:
                old_rows, old_total = old_rows + size, old_total + total
                new_rows = self.rows - old_rows
                if new_rows < self.least_rows:
                    break
                if old_rows < self.least_rows:
                    continue
                old, new = old_total / old_rows, (self.total - old_total) / new_rows
                shares = (1 / (old_rows - self.least_rows + 1) + 1 / (new_rows - self.least_rows + 1)) * self.effect
                far, near = (math.sqrt(2 * shares * variance * b) + 2 / 3 * b * shares for b in bounds)
                if abs(old - new) > far:
                    self.before, self.after = old, new
                    return "drift" if new > old else "better"
                warned = warned or new - old > near
        return "warning" if warned else "stable"
