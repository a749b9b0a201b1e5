"""Moments: what happened when in a workspace, to go back to; and lemnis.toml as it was declared then."""

from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.scratch import own_prefix
from lemnis.engine.store import Store
from lemnis.engine.workspace import CONFIG_NAME, Workspace

NOT_KEPT = (
    "Not kept, and so not shown: what processes and GPUs read then, counts of a split that runs, and what was measured "
    "again since. Names, notes, tags and marks are as they are now."
)
STEPS = """
    select e.at, 'alert' as kind, 'alert ' || e.alert_id || ' ' || a.rule || ': ' || e.state as text
      from alert_events e join alerts a on a.id = e.alert_id where e.at {0}
    union all select at, 'deploy', model || '@' || alias || ': ' || case when version is null then 'withdrawn'
      else kind || ' of version ' || version end from alias_events where at {0}
    union all select at, 'deploy', endpoint || ': ' || kind || coalesce(' of version ' || version, '')
      from endpoint_events where kind != 'drill' and at {0}
    union all select created_at, 'data', 'dataset ' || name || ' v' || number from versions where created_at {0}
    union all select ended_at, 'run', 'run ' || id || ' ' || name || ': ' || state from runs where ended_at {0}
    union all select at, 'declaration', 'lemnis.toml: ' || why from config_history where at {0}
"""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened: when (epoch ms), what (alert, deploy, data, run, declaration), and a few words on it."""

    at: int
    kind: str
    text: str


def latest(store: Store, limit: int = 500) -> list[Moment]:
    """Return what happened last, newest first: alerts, rollouts, dataset versions, ended runs, declarations."""
    return _found(store, f"{STEPS.format('is not null')} order by at desc limit :limit", {"limit": limit})


def before(store: Store, at: int) -> Moment | None:
    """Return the last thing that happened before a moment (epoch ms), None where nothing had."""
    return _one(store, f"{STEPS.format('< :at')} order by at desc limit 1", at)


def after(store: Store, at: int) -> Moment | None:
    """Return the first thing that happened after a moment (epoch ms), None where nothing has."""
    return _one(store, f"{STEPS.format('> :at')} order by at limit 1", at)


def workspace_then(store: Store, at: int) -> Workspace:
    """Return the workspace with lemnis.toml as it had been recorded last at a moment (epoch ms), empty before that.

    Raises:
        BadInput: Nothing had happened yet by then, or the moment is yet to come.
    """
    if at > now_ms():
        raise BadInput(f"{iso_utc(at)} is yet to come.", "Give a time that has passed.")
    if before(store, at + 1) is None:
        first = after(store, at)
        began = f"Its first record is of {iso_utc(first.at)}." if first is not None else "Nothing is recorded yet."
        raise BadInput(f"This workspace has no record of {iso_utc(at)}.", f"{began} Give a later time.")
    text = store.value("select text from config_history where at <= ? order by id desc limit 1", [at])
    folder = Path(mkdtemp(prefix=own_prefix()))
    (folder / CONFIG_NAME).write_text(text or "", "utf-8")
    return replace(store.workspace, declared=folder / CONFIG_NAME)


def _one(store: Store, sql: str, at: int) -> Moment | None:
    return next(iter(_found(store, sql, {"at": at})), None)


def _found(store: Store, sql: str, values: dict[str, int]) -> list[Moment]:
    return [msgspec.convert(dict(row), Moment) for row in store.rows(sql, values)]
