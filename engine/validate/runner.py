"""Evaluates checks over Parquet files: one scan counts all that can share it, then each failing one is looked into."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Check
from lemnis.engine.data.duck import quote
from lemnis.engine.data.plain import Cell, plain_rows
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.explore.sandbox import Limits as Bounds
from lemnis.engine.explore.sandbox import ask
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.validate.circumstances import Circumstances
from lemnis.engine.validate.compile import Compiled, compile_check
from lemnis.engine.validate.counting import freshness_found, row_count_found
from lemnis.engine.validate.expectation import expected_rows
from lemnis.engine.validate.questions import Questions
from lemnis.engine.validate.records import CheckResult, Count, Found, Offender, Sample
from lemnis.engine.validate.scan import (
    SAMPLE_ROWS,
    counts_of,
    first_sql,
    freshness_sql,
    offenders_sql,
    repeated_sql,
    rows_sql,
    scan_sql,
    values_sql,
)
from lemnis.engine.validate.tables import repeating_columns
from lemnis.engine.validate.verdicts import judge, limits_of
from lemnis.engine.validate.words import declared_text

if TYPE_CHECKING:
    import pyarrow as pa

TOP_VALUES = 10
VALUE_MEASURES = 4  # of values_sql, per check
TEXTS = ("string", "large_string", "string_view")
TYPED = "\0typed"


class Runner:
    """One run of checks over fixed tables.

    Args:
        views: Parquet file by the name a query calls it.
        columns: Arrow type by column, by view.
        around: What the run must know besides.
        threads: Threads of the query engine.
        memory: Its memory limit, such as ``1GiB``.
        spill: Where it may put what does not fit.
    """

    def __init__(
        self,
        views: Mapping[str, Path],
        columns: Mapping[str, Mapping[str, str]],
        *,
        around: Circumstances,
        threads: int = 1,
        memory: str = "1GiB",
        spill: Path | None = None,
    ) -> None:
        self.views, self.columns, self.around, self.threads = views, columns, around, threads
        self.questions = Questions(views, threads, memory, spill)
        self._offending: dict[str, tuple[list[Offender], int]] = {}  # by check, where the count has told them
        self._first_rows: dict[str, dict[int, dict[str, Cell]]] = {}  # by table, by number in its file

    def close(self) -> None:
        self.questions.close()

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
                plans[check.name] = compile_check(check, self.columns, self.around)
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
        waiver, limits = self.around.waivers.get(check.name), limits_of(check)
        found = outcome if isinstance(outcome, Found) else None
        compiled = plan if isinstance(plan, Compiled) else None
        verdict = "not evaluated"
        if found:
            failing, total = found.count.failing, found.count.total
            raw = judge(failing, total, limits, waived=False)
            verdict = judge(failing, total, limits, waived=waiver is not None)
            waiver = waiver if verdict != raw else None
        return CheckResult(
            position=position,
            name=check.name,
            kind=check.kind,
            source=check.source or "data",
            rule=compiled.rule if compiled else declared_text(check),
            severity=limits.severity,
            owner=check.owner,
            why=check.why,
            verdict=verdict,
            failing=found.count.failing if found else None,
            total=found.count.total if found else None,
            distinct=found.distinct if found else None,
            allowed=limits.allowed,
            limits=limits.text,
            message=outcome.message
            if isinstance(outcome, Found)
            else " ".join((outcome.problem, outcome.remedy)).strip(),
            waiver=waiver if found else None,
            sql=compiled.query if compiled else check.query,
            typed=bool(compiled.typed) if compiled else check.kind == "sql",
            sample=found.sample if found else Sample(),
            top=found.top if found else [],
            duration_ms=duration_ms,
            expected=found.expected if found else None,
        )

    def _shared_counts(self, plans: list[Compiled]) -> tuple[dict[str, Count | LemnisError], dict[str, float]]:
        """Count what one scan per table can count; if a scan fails, each of its checks has a scan of its own.

        What a person typed has a scan apart, in the sandbox. Returns counts, and milliseconds, by check.
        """
        counts: dict[str, Count | LemnisError] = {}
        cost: dict[str, float] = {}
        for (table, way), sharing in self._ways(plans).items():
            for group in (sharing, *([plan] for plan in sharing)):
                started = monotonic_s()
                try:
                    counts |= self._values(table, way, group) if way else self._scan(table, group)
                except LemnisError as error:
                    counts |= {plan.check.name: error for plan in group}
                for plan in group:
                    cost[plan.check.name] = (monotonic_s() - started) * 1000 / len(group)
                if group is sharing and not isinstance(counts[sharing[0].check.name], LemnisError):
                    break
        self._find_first(plans, counts)
        return counts, cost

    def _ways(self, plans: list[Compiled]) -> dict[tuple[str, str], list[Compiled]]:
        """Return which plans are counted together: by table and column where a column's values repeat, else by table.

        What people typed is counted apart, as the column TYPED, which no table has.
        """
        repeating = {table: repeating_columns(self.views[table]) for table in {plan.table for plan in plans}}
        ways: dict[tuple[str, str], list[Compiled]] = {}
        for plan in plans:
            text = plan.by_value and self.columns[plan.table][plan.columns[0]] in TEXTS
            column = plan.columns[0] if text and plan.columns[0] in repeating[plan.table] else ""
            way = TYPED if plan.check.kind == "condition" else column
            ways.setdefault((plan.table, way), []).append(plan)
        return ways

    def _values(self, table: str, column: str, plans: list[Compiled]) -> dict[str, Count]:
        """Count failing rows of checks that depend on one column alone, judging each of its values once."""
        if column == TYPED:
            return self._scan(table, plans, typed=True)
        row = self.questions.rows(values_sql(table, column, plans, TOP_VALUES))[0]
        counts: dict[str, Count] = {}
        for place, plan in enumerate(plans):
            total, failing, distinct, top = row[VALUE_MEASURES * place : VALUE_MEASURES * (place + 1)]
            counts[plan.check.name] = Count(failing=failing, total=total)
            found: list[dict[str, Any]] = top or []
            offenders = [Offender(value=str(each["value"]), rows=-each["n"]) for each in found]
            self._offending[plan.check.name] = (offenders, distinct)
        return counts

    def _scan(self, table: str, plans: list[Compiled], *, typed: bool = False) -> dict[str, Count]:
        """Count failing rows of several checks in one scan."""
        counts = counts_of(self._row(scan_sql(table, plans), table, plans, typed=typed), plans)
        for plan in plans:
            count = counts[plan.check.name]
            if count.distinct_hashes is not None and count.distinct_hashes < count.total:
                failing = self.questions.rows(repeated_sql(plan))[0][0]
                counts[plan.check.name] = Count(failing=failing, total=count.total)
        return counts

    def _find_first(self, plans: list[Compiled], counts: dict[str, Count | LemnisError]) -> None:
        """Find the first failing rows of all checks of a table that fail, in one more scan, and keep those rows."""
        broken: dict[tuple[str, bool], list[Compiled]] = {}
        for plan in plans:
            count = counts[plan.check.name]
            if isinstance(count, Count) and count.failing and plan.violated:
                broken.setdefault((plan.table, plan.check.kind == "condition"), []).append(plan)
        for (table, typed), failing in broken.items():
            path = str(self.views[table])
            try:
                found = self._row(first_sql(table, path, failing), table, failing, typed=typed)
                self._keep(table, rows_sql(path, sorted({number for first in found for number in first})))
            except LemnisError:
                continue  # the counts stand; each check looks for its own first rows
            for plan, first in zip(failing, found, strict=True):
                count = counts[plan.check.name]
                assert isinstance(count, Count)
                counts[plan.check.name] = msgspec.structs.replace(count, first=first)

    # Any: a row of DuckDB's answer.
    def _row(self, sql: str, table: str, plans: Sequence[Compiled], *, typed: bool) -> Sequence[Any]:
        """Return the one row of a scan; one that holds conditions which people typed is asked of the sandbox."""
        if not typed:
            return self.questions.rows(sql)[0]
        conditions = ", ".join(f"(\n{plan.check.condition}\n)" for plan in plans)
        # A filter may speak of its own row alone; as a column, a sum over all rows would pass for one.
        filters = [
            Statement(sql=f"select 1 from {quote(table)} where (\n{plan.check.condition}\n) limit 0") for plan in plans
        ]
        counting = Statement(sql=sql, typed=f"select {conditions} from {quote(table)}")
        answer = ask([*filters, counting], self.views, Bounds(threads=self.threads))[-1].table
        return [column[0].as_py() for column in answer.columns]

    def _keep(self, table: str, sql: str) -> None:
        """Keep the rows of a query by their number in the file, for the samples."""
        found = self.questions.table(sql)
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
            return self._row_count(plan, count.total)
        if plan.check.kind == "freshness":
            return self._freshness(plan)
        noted = f"; {count.noted:,} {plan.noted_text}" if count.noted else ""
        if not count.failing:
            message = f"none of {count.total:,} rows{noted}"
            return Found(count=count, message=message, distinct=0 if plan.value else None)
        top, distinct = self._offenders(plan)
        message = f"{count.failing:,} of {count.total:,} rows {plan.breach}"
        if distinct is not None:
            message += f"; {distinct:,} different value{'s' if distinct != 1 else ''}"
        if allowed := limits_of(plan.check).allowed:
            message += f"; {allowed:,} are allowed"
        sample = self._sample(plan, count)
        return Found(count=count, message=message + noted, distinct=distinct, top=top, sample=sample)

    def _row_count(self, plan: Compiled, rows: int) -> Found:
        expected = None
        if plan.check.learned:
            at = self.around.delivered.get(plan.table, self.around.now)
            expected = expected_rows(self.around.past.get(plan.table, []), at)
        return row_count_found(plan.check, rows, expected)

    def _freshness(self, plan: Compiled) -> Found:
        now = self.around.now
        if not plan.columns:
            return freshness_found(plan.check, self.around.synced.get(plan.table), now)
        newest, later = self.questions.rows(freshness_sql(plan, self.columns[plan.table][plan.columns[0]], now))[0]
        return freshness_found(plan.check, newest, now, later=later)

    def _typed(self, plan: Compiled, total: int) -> Found:
        """Run a person's query in the sandbox; every row it lists fails."""
        statement = Statement(sql=plan.listing, typed=plan.listing, keep=SAMPLE_ROWS)
        answer = ask([statement], self.views, Bounds(threads=self.threads))[0]
        rule = f"{answer.total:,} rows {plan.breach}" if answer.total else "the query lists no row"
        sample = Sample(columns=answer.table.column_names, rows=plain_rows(answer.table))
        return Found(count=Count(failing=answer.total, total=total), message=rule, sample=sample)

    def _offenders(self, plan: Compiled) -> tuple[list[Offender], int | None]:
        """Return the most frequent offending values, and how many different ones there are."""
        if plan.check.name in self._offending:
            return self._offending[plan.check.name]
        if not plan.value:
            return [], None
        rows = self.questions.rows(offenders_sql(plan, TOP_VALUES))
        return [Offender(value=str(value), rows=n) for value, n, _ in rows], rows[0][2] if rows else 0

    def _sample(self, plan: Compiled, count: Count) -> Sample:
        """Return the first failing rows: those the scan has found, or of a key the first by its order."""
        if count.first:
            columns = list(dict.fromkeys([*plan.columns, *self.columns[plan.table]]))
            kept = self._first_rows[plan.table]
            return Sample(columns=columns, rows=[[kept[number][name] for name in columns] for number in count.first])
        table: pa.Table = self.questions.table(f"{plan.query} limit {SAMPLE_ROWS}")
        return Sample(columns=table.column_names, rows=plain_rows(table))


def tally(results: Iterable[CheckResult]) -> dict[str, int]:
    """Return how many checks passed, warned, failed and were not evaluated."""
    verdicts = [result.verdict for result in results]
    return {
        "passed": verdicts.count("pass"),
        "warned": verdicts.count("warn"),
        "failed": verdicts.count("fail"),
        "not_evaluated": verdicts.count("not evaluated"),
    }
