"""The job `experiments.sweep`: begins trials, ends those that fall behind, and takes in what has ended.

It holds nothing that another could not read from the tables: killed at any moment, the next one goes on.
"""

import math
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import BadInput, Cancelled, LemnisError, NotFound
from lemnis.engine.experiments.points import read_curves
from lemnis.engine.experiments.sweep import pruning
from lemnis.engine.experiments.sweep.driving import ITSELF, end, tell
from lemnis.engine.experiments.sweep.expectation import expected_gain
from lemnis.engine.experiments.sweep.hosting import Host
from lemnis.engine.experiments.sweep.records import ENDED, Insight, Sweep, Trial, get_sweep, read_trials
from lemnis.engine.experiments.sweep.study import ask, importances
from lemnis.engine.experiments.sweep.trials import (
    Replaced,
    begin_trial,
    hopeless,
    keep_driving,
    prune_trial,
    refuse_trial,
    settle_trial,
    stop_run,
)
from lemnis.engine.jobs.context import JobContext

TICK_S = 0.3
LOOK_EVERY_S = 5.0  # how often the cluster is asked what it holds
KEEP_EVERY_S = 10.0  # how often the time that went by is written down
LEARN_EVERY_S, LEARN_SHARE = 2.0, 10  # and so many times as seldom as it takes: of a thousand trials some seconds
MOST_POINTS = 1_000_000  # of a curve: all


