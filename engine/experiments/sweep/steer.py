"""Steering a sweep while it runs: each act is one transaction with an event; what drives the sweep sees it at once."""

from collections.abc import Mapping

import msgspec

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.parameters import Value, typed
from lemnis.engine.experiments.sweep.driving import queue_driver, tell
from lemnis.engine.experiments.sweep.records import Sweep, get_sweep, get_trial, read_trials
from lemnis.engine.experiments.sweep.space import (
    Dimension,
    dimension_of,
    narrowed,
    read_point,
    replaced,
    value_text,
)
from lemnis.engine.experiments.sweep.trials import insert_trial, next_number, prune_trial
from lemnis.engine.store import Store

MOST_TRIALS = 100_000


def pause(store: Store, sweep: Sweep, user: str) -> None:
    """Begin no more trials; those that run go on to their end.

    Raises:
        BadInput: It does not run.
    """
    with store.write() as db:
        moved = db.execute(
            "update sweeps set state = 'paused', why = ? where id = ? and state = 'running'",
            [f"paused by {user}" if user else "paused", sweep.id],
        )
        if not moved.rowcount:
            raise BadInput(f"Sweep {sweep.name} is {sweep.state}.", "Only one that runs can be paused.")
        tell(db, sweep.id, user, "paused it")


def resume(store: Store, sweep: Sweep, user: str) -> None:
    """Let a paused or failed sweep go on.

    Raises:
        BadInput: It runs, or has nothing left to do.
    """
    with store.write() as db:
        moved = db.execute(
            "update sweeps set state = 'running', why = '', ended_at = null "
            "where id = ? and state in ('paused', 'failed')",
            [sweep.id],
        )
        if not moved.rowcount:
            remedy = "Extend it by some trials." if sweep.state == "finished" else "Wait for its trials."
            raise BadInput(f"Sweep {sweep.name} is {sweep.state}.", remedy)
        tell(db, sweep.id, user, "let it go on")
        queue_driver(store, sweep.id)


def extend(store: Store, sweep: Sweep, more: int, user: str) -> None:
    """Ask for more trials; a finished sweep goes on, and a time limit that is over is lifted.

    Raises:
        BadInput: The number is not 1 or more.
    """
    if more < 1 or sweep.trials + more > MOST_TRIALS:
        raise BadInput(f"A sweep can't be extended by {more} trials.", f"Up to {MOST_TRIALS:,} in all.", "trials")
    with store.write() as db:
        db.execute(
            """update sweeps set trials = trials + ?, ended_at = null,
                 timeout_s = case when spent_s >= timeout_s then null else timeout_s end,
                 why = case when state = 'finished' then '' else why end,
                 state = case when state = 'finished' then 'running' else state end
               where id = ?""",
            [more, sweep.id],
        )
        tell(db, sweep.id, user, f"extended it by {more} trials")
        if get_sweep(store, sweep.id).state == "running":
            queue_driver(store, sweep.id)


def prune(store: Store, sweep: Sweep, number: int, user: str) -> None:
    """Stop a trial at its next round, or take one back that waits.

    Raises:
        NotFound: There is no such trial.
        BadInput: It has ended.
    """
    trial = get_trial(store, sweep, number)
    if trial.state not in ("waiting", "running"):
        raise BadInput(f"Trial {number} is {trial.state}.", "Only waiting and running trials can be pruned.")
    why = f"by {user}" if user else "by hand"
    with store.write() as db:
        taken = db.execute(
            "update sweep_trials set state = 'pruned', why = ?, ended_at = unixepoch('subsec') * 1000 "
            "where sweep_id = ? and number = ? and state = 'waiting'",
            [f"taken back {why}", sweep.id, number],
        )
        tell(db, sweep.id, user, f"{'took back' if taken.rowcount else 'pruned'} trial {number}")
    if not taken.rowcount:
        prune_trial(store, sweep, get_trial(store, sweep, number), why)


def enqueue(store: Store, sweep: Sweep, point: Mapping[str, Value], user: str) -> int:
    """Let a point be tried next and return its trial's number; what it leaves open the sampler chooses.

    It is one of the trials there are to be; when all of those have begun it is one more.

    Raises:
        NotFound: A parameter does not vary.
        BadInput: A value is of the wrong kind, or nothing is named.
    """
    found = read_point(sweep.declared, point)
    if not found:
        raise BadInput("A point names at least one value.", "Write for example num_leaves=31.", "point")
    said = " ".join(f"{name}={value_text(value)}" for name, value in found.items())
    with store.write() as db:
        number = next_number(db, sweep.id)
        insert_trial(db, sweep.id, number, found, enqueued_by=user or "somebody")
        db.execute(
            """update sweeps set trials = max(trials, ?), ended_at = null,
                 why = case when state = 'finished' then '' else why end,
                 state = case when state = 'finished' then 'running' else state end where id = ?""",
            [number, sweep.id],
        )
        tell(db, sweep.id, user, f"enqueued trial {number}: {said}")
        if get_sweep(store, sweep.id).state == "running":
            queue_driver(store, sweep.id)
    return number


def freeze(store: Store, sweep: Sweep, name: str, text: str, user: str) -> Value | None:
    """Let a parameter have one value in all new trials, or vary again; return the value, None if it varies.

    Args:
        store: The workspace's.
        sweep: As it is now.
        name: Of the parameter.
        text: The value; empty for that of the best trial, ``-`` to let it vary again.
        user: Who does it.

    Raises:
        NotFound: The parameter does not vary in this sweep.
        BadInput: It is of the wrong kind, or no trial has finished whose value could be taken.
    """
    dimension = dimension_of(sweep.space, name)
    if text == "-":
        put(store, sweep, msgspec.structs.replace(dimension, frozen=None), user, f"let {name} vary again")
        return None
    if text:
        value = read_point(sweep.declared, {name: typed(text)})[name]
    else:
        best = sweep.best(read_trials(store, sweep.id))
        if not best:
            raise BadInput("No trial has finished yet.", f"Name the value: freeze {name} VALUE.", f"space {name}")
        value = best[0].params[name]
    put(store, sweep, msgspec.structs.replace(dimension, frozen=value), user, f"froze {name} at {value_text(value)}")
    return value


def narrow(store: Store, sweep: Sweep, name: str, text: str, user: str) -> Dimension:
    """Give a parameter other bounds, or fewer choices, in all new trials; return the dimension. See `space.narrowed`.

    Raises:
        NotFound: The parameter does not vary in this sweep.
        BadInput: The text can't be read, or goes beyond what the sweep began with.
    """
    found = narrowed(dimension_of(sweep.space, name), dimension_of(sweep.declared, name), text)
    put(store, sweep, found, user, f"let {name} vary within {found.words}")
    return found


def put(store: Store, sweep: Sweep, dimension: Dimension, user: str, what: str) -> None:
    """Replace one dimension of the space and record who did it."""
    with store.write() as db:
        space = replaced(get_sweep(store, sweep.id).space, dimension)
        db.execute("update sweeps set space = ? where id = ?", [msgspec.json.encode(space).decode(), sweep.id])
        tell(db, sweep.id, user, what)
