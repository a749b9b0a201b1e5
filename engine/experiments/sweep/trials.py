"""Trials from their beginning to their end: each step is one transaction of the job that drives the sweep."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Config, Problem
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.start import checked_tags, left_out_tags, prepare_run, queue_run
from lemnis.engine.experiments.sweep.driving import ITSELF, tell
from lemnis.engine.experiments.sweep.goals import PREDICT_MS, violations
from lemnis.engine.experiments.sweep.records import Start, Sweep, Trial
from lemnis.engine.jobs import JobsRoom, queue
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.queue import leave_gang
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

PRIORITY = 40  # a training that a person starts goes first
MOST_ATTEMPTS = 5  # at one trial whose process is lost again and again
FROM_SWEEP, NUMBER = "sweep", "trial"  # tags of a run


class Replaced(LemnisError):
    """Another process drives the sweep by now; this one leaves everything as it is."""

    code = "replaced"


def insert_trial(
    db: "Database", sweep_id: int, number: int, params: Mapping[str, Value], *, enqueued_by: str = ""
) -> None:
    """Add a trial that waits to be begun."""
    db.execute(
        """insert into sweep_trials (sweep_id, number, state, why, params, enqueued_by, created_at)
           values (?, ?, 'waiting', 'waits to be begun', ?, ?, ?)""",
        [sweep_id, number, msgspec.json.encode(params).decode(), enqueued_by, now_ms()],
    )


def next_number(db: "Database", sweep_id: int) -> int:
    """Return the number of the next trial, 1 for the first."""
    return int(
        db.execute("select coalesce(max(number), 0) + 1 from sweep_trials where sweep_id = ?", [sweep_id]).fetchone()[0]
    )


def begin_trial(context: JobContext, sweep: Sweep, waiting: Trial | None, params: dict[str, Value]) -> int:
    """Store a trial with its run and the run's job, all or nothing, and return the trial's number.

    Args:
        context: Of the job that drives the sweep.
        sweep: As it is now.
        waiting: The trial that was enqueued; None for a new one.
        params: All of them.

    Raises:
        Replaced: Another job drives the sweep by now.
        LemnisError: The training can't be begun.
    """
    store, start = context.store, sweep.start
    config = starting_config(sweep.preset, start)
    with store.write() as db:
        keep_driving(db, context)
        number = waiting.number if waiting is not None else next_number(db, sweep.id)
        if waiting is None:
            insert_trial(db, sweep.id, number, params)
        made = prepare_run(
            store,
            config,
            sweep.preset,
            overrides=params,
            version=sweep.version_id,
            features=start.features,
            strict=False,  # an algorithm that varies may have no use for another parameter that does
            spread=False,  # on a cluster each trial is one worker's
        )
        row = made.row | {
            "name": f"{sweep.name} trial {number}",
            "group_name": sweep.name,
            "problem_sha256": start.problem_sha256,
            "user": sweep.user,
        }
        tags = checked_tags(store, made.version, start.despite_checks) | left_out_tags(made)
        tags |= {FROM_SWEEP: sweep.name, NUMBER: str(number)}
        run_id = queue_run(store, row, made.params, threshold=start.threshold, tags=tags)
        db.execute(
            """update sweep_trials set state = 'running', why = 'in training', params = ?, run_id = ?
               where sweep_id = ? and number = ? and state = 'waiting'""",
            [msgspec.json.encode(params).decode(), run_id, sweep.id, number],
        )
        timed = any(one.metric == PREDICT_MS for one in (*sweep.objectives, *sweep.constraints))
        db.execute(
            """update jobs set priority = ?, arguments = json_set(arguments, '$.timed', json(?)),
                 host_id = case executor when 'dask' then ? end where run_id = ?""",
            [PRIORITY, "true" if timed else "false", context.job_id, run_id],
        )
        if number <= start.gang:
            join_gang(db, sweep, number, run_id)
    return number


def join_gang(db: "Database", sweep: Sweep, number: int, run_id: int) -> None:
    """Let a trial's job start with the other first ones; those that were refused are not waited for."""
    [refused] = db.execute(
        "select count(*) from sweep_trials where sweep_id = ? and number <= ? and run_id is null and state = 'failed'",
        [sweep.id, sweep.start.gang],
    ).fetchone()
    size = min(sweep.start.gang, sweep.trials) - refused
    gang = f"sweep {sweep.id}"
    db.execute("update jobs set gang = ? where run_id = ? and state = 'queued'", [gang, run_id])
    db.execute("update jobs set gang_size = ? where gang = ? and state = 'queued'", [size, gang])


def refuse_trial(context: JobContext, sweep: Sweep, waiting: Trial | None, params: dict[str, Value], why: str) -> None:
    """Store a trial that can't be begun as failed, without a run."""
    with context.store.write() as db:
        keep_driving(db, context)
        number = waiting.number if waiting is not None else next_number(db, sweep.id)
        if waiting is None:
            insert_trial(db, sweep.id, number, params)
        db.execute(
            """update sweep_trials set state = 'failed', why = ?, params = ?, ended_at = ?
               where sweep_id = ? and number = ? and state = 'waiting'""",
            [why, msgspec.json.encode(params).decode(), now_ms(), sweep.id, number],
        )
        if number <= sweep.start.gang:
            leave_gang(db, f"sweep {sweep.id}")


def starting_config(preset: str, start: Start) -> Config:
    """Return the declarations that every trial starts from, as they were when the sweep began."""
    problem = Problem(task=start.task, target=start.target, threshold=start.threshold)
    return Config(problem=problem, presets={preset: start.preset})