def drive(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Drive the sweep that `arguments["sweep_id"]` names until it is finished, paused or hopeless.

    Any: JSON. The result has the sweep's name and its trials by state.
    """
    driver, why = Driver(context, int(arguments["sweep_id"])), "what drives the sweep has ended"
    try:
        driver.run()
    except Cancelled:
        why = "what drives the sweep was stopped"
        driver.leave("paused", "what drives it was stopped")
        raise
    except Replaced:
        raise
    except LemnisError as error:
        why = error.problem
        driver.leave("failed", f"{error.problem} {error.remedy}".strip())
        raise
    finally:
        driver.close(why)
    sweep = get_sweep(context.store, driver.sweep_id)
    return {"sweep": sweep.name, "trials": sweep.counts}


class Driver:
    """One attempt at driving a sweep."""

    def __init__(self, context: JobContext, sweep_id: int) -> None:
        self.context, self.store, self.sweep_id = context, context.store, sweep_id
        self.ended: list[Trial] = []
        self._curves: dict[int, pruning.Curve] = {}  # of ended trials
        self._rungs: dict[int, int] = {}  # the last one that a trial was judged at
        self._spent_before = get_sweep(self.store, sweep_id).spent_s
        self._began = self._kept_at = monotonic_s()
        self._learns_from = 0.0
        self._taken_up_at = now_ms()
        self.host: Host | None = None  # of trials on a cluster
        self._room, self._room_known_at = 0, -math.inf

    @property
    def spent_s(self) -> float:
        return self._spent_before + monotonic_s() - self._began

    def run(self) -> None:
        """Go round until there is nothing to do; raises Cancelled when asked to stop."""
        while not self.go_round():
            pass

    def go_round(self) -> bool:
        """Do what can be done now, waiting a little if that is nothing; say whether all is done."""
        sweep = get_sweep(self.store, self.sweep_id)
        trials = read_trials(self.store, sweep.id, open_only=True)
        if len(self.ended) != sweep.ended:
            self.ended = [one for one in read_trials(self.store, sweep.id) if one.state in ENDED]
        self.context.progress(min(1.0, sweep.ended / sweep.trials), self.words(sweep))
        if self.settle(sweep, trials):
            return False
        if sweep.executor == "dask":
            self.host = self.host or Host(self.context, self.note)
            self.host.tend(trials)
        self.judge(sweep, trials)
        self.learn(sweep)
        self.keep()
        if sweep.state == "running":
            if self.begin(sweep, trials):
                return False
            if self.finished(sweep):
                return True
        elif not any(trial.state == "running" for trial in trials):
            self.keep(now=True)
            return True
        self.context.stop.wait(TICK_S)
        return False

    def settle(self, sweep: Sweep, trials: list[Trial]) -> bool:
        """Take in what has ended, let what was lost go on, stop what is to stop; say whether a trial ended."""
        moved = False
        for trial in trials:
            if trial.state == "running":
                moved = settle_trial(self.context, sweep, trial) or moved
                if trial.asked_to_stop and not trial.stopping and trial.run_state in ("queued", "preparing", "running"):
                    stop_run(self.store, trial)
        return moved

    def judge(self, sweep: Sweep, trials: list[Trial]) -> None:
        """Ask those trials to stop that the pruner finds behind the others."""
        live = [one for one in trials if one.run_state == "running" and not one.asked_to_stop]
        if sweep.pruner == "none" or not live:
            return
        larger = sweep.objectives[0].larger
        curves = {one.number: self.curve(sweep, one) for one in trials if one.run_id is not None}
        for trial in live:
            if sweep.pruner == "median":
                told = [self.curve(sweep, one) for one in self.ended if one.state == "finished"]
                why = pruning.behind_median(curves[trial.number], told, larger=larger)
            else:
                why = self.behind_rung(sweep, trial, curves)
            if why:
                prune_trial(self.store, sweep, trial, f"{sweep.objectives[0].metric}: {why}")

    def behind_rung(self, sweep: Sweep, trial: Trial, curves: dict[int, pruning.Curve]) -> str:
        """Judge a trial at the last rung it has come to, once."""
        rounds = int(trial.params.get("rounds", sweep.start.preset.rounds))
        bracket = pruning.bracket_of(trial.number, rounds)
        curve = curves[trial.number]
        reached = [rung for rung in pruning.rungs(rounds, bracket) if rung in curve]
        if not reached or self._rungs.get(trial.number) == reached[-1]:
            return ""
        self._rungs[trial.number] = reached[-1]
        others = [
            curves[number] for number in curves if number != trial.number and self.beside(number, bracket, rounds)
        ]
        others += [self.curve(sweep, one) for one in self.ended if self.beside(one.number, bracket, rounds)]
        return pruning.behind_rung(curve, others, reached[-1], larger=sweep.objectives[0].larger)

    def beside(self, number: int, bracket: int, rounds: int) -> bool:
        """Say whether a trial is of a bracket."""
        return pruning.bracket_of(number, rounds) == bracket

    def curve(self, sweep: Sweep, trial: Trial) -> pruning.Curve:
        """Return what a trial has told of the first objective by round."""
        if trial.run_id is None:
            return {}
        if trial.number in self._curves:
            return self._curves[trial.number]
        metric = sweep.objectives[0].metric
        found = dict(read_curves(self.store, trial.run_id, [metric], MOST_POINTS).get(metric, []))
        if trial.state in ENDED:
            self._curves[trial.number] = found
        return found

    def begin(self, sweep: Sweep, trials: list[Trial]) -> bool:
        """Begin one trial if there is place, time and reason for it; say whether one was begun, or the sweep ended."""
        why = hopeless(self.ended, self._taken_up_at)
        if why:
            self.leave("failed", why)
            return True
        running = sum(trial.state == "running" for trial in trials)
        waiting = next((trial for trial in trials if trial.state == "waiting"), None)
        if (
            running >= self.most_at_once(sweep)
            or self.is_over(sweep)
            or (waiting is None and sweep.begun >= sweep.trials)
        ):
            return False
        number = waiting.number if waiting is not None else sweep.begun + 1
        known = sorted([*self.ended, *trials], key=lambda trial: trial.number)
        params = ask(sweep, known, number, waiting.params if waiting is not None else {})
        try:
            begin_trial(self.context, sweep, waiting, params)
        except NotFound:
            raise  # the data or a column is gone: no trial can be begun
        except BadInput as error:
            refuse_trial(self.context, sweep, waiting, params, f"{error.problem} {error.remedy}")
        return True

    def most_at_once(self, sweep: Sweep) -> int:
        """Return how many trials may run at once: as many as were asked for, or as the cluster holds now."""
        if sweep.parallel or self.host is None:
            return max(1, sweep.parallel)
        if monotonic_s() - self._room_known_at >= LOOK_EVERY_S:
            cluster, preset = self.host.site.cluster, sweep.start.preset
            self._room, self._room_known_at = (
                cluster.capacity(cluster.wanted(preset.cores, preset.device)),
                monotonic_s(),
            )
        return max(1, self._room)

    def note(self, what: str) -> None:
        """Record what became of a worker of the cluster."""
        with self.store.write() as db:
            tell(db, self.sweep_id, ITSELF, what)

    def close(self, why: str) -> None:
        """Give up the trials that are in training on a cluster; they can begin again."""
        if self.host is not None:
            self.host.close(why)

    def is_over(self, sweep: Sweep) -> bool:
        """Say whether the time for beginning trials is over."""
        return sweep.timeout_s is not None and self.spent_s >= sweep.timeout_s

    def finished(self, sweep: Sweep) -> bool:
        """Finish the sweep if nothing is left to do; asked again inside the transaction, as people may extend it."""
        over = self.is_over(sweep)
        with self.store.write() as db:
            keep_driving(db, self.context)
            wanted, begun, waiting, running = db.execute(
                """select s.trials, count(t.number), coalesce(sum(t.state = 'waiting'), 0),
                     coalesce(sum(t.state = 'running'), 0)
                   from sweeps s left join sweep_trials t on t.sweep_id = s.id where s.id = ?""",
                [sweep.id],
            ).fetchone()
            if running or not (over or (not waiting and begun >= wanted)):
                return False
            why = f"its time is over, {sweep.ended} of {wanted} trials have ended" if over else "all trials have ended"
            end(db, sweep.id, "finished", why)
        self.learn(sweep, now=True)
        self.keep(now=True)
        return True

    def learn(self, sweep: Sweep, *, now: bool = False) -> None:
        """Measure what the trials teach, when more of them have ended."""
        known = sweep.insight.ended if sweep.insight is not None else 0
        began = monotonic_s()
        if sweep.ended == known or (not now and began < self._learns_from):
            return
        found = Insight(ended=sweep.ended, importances=importances(sweep, self.ended), expectation=self.expect(sweep))
        self._learns_from = monotonic_s() + max(LEARN_EVERY_S, LEARN_SHARE * (monotonic_s() - began))
        with self.store.write() as db:
            keep_driving(db, self.context)
            db.execute("update sweeps set insight = ? where id = ?", [msgspec.json.encode(found).decode(), sweep.id])

    def expect(self, sweep: Sweep) -> Any:
        """Return what 20 more trials may gain, None if that can't be said. Any: an Expectation or None."""
        best = sweep.best(self.ended)
        if len(sweep.objectives) != 1 or not best:
            return None
        values = [one.values[0] if one.values and one.feasible else None for one in self.ended]
        goal = sweep.objectives[0]
        found = expected_gain(values, best[0].values[0], larger=goal.larger, seed=sweep.seed)
        took = [one.seconds for one in self.ended if one.seconds is not None]
        if found is None or not took:
            return found
        return msgspec.structs.replace(found, seconds=found.trials * sum(took) / len(took))

    def keep(self, *, now: bool = False) -> None:
        """Write down the time that went by."""
        if now or monotonic_s() - self._kept_at >= KEEP_EVERY_S:
            self._kept_at = monotonic_s()
            with self.store.write() as db:
                keep_driving(db, self.context)
                db.execute("update sweeps set spent_s = ? where id = ?", [self.spent_s, self.sweep_id])

    def leave(self, state: str, why: str) -> None:
        """Pause the sweep or let it fail, with the reason."""
        with self.store.write() as db:
            end(db, self.sweep_id, state, why)

    def words(self, sweep: Sweep) -> str:
        """Return how far it is, for people."""
        best = sweep.best(self.ended)
        goal = sweep.objectives[0]
        found = f", best {goal.metric} {best[0].values[0]:.5g}" if best else ""
        paused = ", paused" if sweep.state == "paused" else ""
        return f"{sweep.ended} of {sweep.trials} trials{found}{paused}"
