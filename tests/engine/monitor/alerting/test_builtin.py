"""An aborted split is an alert, once, until a person resolves it."""

# pyright: basic

from pathlib import Path

from support import engine_at

from lemnis.engine.config import Config
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.builtin import raise_aborted
from lemnis.engine.store import Store


def abort(store: Store, at: int) -> None:
    """Record a split that was aborted."""
    with store.write() as db:
        db.execute(
            """insert into splits (endpoint, mode, champion, challenger, alias, percent, alpha, bounds, state, why, who,
                 started_at, ended_at)
               values ('late', 'canary', 1, 2, 'challenger', 5, 0.05, '{}', 'aborted', 'errors: many', 'ada', 1, ?)""",
            [at],
        )


def test_an_aborted_split_fires_once_and_again_after_the_next(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "w")
    store, room = engine.store, engine.monitor
    with store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"created_at": 1, "changed_at": 1})
    assert raise_aborted(store, now=50) == 0
    abort(store, at=100)
    assert [raise_aborted(store, now=200), raise_aborted(store, now=300)] == [1, 0]
    advance(store, Config(), "late", [])  # rules that are not declared end their alerts; this one has none
    alert = room.alerts()[0]
    assert (alert.rule, alert.state, alert.severity) == ("split aborted", "firing", "ticket")
    assert "Version 2 was taken out of the split of late: errors: many" in alert.message
    room.resolve(alert.id, who="ada", why="retrained")
    assert raise_aborted(store, now=400) == 0
    abort(store, at=1 << 50)
    assert raise_aborted(store, now=(1 << 50) + 1) == 1
