"""Recorder: LightGBM's callback that streams metrics, remembers the best round, keeps checkpoints and stops."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import Cancelled
from lemnis.engine.experiments.checkpoint import Checkpoint, save_checkpoint
from lemnis.engine.experiments.points import SPOOL, PointWriter
from lemnis.engine.experiments.rounds import Rounds, values_of
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
            checkpoint_every_s: Seconds between checkpoints; 0 after every round, infinite where that is of no use.
        """
        self.context, self.run, self.checkpoint_every_s = context, run, checkpoint_every_s
        self.told = Rounds(run.task, run.rounds or 1, early_stopping, resumed)
        self.resumes = math.isfinite(checkpoint_every_s)
        self._seconds_before = resumed.seconds if resumed else 0.0
        self._began = self._timed_from = self._saved_at = self._logged_at = monotonic_s()
        self._told_at = -TELL_EVERY_S
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
        self.keep(step, values_of(env.evaluation_result_list or ()))
        if step < self.told.wanted:
            self._save_or_stop(env.model)
        if self.told.enough:
            from lemnis.engine.trees import lightgbm

            raise lightgbm.callback.EarlyStopException((self.told.best_round or 1) - 1, env.evaluation_result_list)

    def keep(self, step: int, values: Mapping[str, float | None]) -> None:
        """Take the metrics of one round, wherever it was trained."""
        if step == self.told.first + 1:
            self._timed_from = monotonic_s()
        for key, value in values.items():
            self.writer.add(key, step, math.nan if value is None else value)
        self.told.take(step, values)
        self._log(step)

    def tell(self) -> None:
        """Bring the run's row, its latest metrics and the job's progress up to date; called in the writer's thread."""
        told = self.told
        with suppress(Cancelled):
            self.context.progress(told.done / told.wanted, self.words())
        if told.done > told.first and monotonic_s() - self._told_at >= TELL_EVERY_S:
            self._told_at = monotonic_s()
            write_latest(self.context, self.run.id, told.done, told.best_round, told.latest)

    def words(self) -> str:
        """Return how far it is, for people."""
        told = self.told
        timed = told.done - told.first - 1  # the first round also sorts the data into bins
        if timed < 1:
            return "preparing the first rounds"
        left = (monotonic_s() - self._timed_from) / timed * (told.wanted - told.done)
        return f"round {told.done} of {told.wanted}, {duration(left)} left"

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()

    def _save_or_stop(self, booster: Any) -> None:
        """Keep the trees when it is time or when the job is to stop. Any: a LightGBM Booster."""
        stop = self.context.cancelled()
        if stop or monotonic_s() - self._saved_at >= self.checkpoint_every_s:
            checkpoint = Checkpoint(
                round=self.told.done,
                best_round=self.told.best_round,
                best=self.told.best,
                seconds=self.seconds,
                model=booster.model_to_string(num_iteration=-1),
            )
            save_checkpoint(self.directory / "checkpoint.txt", checkpoint)
            self._saved_at = monotonic_s()
        if stop:
            self.context.kept = f"round {self.told.done}" if self.resumes else ""
            raise Cancelled(self.context.stop_reason)

    def _log(self, step: int) -> None:
        if step in (1, self.told.wanted) or monotonic_s() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = monotonic_s()
            shown = "  ".join(f"{key} {value:.5f}" for key, value in self.told.latest.items() if value is not None)
            print(f"round {step:>5}  {shown}", flush=True)


def duration(seconds: float) -> str:
    """Return a length of time for people: ``12 s``, ``3 min``."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


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
