"""What validation knows: a verdict per check, a run of all checks, a waiver, a point of a check's history. Pure."""

from typing import Literal, TypeAlias

from msgspec import Struct, field

from lemnis.engine.explore import Cell
from lemnis.engine.validate.expectation import Expectation

Outcome: TypeAlias = Literal["pass", "warn", "fail", "not evaluated"]

# Failing rows against the run before; fixed ones failed then.
Which: TypeAlias = Literal["all", "new", "persisting", "fixed"]

WORST_FIRST: tuple[Outcome, ...] = ("fail", "not evaluated", "warn", "pass")
DATASET = "data"  # what a query calls the dataset
COUNTING = ("row_count", "freshness")  # kinds that no single row fails


class Offender(Struct, frozen=True, kw_only=True):
    """A value that must not be there, and the rows that hold it."""

    value: str
    rows: int


class Sample(Struct, frozen=True, kw_only=True):
    """The first failing rows, the checked columns before the others."""

    columns: list[str] = field(default_factory=list[str])
    rows: list[list[Cell]] = field(default_factory=list[list[Cell]])


class Waiver(Struct, frozen=True, kw_only=True):
    """Somebody takes a failing check upon themselves until a time (epoch ms): it warns meanwhile."""

    id: int
    check: str
    until: int
    who: str
    why: str
    at: int


class Count(Struct, frozen=True, kw_only=True):
    """Failing rows, the rows the check speaks of, and the numbers of the first failing rows in the table's file.

    `distinct_hashes` is None, or for a key how many different hashes its rows have: as many as rows means unique.
    `noted` rows are fine but worth saying.
    """

    failing: int
    total: int
    first: list[int] = []
    distinct_hashes: int | None = None
    noted: int = 0


class Found(Struct, frozen=True, kw_only=True):
    """What was found of one check."""

    count: Count
    message: str
    distinct: int | None = None
    top: list[Offender] = field(default_factory=list[Offender])
    sample: Sample = Sample()
    expected: Expectation | None = None


class Compared(Struct, frozen=True, kw_only=True):
    """The failing rows of a check against those of the run before in which it was evaluated, by identity.

    Attributes:
        run: That run.
        new, persisting, fixed: Rows that fail now alone, in both, and then alone.
        whole: Whether all failing rows of both were kept; if not, these are counts of the same sample of both.
        by: The columns that identify a row.
    """

    run: int
    new: int
    persisting: int
    fixed: int
    whole: bool
    by: list[str] = field(default_factory=list[str])


class CheckResult(Struct, frozen=True, kw_only=True):
    """One check in one run.

    Attributes:
        source: The table it is about: a source, or ``data`` for the dataset.
        rule: What must hold, in words.
        failing: Rows that break it; for a row count, how many rows are too few or too many; None: not evaluated.
        total: Rows it speaks of: a reference, a code list and a range say nothing of missing values.
        distinct: How many different offending values there are; None where values mean nothing.
        allowed: Failing rows that are still fine.
        limits: The thresholds in words, where the check has other than the plain ones.
        message: What was found, or why it could not be evaluated.
        waiver: The waiver in force at that time, if it changed the verdict.
        sql: The query that lists the failing rows over views named like the sources, and ``data``.
        typed: Whether a person wrote that query.
        expected: What a learned row count was compared with.
        compared: Against the run before; None for the first, and where no row fails a check.
    """

    position: int
    name: str
    kind: str
    source: str
    rule: str
    severity: str
    owner: str
    why: str
    verdict: Outcome
    failing: int | None
    total: int | None
    distinct: int | None
    allowed: int
    limits: str
    message: str
    waiver: Waiver | None
    sql: str
    typed: bool
    sample: Sample
    top: list[Offender]
    duration_ms: float
    expected: Expectation | None = None
    compared: Compared | None = None

    @property
    def share(self) -> float | None:
        """Failing rows as a share of the rows it speaks of; None when not evaluated or there are none."""
        return self.failing / self.total if self.failing is not None and self.total else None

    @property
    def listable(self) -> bool:
        """Whether there are failing rows to list."""
        return bool(self.failing) and self.kind not in COUNTING


class Reason(Struct, frozen=True, kw_only=True):
    """A value of another column that failing rows hold more often than all rows do.

    Attributes:
        value: As text; of a time its month, None where it is missing.
        failing, rows: Failing rows and rows of the table that hold it.
        failing_share, rows_share: Both as shares, of all failing rows and of all rows.
        also: Other columns with a value that as many failing rows and as many rows hold: they say the same.
    """

    column: str
    value: str | None
    failing: int
    rows: int
    failing_share: float
    rows_share: float
    also: list[str] = field(default_factory=list[str])

    @property
    def lift(self) -> float:
        """How many times more often it stands among failing rows."""
        return self.failing_share / self.rows_share if self.rows_share else float("inf")


class CheckRun(Struct, frozen=True, kw_only=True):
    """All checks over one dataset version at one time; `kept` names the file of its failing rows' identities."""

    id: int
    version_id: str
    version_title: str
    job_id: int | None
    started_at: int
    ended_at: int
    passed: int
    warned: int
    failed: int
    not_evaluated: int
    kept: str = ""

    @property
    def short_of(self) -> bool:
        """Whether something failed or was not evaluated: neither may be taken for a pass."""
        return bool(self.failed or self.not_evaluated)


class HistoryPoint(Struct, frozen=True, kw_only=True):
    """How one check went in one run."""

    check_run_id: int
    at: int
    version_id: str
    version_title: str
    verdict: Outcome
    failing: int | None
    total: int | None
