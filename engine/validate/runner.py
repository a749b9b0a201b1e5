"""Evaluates checks over Parquet files: one scan counts all that can share it, then each failing one is looked into."""

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Check
from lemnis.engine.data.duck import open_duck
from lemnis.engine.errors import BadInput, LemnisError, Unavailable
from lemnis.engine.explore.pages import Cell, plain_rows
from lemnis.engine.explore.sandbox import Limits, ask, short_message
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.validate.compile import Compiled, bounds_text, compile_check, declared_text, plain_number
from lemnis.engine.validate.records import CheckResult, Offender, Sample, Waiver, judge
from lemnis.engine.validate.scan import (
    SAMPLE_ROWS,
    Count,
    counts_of,
    offenders_sql,
    repeated_sql,
    rows_sql,
    scan_sql,
)

if TYPE_CHECKING:
    import pyarrow as pa

TOP_VALUES = 10
TIMEOUT_S = 120.0  # of one query of ours; one that a person wrote has the sandbox's limits


class Found(Struct, frozen=True, kw_only=True):
    """What was found of one check."""

    count: Count
    message: str
    distinct: int | None = None
    top: list[Offender] = []
    sample: Sample = Sample()


class Runner:
    """One run of checks over fixed tables.

    Args:
        views: Parquet file by the name a query calls it.
        columns: Arrow type by column, by view.
        waivers: The waivers in force, by check.
        threads: Threads of the query engine.
        memory: Its memory limit, such as ``1GiB``.
        spill: Where it may put what does not fit.
    """

    def __init__(
        self,
        views: Mapping[str, Path],
        columns: Mapping[str, Mapping[str, str]],
        *,
        waivers: Mapping[str, Waiver],
        threads: int = 1,
        memory: str = "1GiB",
        spill: Path | None = None,
    ) -> None:
        self.views, self.columns, self.waivers, self.threads = views, columns, waivers, threads
        self.connection = open_duck(threads, memory, views=views, spill=spill)
        self._first_rows: dict[str, dict[int, dict[str, Cell]]] = {}  # by table, by number in its file

    def close(self) -> None:
        self.connection.close()

    def run(
        self, checks: list[Check], on_check: Callable[[int, str], None] = lambda n, name: None
    ) -> list[CheckResult]:
        """Evaluate every check, in their order; one that can't be evaluated says why and disturbs no other.

        Args:
            checks: What must hold.
            on_check: Called with the number and name of each check before it; may raise to stop.
        """
        plans: dict[str, Compiled | LemnisError] = {}
        for check in checks:
            try:
                plans[check.name] = compile_check(check, self.columns)
            except LemnisError as error:
                plans[check.name] = error
        counts, shared_ms = self._shared_counts([plan for plan in plans.values() if isinstance(plan, Compiled)])
        results: list[CheckResult] = []
        for position, check in enumerate(checks):
            on_check(position, check.name)
            started = monotonic_s()
            plan, found = plans[check.name], counts.get(check.name)
            try:
                if isinstance(plan, LemnisError):
                    raise plan
                outcome: Found | LemnisError = self._found(plan, found)
            except LemnisError as error:
                outcome = error
            duration_ms = (monotonic_s() - started) * 1000 + shared_ms.get(check.name, 0.0)
            results.append(self._result(position, check, plan, outcome, duration_ms))
        return results

    def _result(
        self,
        position: int,
        check: Check,
        plan: Compiled | LemnisError,
        outcome: Found | LemnisError,
        duration_ms: float,
    ) -> CheckResult:
        waiver = self.waivers.get(check.name)
        found = outcome if isinstance(outcome, Found) else None
        verdict = "not evaluated"
        if found:
            raw = judge(found.count.failing, check.allow, check.severity, waived=False)
            verdict = judge(found.count.failing, check.allow, check.severity, waived=waiver is not None)
            waiver = waiver if verdict != raw else None
        return CheckResult(
            position=position,
            name=check.name,
            kind=check.kind,
            source=check.source or "data",
            rule=plan.rule if isinstance(plan, Compiled) else declared_text(check),
            severity=check.severity,
            owner=check.owner,
            why=check.why,
            verdict=verdict,
            failing=found.count.failing if found else None,
            total=found.count.total if found else None,
            distinct=found.distinct if found else None,
            allowed=check.allow,
            message=outcome.message
            if isinstance(outcome, Found)
            else " ".join((outcome.problem, outcome.remedy)).strip(),
            waiver=waiver if found else None,
            sql=plan.query if isinstance(plan, Compiled) else check.query,
            typed=check.kind == "sql",
            sample=found.sample if found else Sample(),
            top=found.top if found else [],
            duration_ms=duration_ms,
        )

    def _shared_counts(self, plans: list[Compiled]) -> tuple[dict[str, Count | LemnisError], dict[str, float]]:
        """Count what one scan per table can count; if a scan fails, each of its checks has a scan of its own.

        Returns counts, and milliseconds, by check.
        """
        counts: dict[str, Count | LemnisError] = {}
        cost: dict[str, float] = {}
        for table in dict.fromkeys(plan.table for plan in plans):
            sharing = [plan for plan in plans if plan.table == table]
            for group in (sharing, *([plan] for plan in sharing)):
                started = monotonic_s()
                try:
                    counts |= self._scan(table, group)
                except LemnisError as error:
                    counts |= {plan.check.name: error for plan in group}
                for plan in group:
                    cost[plan.check.name] = (monotonic_s() - started) * 1000 / len(group)
                if group is sharing and not isinstance(counts[sharing[0].check.name], LemnisError):
                    break
        return counts, cost

    def _scan(self, table: str, plans: list[Compiled]) -> dict[str, Count]:
        """Count failing rows of several checks in one scan, and read the first of them."""
        path = str(self.views[table])
        counts = counts_of(self._query(scan_sql(table, path, plans))[0], plans)
        for plan in plans:
            count = counts[plan.check.name]
            if count.distinct_hashes is not None and count.distinct_hashes < count.total:
                failing = self._query(repeated_sql(plan))[0][0]
                counts[plan.check.name] = Count(failing=failing, total=count.total)
        numbers = sorted({number for count in counts.values() for number in count.first})
        if numbers:
            self._keep(table, rows_sql(path, numbers))
        return counts

    def _keep(self, table: str, sql: str) -> None:
        """Keep the rows of a query by their number in the file, for the samples."""
        found = self._table(sql)
        names, numbers = found.column_names, found.column("file_row_number").to_pylist()
        rows = [dict(zip(names, row, strict=True)) for row in plain_rows(found)]
        self._first_rows.setdefault(table, {}).update(zip(numbers, rows, strict=True))

    def _found(self, plan: Compiled, count: Count | LemnisError | None) -> Found:
        """Look into one check after its rows are counted.

        Raises:
            LemnisError: It can't be evaluated.
        """
        if isinstance(count, LemnisError):
            raise count
        if count is None:
            raise Unavailable("Its rows were not counted.", "Run the checks again.")
        if plan.check.kind == "sql":
            return self._typed(plan, count.total)
        if plan.check.kind == "row_count":
            return row_count_found(plan.check, count.total)
        if not count.failing:
            return Found(count=count, message=f"none of {count.total:,} rows", distinct=0 if plan.value else None)
        top, distinct = self._offenders(plan)
        message = f"{count.failing:,} of {count.total:,} rows {plan.breach}"
        if distinct is not None:
            message += f"; {distinct:,} different value{'s' if distinct != 1 else ''}"
        if plan.check.allow:
            message += f"; {plan.check.allow:,} are allowed"
        return Found(count=count, message=message, distinct=distinct, top=top, sample=self._sample(plan, count))

    def _typed(self, plan: Compiled, total: int) -> Found:
        """Run a person's query in the sandbox; every row it lists fails."""
        statement = Statement(sql=plan.listing, typed=plan.listing, keep=SAMPLE_ROWS)
        answer = ask([statement], self.views, Limits(threads=self.threads))[0]
        rule = f"{answer.total:,} rows {plan.breach}" if answer.total else "the query lists no row"
        sample = Sample(columns=answer.table.column_names, rows=plain_rows(answer.table))
        return Found(count=Count(failing=answer.total, total=total), message=rule, sample=sample)

    def _offenders(self, plan: Compiled) -> tuple[list[Offender], int | None]:
        """Return the most frequent offending values, and how many different ones there are."""
        if not plan.value:
            return [], None
        rows = self._query(offenders_sql(plan, TOP_VALUES))
        return [Offender(value=str(value), rows=n) for value, n, _ in rows], rows[0][2] if rows else 0

    def _sample(self, plan: Compiled, count: Count) -> Sample:
        """Return the first failing rows: those the scan has found, or of a key the first by its order."""
        if count.first:
            columns = list(dict.fromkeys([*plan.columns, *self.columns[plan.table]]))
            kept = self._first_rows[plan.table]
            return Sample(columns=columns, rows=[[kept[number][name] for name in columns] for number in count.first])
        table = self._table(f"{plan.query} limit {SAMPLE_ROWS}")
        return Sample(columns=table.column_names, rows=plain_rows(table))

    def _table(self, sql: str) -> "pa.Table":
        with self._deadline():
            return self.connection.sql(sql).to_arrow_table()

    # Any: a row has whatever the query selects.
    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._deadline():
            return self.connection.execute(sql).fetchall()

    @contextmanager
    def _deadline(self) -> Generator[None, None, None]:
        """Stop a query after TIMEOUT_S, and turn DuckDB's errors into ours."""
        import duckdb

        timer = threading.Timer(TIMEOUT_S, self.connection.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise Unavailable(
                f"It took longer than {TIMEOUT_S:g} s and was stopped.", "Give the job more cores."
            ) from None
        except duckdb.OutOfMemoryException:
            raise Unavailable("It needed more memory than it may use.", "Check fewer columns at once.") from None
        except duckdb.Error as error:
            raise BadInput(short_message(str(error)), "Change the check.") from None
        finally:
            timer.cancel()


def row_count_found(check: Check, rows: int) -> Found:
    """Return how many rows a table has too few or too many."""
    short = max(0, (check.min or 0) - rows) if check.min is not None else 0
    over = max(0, rows - check.max) if check.max is not None else 0
    message = f"{rows:,} rows"
    if short or over:
        message += f", {plain_number(short or over)} too {'few' if short else 'many'} for {bounds_text(check)}"
    return Found(count=Count(failing=int(short + over), total=rows), message=message)


def tally(results: Iterable[CheckResult]) -> dict[str, int]:
    """Return how many checks passed, warned, failed and were not evaluated."""
    verdicts = [result.verdict for result in results]
    return {
        "passed": verdicts.count("pass"),
        "warned": verdicts.count("warn"),
        "failed": verdicts.count("fail"),
        "not_evaluated": verdicts.count("not evaluated"),
    }
