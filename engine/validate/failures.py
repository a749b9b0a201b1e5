"""The failing rows of a check: any page of them, or all of them into a file."""

from pathlib import Path

from msgspec import Struct

from lemnis.engine.data import DataRoom
from lemnis.engine.data.export import new_file, write_rows
from lemnis.engine.data.plain import plain_rows
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore.pages import Page
from lemnis.engine.explore.sandbox import Limits, ask, streams
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.store import Store
from lemnis.engine.validate.history import find_run, list_results
from lemnis.engine.validate.identity import BEFORE, NOW, rows_sql
from lemnis.engine.validate.kept import kept_path
from lemnis.engine.validate.records import COUNTING, CheckResult, Which
from lemnis.engine.validate.tables import table_files

EXPORT = Limits(wall_seconds=600, cpu_seconds=600, memory_bytes=1 << 30)


def find_result(store: Store, name: str, check_run_id: int | None) -> tuple[CheckResult, dict[str, Path]]:
    """Return one check's result in a run (None: the latest), and the files it was about.

    Raises:
        NotFound: There is no such run or check.
        BadInput: It lists no rows.
    """
    run = find_run(store, check_run_id)
    results = {result.name: result for result in list_results(store, run.id)}
    if name not in results:
        raise NotFound(f"Run {run.id} has no check {name!r}.", f"Checks: {', '.join(results)}.")
    result = results[name]
    if result.failing is None:
        raise BadInput(f"The check {name} was not evaluated: {result.message}", "Mend that and run the checks again.")
    if result.kind in COUNTING:
        raise BadInput(f"No single row fails the check {name}.", "Look at another check.")
    return result, table_files(store, DataRoom(store).version(run.version_id))


class Asked(Struct, frozen=True, kw_only=True):
    """Which rows: of a check, in a run (None: the latest), all or one class against the run before."""

    check: str
    run: int | None = None
    which: Which = "all"


class Question(Struct, frozen=True, kw_only=True):
    """A query of failing rows and what it may read."""

    sql: str
    typed: str
    views: dict[str, Path]
    total: int | None

    @property
    def count(self) -> Statement:
        """The statement that counts the rows."""
        return Statement(sql=f"select count(*) from (\n{self.sql}\n)", typed=self.typed)


def question(store: Store, asked: Asked) -> Question:
    """Return the query of the rows that are asked for.

    Raises:
        NotFound: There is no such run or check, or the run before is gone.
        BadInput: It lists no rows, or was not compared.
    """
    run = find_run(store, asked.run)
    result, files = find_result(store, asked.check, run.id)
    path = str(files.get(result.source, ""))
    typed = result.sql if result.typed else ""
    if asked.which == "all":
        return Question(sql=rows_sql(result, path), typed=typed, views=files, total=result.failing)
    if result.compared is None:
        raise BadInput(f"{asked.check} was not compared with a run before.", "Run the checks again after a change.")
    before_run = find_run(store, result.compared.run)
    kept = {NOW: kept_path(store, run.kept), BEFORE: kept_path(store, before_run.kept)}
    gone = [path.name for path in kept.values() if not path.is_file()]
    if gone:
        raise NotFound(f"The failing rows of an old run are not kept any more ({gone[0]}).", "Look at a later run.")
    by = result.compared.by
    if asked.which == "fixed":
        result, files = find_result(store, asked.check, before_run.id)
        path, typed = str(files.get(result.source, "")), result.sql if result.typed else ""
    return Question(sql=rows_sql(result, path, asked.which, by), typed=typed, views={**files, **kept}, total=None)


def failing_page(store: Store, asked: Asked, offset: int, limit: int) -> Page:
    """Return a page of failing rows, the checked columns first; asked of the sandbox.

    Raises:
        NotFound, BadInput: See `question`.
        Unavailable: The query ran past its limits.
    """
    found = question(store, asked)
    page = Statement(sql=f"{found.sql} limit {limit} offset {offset}", typed=found.typed)
    if found.total is not None:
        table, total = ask([page], found.views)[0].table, found.total
    else:
        counted, rows = ask([found.count, page], found.views)
        table, total = rows.table, int(counted.table.column(0)[0].as_py())
    return Page(total=total, offset=offset, columns=table.column_names, rows=plain_rows(table))


def export_failing(store: Store, asked: Asked, path: Path) -> int:
    """Write all rows that are asked for to a new CSV, JSON lines or Parquet file; return how many.

    Raises:
        NotFound, BadInput: See `question`; or the file exists, or has another ending.
        Unavailable: The query ran past its limits.
    """
    found = question(store, asked)
    rows = 0
    with new_file(path) as part, streams([Statement(sql=found.sql, typed=found.typed)], found.views, EXPORT) as each:
        for stream in each:
            rows += write_rows(stream, part, path.suffix)
    return rows
