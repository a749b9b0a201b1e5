"""Evaluates checks over Parquet files: one scan counts all that can share it, then each failing one is looked into."""

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Check
from lemnis.engine.data.duck import open_duck, quote
from lemnis.engine.errors import BadInput, LemnisError, Unavailable
from lemnis.engine.explore.pages import plain_rows
from lemnis.engine.explore.sandbox import Limits, ask, short_message
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.validate.compile import Compiled, bounds_text, compile_check, declared_text, file_order, plain_number
from lemnis.engine.validate.records import CheckResult, Offender, Sample, Waiver, judge

SAMPLE_ROWS = 20
TOP_VALUES = 10
TIMEOUT_S = 120.0  # of one query of ours; one that a person wrote has the sandbox's limits


class Count(Struct, frozen=True, kw_only=True):
    """Failing rows, and the rows the check speaks of; `total` of a key check's rows that have a whole key."""

    failing: int
    total: int


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
        """Count what one scan per table can count; if a scan fails, each of its checks has a scan of its own."""
        counts: dict[str, Count | LemnisError] = {}
        cost: dict[str, float] = {}
        for table in dict.fromkeys(plan.table for plan in plans):
            sharing = [plan for plan in plans if plan.table == table]
            for group in (sharing, *([plan] for plan in sharing)):
                missing = [plan for plan in group if plan.check.name not in counts]
                if not missing:
                    break
                started = monotonic_s()
                try:
                    counts |= self._scan(table, missing)
                except LemnisError as error:
                    if len(missing) == 1:
                        counts[missing[0].check.name] = error
                for plan in missing:
                    cost[plan.check.name] = (monotonic_s() - started) * 1000 / len(missing)
        return counts, cost

    def _scan(self, table: str, plans: list[Compiled]) -> dict[str, Count | LemnisError]:
        """Count failing rows of several checks in one scan; a key that is unique by its hashes is unique."""
        measures: list[str] = []
        for plan in plans:
            hashes = ", ".join(quote(name) for name in plan.key)
            failing = f"count(*) filter (where {plan.violated})" if plan.violated else "0"
            unique = f"count(distinct hash({hashes})) filter (where {plan.applies})" if plan.key else "0"
            measures += [f"count(*) filter (where {plan.applies})", failing, unique]
        row = self._query(f"select {', '.join(measures)} from {quote(table)}")[0]
        counts: dict[str, Count | LemnisError] = {}
        for place, plan in enumerate(plans):
            total, failing, unique = row[3 * place : 3 * place + 3]
            if plan.key and unique < total:
                keys = ", ".join(quote(name) for name in plan.key)
                groups = f"select count(*) as n from {quote(table)} where {plan.applies} group by {keys} having n > 1"
                failing = self._query(f"select coalesce(sum(n), 0)::bigint from ({groups})")[0][0]
            counts[plan.check.name] = Count(failing=failing, total=total)
        return counts

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
        return Found(count=count, message=message, distinct=distinct, top=top, sample=self._sample(plan))

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
        source = f"({plan.listing})" if plan.key else quote(plan.table)
        condition = plan.violated or "true"
        rows = self._query(
            f"select {plan.value} as value, count(*) as n, count(*) over () from {source} where {condition} "
            f"group by 1 order by n desc, value limit {TOP_VALUES}"
        )
        return [Offender(value=str(value), rows=n) for value, n, _ in rows], rows[0][2] if rows else 0

    def _sample(self, plan: Compiled) -> Sample:
        """Return the first failing rows."""
        with self._deadline():
            ordered = plan.query if plan.order else file_order(plan.listing, plan.table, str(self.views[plan.table]))
            table = self.connection.sql(f"{ordered} limit {SAMPLE_ROWS}").to_arrow_table()
        return Sample(columns=table.column_names, rows=plain_rows(table))

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
