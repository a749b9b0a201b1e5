"""Store: what is read from and written to the databases of a workspace."""

import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput, ReadOnly, StoreError
from lemnis.engine.store.connection import NAMES, Connections, Name, exclusive, sqlite3
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    from sqlite_utils import Database

Row: TypeAlias = sqlite3.Row
Values: TypeAlias = Sequence[object] | Mapping[str, object]

SCHEMA_VERSION = 68  # raised with every migration; a newer file is refused, an older one is migrated
REFUSED = "refused: "  # how a trigger of ours begins what it refuses with


class Store:
    """The three databases of one workspace, for any number of threads.

    Reads are plain SQL and come back as rows; writes go through sqlite-utils inside one short immediate transaction.
    """

    def __init__(self, workspace: Workspace, *, read_only: bool = False, at: int | None = None) -> None:
        """Open a workspace's state, or look at it as it was at a past moment (epoch ms), for reading alone."""
        self.workspace, self.read_only, self.at = workspace, read_only or at is not None, at
        self._connections = {
            name: Connections(name, self.path(name), read_only=self.read_only, at=at) for name in NAMES
        }
        self._writers = threading.local()
        if not self.read_only:
            workspace.make_dirs()
            self._migrate()

    def path(self, name: Name) -> Path:
        return {
            "state": self.workspace.state,
            "metrics": self.workspace.metrics,
            "predictions": self.workspace.predictions,
        }[name]

    def connection(self, name: Name = "state") -> sqlite3.Connection:
        """Return this thread's own connection; from now on it reads with it too."""
        return self._connections[name].own()

    def spare_memory(self) -> None:
        """Keep fewer pages and statements in memory from now on, for a process that mostly reads.

        A connection that is open already keeps its statements.
        """
        for connections in self._connections.values():
            connections.spare()

    def now_ms(self) -> int:
        """Return the moment whose facts are read: the past one that is looked at, else the time, epoch ms."""
        return now_ms() if self.at is None else self.at

    def rows(self, sql: str, values: Values = (), *, name: Name = "state") -> list[Row]:
        """Return every row of a query; ask for a page, not for a table."""
        connections = self._connections[name]
        connection = connections.borrow()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise self.explained(error, name) from error
        finally:
            connections.give_back(connection)

    def rows_within(self, steps: int, sql: str, values: Values = (), *, name: Name = "state") -> list[Row] | None:
        """Return every row of a query, or None if it takes more than so many steps of SQLite's machine."""
        connections = self._connections[name]
        connection = connections.borrow()
        connection.set_progress_handler(lambda: 1, steps)
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise self.explained(error, name) from error
            return None
        finally:
            connection.set_progress_handler(None, 0)
            connections.give_back(connection)

    def row(self, sql: str, values: Values = (), *, name: Name = "state") -> Row | None:
        """Return the first row of a query, or None."""
        return next(iter(self.rows(sql, values, name=name)), None)

    def value(self, sql: str, values: Values = (), *, name: Name = "state") -> Any:
        """Return the first column of the first row, or None. Any: the column decides its type."""
        row = self.row(sql, values, name=name)
        return row[0] if row is not None else None

    def write(self, name: Name = "state") -> "Transaction":
        """Return a block that gets a sqlite-utils Database in one immediate transaction: all of it is kept, or none.

        Keep it short: no network, no model, no waiting inside. A block inside a block joins the outer transaction.

        Raises:
            ReadOnly: The workspace was opened read-only.
            BadInput: A trigger refuses the row, with its sentence.
            StoreError: The database stayed locked or the disk is full.
        """
        self.check_writable()
        kept: dict[str, Transaction] = self._writers.__dict__
        try:
            return kept[name]
        except KeyError:
            kept[name] = Transaction(self, name)
            return kept[name]

    def check_writable(self) -> None:
        """Raise ReadOnly where nothing may be changed, also outside the store."""
        if self.at is not None:
            raise ReadOnly(
                f"This is the workspace as it was at {iso_utc(self.at)}; the past can't be changed.",
                "Go back to now: esc in the console, a command without --at.",
            )
        if self.read_only:
            raise ReadOnly("This workspace is open read-only.", "Leave out --read-only to change something.")

    def data_version(self, name: Name = "state") -> int:
        """Return a number that moves when another connection has committed; costs no disk read."""
        return int(self.connection(name).execute("pragma data_version").fetchone()[0])

    def close(self) -> None:
        """Close this thread's connections, and those that nobody reads with."""
        self._writers.__dict__.clear()
        for connections in self._connections.values():
            connections.close()

    def _migrate(self) -> None:
        found = [int(self.value("pragma user_version", name=name)) for name in NAMES]
        if max(found) > SCHEMA_VERSION:
            raise StoreError(
                f"This workspace was written by a newer Lemnis (schema {max(found)}, this one knows {SCHEMA_VERSION}).",
                "Upgrade Lemnis, or open the workspace with --read-only.",
                str(self.workspace.state),
            )
        if min(found) < SCHEMA_VERSION:
            from lemnis.engine.store.schema import apply_migrations

            with exclusive(self.workspace.hidden / "schema.lock"):
                for name in NAMES:
                    apply_migrations(self.write(name).database, name)
                    self.connection(name).execute(f"pragma user_version = {SCHEMA_VERSION}")
            self.close()  # with some hundred statements that will never be used again

    def explained(self, error: sqlite3.OperationalError, name: Name) -> StoreError:
        """Return what SQLite could not do, and what to do about it."""
        text = str(error)
        remedy = "Run `lemnis doctor`."
        if "full" in text:
            remedy = "Free some disk space; nothing that was saved is lost."
        elif "locked" in text or "busy" in text:
            remedy = "Another process holds the database; try again."
        elif "no such table" in text:
            remedy = "Open the workspace once without --read-only to bring its state up to date."
        return StoreError(f"The state could not be used: {text}.", remedy, str(self.path(name)))


