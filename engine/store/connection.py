"""Opens the databases of a workspace: one SQLite library, one set of rules, and who has which connection."""

import fcntl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import StoreError
from lemnis.engine.pattern import regexp

# The same choice as sqlite-utils makes, without its import: two SQLite libraries in one process would drop each
# other's file locks, and reading alone must not cost the import of sqlite-utils. A test holds the two together.
if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

Name: TypeAlias = Literal["state", "metrics", "predictions"]

NAMES: tuple[Name, ...] = ("state", "metrics", "predictions")
SAFE_WAL = (3, 51, 3)  # before it, processes that share a WAL can lose committed rows
SAFE_BACKPORTS = ((3, 44, 6), (3, 50, 7))
BUSY_MS = 10_000
STATEMENTS = 500  # pysqlite3 keeps the most used: once so many are known, every new one is compiled at each use
FEWER_STATEMENTS = 64  # of a sparing process: what a tab asks again and again
FEWER_PAGES = "pragma cache_size = -128"  # KiB; the file cache of the system has them too
IDLE = 2  # connections nobody reads with that stay open: each has read the whole schema, 0.6 MiB of the state's


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
            check_same_thread=False,  # `Connections` sees to it that no two threads use one at the same time
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


class Connections:
    """The open connections to one database, for any number of threads.

    A thread that writes has one of its own; one that only reads borrows one that nobody reads with at the moment.

    Attributes:
        sparing: Keep fewer pages and statements in those that are opened from now on.
    """

    def __init__(self, name: Name, path: Path, *, read_only: bool, at: int | None = None) -> None:
        """Open none yet; those to come read, and write unless `read_only`, or look at a past moment (epoch ms)."""
        self._name: Name = name
        self._path, self._read_only, self._at = path, read_only, at
        self._own = threading.local()
        self._idle: list[sqlite3.Connection] = []
        self.sparing = False

    def _opened(self) -> sqlite3.Connection:
        statements = FEWER_STATEMENTS if self.sparing else STATEMENTS
        durable = self._name == "state"
        connection = connect(self._path, durable=durable, read_only=self._read_only, statements=statements)
        if self.sparing:
            connection.execute(FEWER_PAGES)
        if self._at is not None:
            from lemnis.engine.store.past import look_back

            look_back(connection, self._name, self._at)
        return connection

    def own(self) -> sqlite3.Connection:
        """Return this thread's own; from now on it reads with it too."""
        try:
            return self._own.connection
        except AttributeError:
            self._own.connection = self._opened()
            return self._own.connection

    def borrow(self) -> sqlite3.Connection:
        """Return one to read with: this thread's own, an idle one, or a new one; it is for `give_back`."""
        try:
            return self._own.connection
        except AttributeError:
            pass
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Leave a borrowed one to others, or close it if enough are idle."""
        if getattr(self._own, "connection", None) is connection:
            return
        if len(self._idle) < IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def spare(self) -> None:
        """Be sparing from now on; one that is open already keeps its statements."""
        self.sparing = True
        for connection in (*self._idle, getattr(self._own, "connection", None)):
            if connection is not None:
                connection.execute(FEWER_PAGES)

    def close(self) -> None:
        """Close this thread's own, and those that are idle."""
        if own := self._own.__dict__.pop("connection", None):
            own.close()
        while self._idle:
            self._idle.pop().close()


@contextmanager
def exclusive(path: Path) -> Generator[None, None, None]:
    """Hold a file's lock for the block; the kernel frees it if the process dies."""
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
