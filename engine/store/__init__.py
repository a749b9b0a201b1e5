"""The only place that opens state.db: connections, the schema, and what has changed."""

from lemnis.engine.store.connection import connect_memory, journal_notice, sqlite_version, wal_is_safe
from lemnis.engine.store.store import Row, Store, returning

__all__ = ["Row", "Store", "connect_memory", "journal_notice", "returning", "sqlite_version", "wal_is_safe"]