class Transaction:
    """The block of `Store.write`; a thread has one for each database.

    A class, and kept, because a generator, or a new cursor a statement, would take longer than SQLite takes for a row.

    Attributes:
        database: The connection as sqlite-utils has it; written to only inside the block.
        cursor: For statements without an answer that are to cost nothing beside what SQLite does.
    """

    __slots__ = ("_connection", "_inner", "_name", "_store", "cursor", "database")

    def __init__(self, store: Store, name: Name) -> None:
        self._store = store
        self._name: Name = name
        self._inner = 0  # blocks inside the outermost one
        self._connection = store.connection(name)
        self.database = sqlite_utils_database(self._connection)
        self.cursor = self._connection.cursor()

    def __enter__(self) -> "Database":
        if self._connection.in_transaction:
            self._inner += 1
            return self.database
        self._inner = 0
        try:
            self.cursor.execute("begin immediate")
        except sqlite3.OperationalError as error:
            raise self._store.explained(error, self._name) from error
        return self.database

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._inner:
            self._inner -= 1
            return
        if error is None:
            try:
                self.cursor.execute("commit")
                return
            except sqlite3.Error as refused:
                error = refused
        if self._connection.in_transaction:
            self._connection.execute("rollback")
        if isinstance(error, sqlite3.OperationalError):
            raise self._store.explained(error, self._name) from error
        if isinstance(error, sqlite3.IntegrityError) and str(error).startswith(REFUSED):
            raise BadInput(str(error).removeprefix(REFUSED), "Choose another one.") from None
        if kind is None:
            raise error

    def alone(self, sql: str, values: Values) -> int:
        """Run one statement that is its own transaction, or part of the block around it; returns the rows it changed.

        SQLite begins and commits by itself then, under the same lock as a block, and takes a third less time.

        Raises:
            StoreError: The database stayed locked or the disk is full.
        """
        try:
            return self.cursor.execute(sql, values).rowcount
        except sqlite3.OperationalError as error:
            raise self._store.explained(error, self._name) from error


def returning(db: "Database", sql: str, values: Values = ()) -> list[dict[str, Any]]:
    """Run a write that has a `returning` clause and return its rows. Any: the columns decide their types."""
    query: Any = db.query  # pyright: ignore[reportUnknownVariableType]  # typed in part, for lists and dicts alone
    return list(query(sql, values))


def sqlite_utils_database(connection: sqlite3.Connection) -> "Database":
    """Wrap a connection in a sqlite-utils Database, without importing NumPy and pandas on the way.

    sqlite-utils imports both where they are installed, only to read their types; that costs the console half a second.
    """
    if "sqlite_utils" not in sys.modules:
        hidden = Hidden(("numpy", "pandas"))
        sys.meta_path.insert(0, hidden)
        try:
            import_module("sqlite_utils")
        finally:
            sys.meta_path.remove(hidden)
    from sqlite_utils import Database

    return Database(connection)


class Hidden:
    """A finder that hides modules from the thread that made it; what other threads import meanwhile they get."""

    def __init__(self, names: Collection[str]) -> None:
        self.names, self.thread = names, threading.get_ident()

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Return None, so that the next finder looks for it; raises ModuleNotFoundError for what is hidden."""
        if fullname in self.names and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
