"""Our own queries over the tables of a run: bounded in time, with DuckDB's errors as ours."""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.duck import open_duck
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.explore.sandbox import short_message

if TYPE_CHECKING:
    import pyarrow as pa

TIMEOUT_S = 120.0  # of one query of ours; one that a person wrote has the sandbox's limits


class Questions:
    """A connection over Parquet files named by view."""

    def __init__(self, views: Mapping[str, Path], threads: int, memory: str, spill: Path | None) -> None:
        self.connection = open_duck(threads, memory, views=views, spill=spill)

    def close(self) -> None:
        self.connection.close()

    def table(self, sql: str) -> "pa.Table":
        """Return a query's rows as an Arrow table."""
        with self._deadline():
            return self.connection.sql(sql).to_arrow_table()

    # Any: a row has whatever the query selects.
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
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