def keep_driving(db: "Database", context: JobContext) -> None:
    """Make sure, inside a transaction, that this job still drives; a worker that was replaced writes nothing."""
    mine = db.execute(
        "select 1 from jobs where id = ? and epoch = ? and state = 'running'", [context.job_id, context.epoch]
    ).fetchone()
    if mine is None:
        raise Replaced("Another process drives this sweep by now.", "Look at its newest job.")


def settle_trial(context: JobContext, sweep: Sweep, trial: Trial) -> bool:
    """Bring a trial up to its run: end it once if that has ended, or let a lost one go on; return whether it ended."""
    run = trial.run_state
    if run == "lost" and not trial.asked_to_stop and trial.attempts < MOST_ATTEMPTS:
        with context.store.write() as db:
            keep_driving(db, context)
            if trial.job_id is not None:
                with suppress(BadInput):  # somebody lets it go on already
                    queue.retry(context.store, trial.job_id)
                if trial.hosted:  # or it would be given a process of its own
                    db.execute("update jobs set host_id = ? where id = ?", [context.job_id, trial.job_id])
            tell(
                db,
                sweep.id,
                ITSELF,
                f"trial {trial.number} was lost and {'begins again' if trial.hosted else 'goes on'}",
            )
        return False
    if run == "finished":
        return finish(context, sweep, trial)
    if run in ("cancelled", "lost") and (trial.asked_to_stop or run == "cancelled"):
        return end_pruned(context, sweep, trial)
    if run in ("failed", "lost"):
        return end_trial(context, sweep, trial, "failed", trial.run_why)
    return False


def finish(context: JobContext, sweep: Sweep, trial: Trial) -> bool:
    """End a trial whose run has finished, with its values; without one it failed."""
    rows = context.store.rows("select key, value from run_metrics where run_id = ?", [trial.run_id])
    metrics: dict[str, float | None] = {row["key"]: row["value"] for row in rows}
    missing = [objective.metric for objective in sweep.objectives if metrics.get(objective.metric) is None]
    if missing:
        known = ", ".join(sorted(metrics)) or "none"
        return end_trial(context, sweep, trial, "failed", f"its run has no {missing[0]}; it has {known}")
    values = [metrics[objective.metric] for objective in sweep.objectives]
    missed = violations(sweep.constraints, metrics)
    broken = [one.words for one, by in zip(sweep.constraints, missed, strict=True) if by is None or by > 0]
    why = f"does not keep to {' and '.join(broken)}" if broken else "finished"
    return end_trial(
        context, sweep, trial, "finished", why, vals=msgspec.json.encode(values), missed=msgspec.json.encode(missed)
    )


def end_pruned(context: JobContext, sweep: Sweep, trial: Trial) -> bool:
    """End a trial that was stopped, with the last value it told; its run says why too."""
    found = last_point(context.store, sweep, trial)
    why = trial.asked_to_stop or trial.run_why
    with context.store.write() as db:
        if trial.asked_to_stop and trial.run_state == "cancelled":
            db.execute("update jobs set why = ? where id = ? and state = 'cancelled'", [f"pruned: {why}", trial.job_id])
        return end_trial(
            context, sweep, trial, "pruned", why, last_round=found[0] if found else None,
            last_value=found[1] if found else None,
        )  # fmt: skip


def last_point(store: Store, sweep: Sweep, trial: Trial) -> tuple[int, float] | None:
    """Return the last round of a run and its value of the first objective; None if it told nothing."""
    row = store.row(
        """select step, value from metric_points where run_id = ? and key = ? and value is not null
           order by step desc limit 1""",
        [trial.run_id, sweep.objectives[0].metric],
        name="metrics",
    )
    return None if row is None else (int(row["step"]), float(row["value"]))


def end_trial(
    context: JobContext, sweep: Sweep, trial: Trial, state: str, why: str, **more: bytes | float | None
) -> bool:
    """End a running trial once; return whether this call did. `more` are other columns."""
    columns: dict[str, object] = {
        name: value.decode() if isinstance(value, bytes) else value for name, value in more.items()
    }
    columns |= {"state": state, "why": why, "ended_at": now_ms()}
    with context.store.write() as db:
        keep_driving(db, context)
        done = db.execute(
            f"""update sweep_trials set {", ".join(f"{name} = ?" for name in columns)}
                where sweep_id = ? and number = ? and state = 'running'""",
            [*columns.values(), sweep.id, trial.number],
        )
        return bool(done.rowcount)


def prune_trial(store: Store, sweep: Sweep, trial: Trial, why: str) -> None:
    """Ask a trial's run to stop at its next round; it is pruned when that has ended."""
    with store.write() as db:
        db.execute(
            """update sweep_trials set asked_to_stop = ?, why = 'asked to stop'
               where sweep_id = ? and number = ? and state = 'running' and asked_to_stop = ''""",
            [why, sweep.id, trial.number],
        )
    stop_run(store, trial)


def stop_run(store: Store, trial: Trial) -> None:
    """Cancel the training of a trial; one that has ended meanwhile is left as it is."""
    if trial.job_id is not None:
        with suppress(BadInput):
            JobsRoom(store).cancel(trial.job_id)


def hopeless(trials: Sequence[Trial], since: int, fewest: int = 3) -> str:
    """Return why a sweep can't go on: so many trials failed since it was taken up, and none ever came to anything.

    Args:
        trials: That have ended.
        since: When it was taken up, epoch ms; what was wrong before may have been mended.
        fewest: How many must have failed.
    """
    failed = [trial for trial in trials if trial.state == "failed" and (trial.ended_at or 0) >= since]
    if len(failed) < fewest or any(trial.state != "failed" for trial in trials):
        return ""
    return f"all of its {len(trials)} trials failed, the last because: {failed[-1].why}"
