"""Recorder: LightGBM's callback that streams metrics, remembers the best round, keeps checkpoints and stops."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import Cancelled
from lemnis.engine.experiments.checkpoint import Checkpoint, save_checkpoint
from lemnis.engine.experiments.parameters import TASKS, metric_name
from lemnis.engine.experiments.points import SPOOL, PointWriter
from lemnis.engine.experiments.runs import Run, write_metrics
from lemnis.engine.jobs.context import JobContext

TELL_EVERY_S = 1.0  # the run's row: each is a durable commit
LOG_EVERY_S = 2.0
CHECKPOINT_EVERY_S = 10.0


class Recorder:
    """Watches one attempt at a training, round by round."""

    before_iteration = False

    def __init__(
        self,
        context: JobContext,
        run: Run,
        *,
        early_stopping: int,
        resumed: Checkpoint | None = None,
        checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    ) -> None:
        """Start the thread that writes; `close` ends it.

        Args:
            context: The job.
            run: What is trained.
            early_stopping: Stop when this many rounds were no better on validation; 0 for never.
            resumed: Where an earlier attempt got to.
            checkpoint_every_s: Seconds between checkpoints; 0 after every round.
        """
        self.context, self.run, self.rounds = context, run, run.rounds or 1
        self.early_stopping, self.checkpoint_every_s = early_stopping, checkpoint_every_s
        start = resumed or Checkpoint(round=0)
        self.round, self.best_round, self.best = start.round, start.best_round, dict(start.best)
        self.latest: dict[str, float | None] = {}
        self._first, self._seconds_before = start.round, start.seconds
        self._began = self._timed_from = self._saved_at = self._logged_at = monotonic_s()
        self._told_at = -TELL_EVERY_S
        task = TASKS[run.task]
        self._main, self._better = metric_name("validation", task.metrics[0]), better(task.larger_is_better)
        self.directory = context.workspace.run_dir(run.id)
        self.writer = PointWriter(context.store, run.id, self.directory / SPOOL, self.tell)

    @property
    def seconds(self) -> float:
        """Time spent training so far, earlier attempts included."""
        return self._seconds_before + monotonic_s() - self._began

    def __call__(self, env: Any) -> None:
        """Take the results of one round. Any: LightGBM's CallbackEnv, which has no types.

        Raises:
            Cancelled: The job was asked to stop; a checkpoint has been written.
            EarlyStopException: Validation has not become better for long enough.
        """
        step = int(env.iteration) + 1
        if step == self._first + 1:
            self._timed_from = monotonic_s()
        values: dict[str, float | None] = {}
        for result in env.evaluation_result_list or ():
            key, value = metric_name(result.dataset_name, result.metric_name), float(result.metric_value)
            values[key] = value if math.isfinite(value) else None
            self.writer.add(key, step, value)
        self.round, self.latest = step, values
        self._judge(step, values)
        if step < self.rounds:
            self._save_or_stop(env.model)
        self._log(step)
        if self.early_stopping and self.best_round and step - self.best_round >= self.early_stopping:
            from lemnis.engine.trees import lightgbm

            raise lightgbm.callback.EarlyStopException(self.best_round - 1, env.evaluation_result_list)

    def tell(self) -> None:
        """Bring the run's row, its latest metrics and the job's progress up to date; called in the writer's thread."""
        with suppress(Cancelled):
            self.context.progress(self.round / self.rounds, self.words())
        if self.round > self._first and monotonic_s() - self._told_at >= TELL_EVERY_S:
            self._told_at = monotonic_s()
            write_latest(self.context, self.run.id, self.round, self.best_round, self.latest)

    def words(self) -> str:
        """Return how far it is, for people."""
        timed = self.round - self._first - 1  # the first round also sorts the data into bins
        if timed < 1:
            return "preparing the first rounds"
        left = (monotonic_s() - self._timed_from) / timed * (self.rounds - self.round)
        return f"round {self.round} of {self.rounds}, {duration(left)} left"

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()

    def _judge(self, step: int, values: dict[str, float | None]) -> None:
        value, best = values.get(self._main), self.best.get(self._main)
        if value is not None and (best is None or self._better(value, best)):
            self.best_round, self.best = step, values

    def _save_or_stop(self, booster: Any) -> None:
        """Keep the trees when it is time or when the job is to stop. Any: a LightGBM Booster."""
        stop = self.context.cancelled()
        if stop or monotonic_s() - self._saved_at >= self.checkpoint_every_s:
            checkpoint = Checkpoint(
                round=self.round,
                best_round=self.best_round,
                best=self.best,
                seconds=self.seconds,
                model=booster.model_to_string(num_iteration=-1),
            )
            save_checkpoint(self.directory / "checkpoint.txt", checkpoint)
            self._saved_at = monotonic_s()
        if stop:
            raise Cancelled(self.context.stop_reason)

    def _log(self, step: int) -> None:
        if step in (1, self.rounds) or monotonic_s() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = monotonic_s()
            shown = "  ".join(f"{key} {value:.5f}" for key, value in self.latest.items() if value is not None)
            print(f"round {step:>5}  {shown}", flush=True)


def duration(seconds: float) -> str:
    """Return a length of time for people: ``12 s``, ``3 min``."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def better(larger: bool) -> Callable[[float, float], bool]:
    """Return the comparison that says that the first value is better than the second."""
    return (lambda a, b: a > b) if larger else (lambda a, b: a < b)


def write_latest(
    context: JobContext, run_id: int, done: int, best: int | None, values: dict[str, float | None]
) -> bool:
    """Bring a run's rounds and metrics up to date, unless another worker has taken the job over; say whether."""
    with context.store.write() as db:
        mine = db.execute("select 1 from jobs where id = ? and epoch = ?", [context.job_id, context.epoch]).fetchone()
        if mine is None:
            return False
        db.execute("update runs set rounds_done = ?, best_round = ? where id = ?", [done, best, run_id])
        write_metrics(db, run_id, ((key, value, done) for key, value in values.items()))
    return True
