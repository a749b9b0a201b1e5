"""Opens the databases of a workspace: one SQLite library, one set of rules, one connection a thread."""

import fcntl
import sys
import threading
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lemnis.engine.clock import iso_utc, monotonic_s, now_ms
from lemnis.engine.errors import BadInput, ReadOnly, StoreError
from lemnis.engine.pattern import regexp
from lemnis.engine.workspace import Workspace

# The same choice as sqlite-utils makes, without its import: two SQLite libraries in one process would drop each
# other's file locks, and reading alone must not cost the import of sqlite-utils. A test holds the two together.
if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

Row: TypeAlias = sqlite3.Row
Name: TypeAlias = Literal["state", "metrics", "predictions"]
Values: TypeAlias = Sequence[object] | Mapping[str, object]

NAMES: tuple[Name, ...] = ("state", "metrics", "predictions")
WRITERS: Mapping[Name, str] = {name: f"{name} writer" for name in NAMES}  # what a thread calls its own
SCHEMA_VERSION = 68  # raised with every migration; a newer file is refused, an older one is migrated
SAFE_WAL = (3, 51, 3)  # before it, processes that share a WAL can lose committed rows
SAFE_BACKPORTS = ((3, 44, 6), (3, 50, 7))
BUSY_MS = 10_000
STATEMENTS = 500  # pysqlite3 keeps the most used: once so many are known, every new one is compiled at each use
FEWER_STATEMENTS = 64  # of a sparing process: what a tab asks again and again
FEWER_PAGES = "pragma cache_size = -128"  # KiB; the file cache of the system has them too
REFUSED = "refused: "  # how a trigger of ours begins what it refuses with


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Say whether this SQLite may use a WAL that several processes share (the WAL-reset bug is fixed)."""
    return version >= SAFE_WAL or any(version[:2] == fixed[:2] and version >= fixed for fixed in SAFE_BACKPORTS)


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return sqlite3.sqlite_version


def journal_notice() -> str:
    """Return a sentence for the person when the rollback journal is used instead of WAL, else an empty string."""
    if wal_is_safe():
        return ""
    return (
        f"SQLite {sqlite3.sqlite_version} can lose rows in WAL mode; the slower rollback journal is used. "
        "Install pysqlite3 to bring a current SQLite."
    )


def connect(path: Path, *, durable: bool, read_only: bool = False, statements: int = STATEMENTS) -> sqlite3.Connection:
    """Open one database with our rules; transactions are begun by `Store.write` alone.

    Args:
        path: The file; made when it is missing, unless `read_only`.
        durable: True keeps every acknowledged commit through a power cut (synchronous=FULL).
        read_only: Refuse every write on this connection.
        statements: How many stay compiled.

    Raises:
        StoreError: The file is not a database, or can't be opened.
    """
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_MS / 1000,
            cached_statements=statements,
        )
        connection.row_factory = sqlite3.Row
        if read_only:
            connection.execute("pragma query_only = on")
        else:
            choose_journal(connection, "wal" if wal_is_safe() else "delete")
        connection.execute(f"pragma synchronous = {'full' if durable or not wal_is_safe() else 'normal'}")
        for pragma in ("foreign_keys = on", "trusted_schema = off", "cell_size_check = on", "temp_store = memory"):
            connection.execute(f"pragma {pragma}")
        connection.execute("pragma journal_size_limit = 67108864")
        # 16 MiB: a page that many commits write, as those of an index are, goes into the file once for all of them.
        connection.execute("pragma wal_autocheckpoint = 4000")
        connection.create_function("regexp", 2, regexp, deterministic=True)
    except sqlite3.Error as error:
        raise StoreError(
            f"The state file {path.name} can't be opened: {error}.",
            "Check the disk and the file's owner; restore it from a copy if it is damaged.",
            str(path),
        ) from error
    return connection


def connect_memory() -> sqlite3.Connection:
    """Open an empty database in memory, to ask a query of rows that are kept nowhere."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.create_function("regexp", 2, regexp, deterministic=True)
    return connection


def choose_journal(connection: sqlite3.Connection, journal: str) -> None:
    """Set the journal mode; SQLite does not wait by itself for another process that is opening a new file too."""
    until = monotonic_s() + BUSY_MS / 1000
    while True:
        try:
            connection.execute(f"pragma journal_mode = {journal}")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic_s() > until:
                raise
            time.sleep(0.005)


class Store:
    """The three databases of one workspace, for any number of threads.

    Reads are plain SQL and come back as rows; writes go through sqlite-utils inside one short immediate transaction.
    """

    def __init__(self, workspace: Workspace, *, read_only: bool = False, at: int | None = None) -> None:
        """Open a workspace's state, or look at it as it was at a past moment (epoch ms), for reading alone."""
        self.workspace, self.read_only, self.at = workspace, read_only or at is not None, at
        self._local = threading.local()
        self._sparing = False
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
        """Return this thread's connection."""
        opened: dict[str, sqlite3.Connection] = self._local.__dict__
        if name not in opened:
            statements = FEWER_STATEMENTS if self._sparing else STATEMENTS
            opened[name] = connect(
                self.path(name), durable=name == "state", read_only=self.read_only, statements=statements
            )
            if self._sparing:
                opened[name].execute(FEWER_PAGES)
            if self.at is not None:
                from lemnis.engine.store.past import look_back

                look_back(opened[name], name, self.at)
        return opened[name]

    def spare_memory(self) -> None:
        """Keep fewer pages and statements in memory from now on, for a process with many connections that mostly reads.

        A connection that is open already keeps its statements.
        """
        self._sparing = True
        for connection in self._local.__dict__.values():
            if isinstance(connection, sqlite3.Connection):
                connection.execute(FEWER_PAGES)

    def now_ms(self) -> int:
        """Return the moment whose facts are read: the past one that is looked at, else the time, epoch ms."""
        return now_ms() if self.at is None else self.at

    def rows(self, sql: str, values: Values = (), *, name: Name = "state") -> list[Row]:
        """Return every row of a query; ask for a page, not for a table."""
        try:
            return self.connection(name).execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise self.explained(error, name) from error

    def rows_within(self, steps: int, sql: str, values: Values = (), *, name: Name = "state") -> list[Row] | None:
        """Return every row of a query, or None if it takes more than so many steps of SQLite's machine."""
        connection = self.connection(name)
        connection.set_progress_handler(lambda: 1, steps)
        try:
            return self.rows(sql, values, name=name)
        except StoreError as error:
            if "interrupted" not in error.problem:
                raise
            return None
        finally:
            connection.set_progress_handler(None, 0)

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
        opened: dict[str, Transaction] = self._local.__dict__
        try:
            return opened[WRITERS[name]]
        except KeyError:
            opened[WRITERS[name]] = Transaction(self, name)
            return opened[WRITERS[name]]

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
        return int(self.value("pragma data_version", name=name))

    def close(self) -> None:
        """Close this thread's connections."""
        for connection in self._local.__dict__.values():
            if isinstance(connection, sqlite3.Connection):
                connection.close()
        self._local.__dict__.clear()

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


@contextmanager
def exclusive(path: Path) -> Generator[None, None, None]:
    """Hold a file's lock for the block; the kernel frees it if the process dies."""
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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


class Hidden(MetaPathFinder):
    """Hides modules from the thread that made it; what other threads import meanwhile they get."""

    def __init__(self, names: Collection[str]) -> None:
        self.names, self.thread = names, threading.get_ident()

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Return None, so that the next finder looks for it; raises ModuleNotFoundError for what is hidden."""
        if fullname in self.names and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
