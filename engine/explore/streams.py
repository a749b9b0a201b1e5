"""DuckDB over streams of Arrow batches; another thread can stop what it does."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.duck import open_duck
from lemnis.engine.errors import BadInput, Cancelled, Unavailable
from lemnis.engine.scratch import scratch_folder
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

MEMORY = "2GiB"


class Duck:
    """A DuckDB that is opened when it is asked, with a folder for what does not fit into memory."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._lock = threading.Lock()
        self._spill: TemporaryDirectory[str] | None = None
        self._duck: DuckDBPyConnection | None = None
        self._closed = self._rests = False
        self._running: set[Query] = set()

    @contextmanager
    def query(self) -> Generator["Query", None, None]:
        """Yield something to ask it by, with tables of its own; raises Cancelled once it was closed."""
        with self._lock:
            if self._closed:
                raise Cancelled("These rows were let go.")
            if self._duck is None:
                self._spill = scratch_folder()
                self._duck = open_duck(self.threads, MEMORY, spill=Path(self._spill.name))
            query = Query(self._duck.cursor())
            self._running.add(query)
            self._rests = False
        try:
            yield query
        finally:
            with self._lock:
                self._running.discard(query)
                query.duck.close()
                if self._rests and not self._running:
                    self._let_go()

    def rest(self) -> None:
        """Let go of the memory and the folder until the next query, once those that run have ended."""
        with self._lock:
            self._rests = True
            if not self._running:
                self._let_go()

    @property
    def resting(self) -> bool:
        """Whether it takes no memory now."""
        return self._duck is None

    def close(self) -> None:
        """Let go of the memory and the folder, for good; what runs is stopped, and they go when the last has ended.

        DuckDB refuses to close what another thread uses.
        """
        with self._lock:
            self._closed = self._rests = True
            for query in self._running:
                query.stop()
            if not self._running:
                self._let_go()

    def _let_go(self) -> None:
        if self._duck is not None:
            self._duck.close()
        if self._spill is not None:
            self._spill.cleanup()
        self._duck = self._spill = None


class Query:
    """One connection to DuckDB that can be stopped from another thread."""

    def __init__(self, duck: "DuckDBPyConnection") -> None:
        self.duck, self.stopped = duck, False

    def stop(self) -> None:
        """End what runs, and whatever is asked afterwards."""
        self.stopped = True
        self.duck.interrupt()

    def wanted(self) -> bool:
        """Say whether it was not stopped; for streams that are read meanwhile."""
        return not self.stopped

    def give(self, name: str, rows: "pa.Table | pa.RecordBatchReader") -> None:
        """Make rows a table of the next queries; a stream can be read once."""
        self.duck.register(name, rows)

    def arrow(self, sql: str, values: Sequence[Any] = ()) -> "pa.Table":
        """Return the rows of a query.

        Raises:
            BadInput: A value can't be what its column holds.
            Cancelled: The query was stopped.
            Unavailable: It needed more memory than there is.
        """
        with self.refusals():
            return self.relation(sql, values).to_arrow_table()

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query as tuples; raises as `arrow` does."""
        with self.refusals():
            return self.relation(sql, values).fetchall()

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing; raises as `arrow` does."""
        with self.refusals():
            self.duck.execute(sql)

    def relation(self, sql: str, values: Sequence[Any] = ()) -> "DuckDBPyRelation":
        """Return a query that is not run yet."""
        if self.stopped:
            raise Cancelled("The query was stopped.")
        return self.duck.sql(sql, params=list(values))

    @contextmanager
    def refusals(self) -> Generator[None, None, None]:
        """A block in which what DuckDB says becomes an error for people."""
        import duckdb

        try:
            yield
        except duckdb.OutOfMemoryException:
            raise Unavailable(f"The query needs more than {MEMORY} of memory.", "Filter the rows first.") from None
        except duckdb.Error as error:
            if self.stopped or isinstance(error, duckdb.InterruptException):
                raise Cancelled("The query was stopped.") from None
            said = next(line for line in str(error).splitlines() if line.strip())
            raise BadInput(safe(said.partition("Error: ")[2] or said, limit=300), "Change the filter.") from None
