"""Stage 7, Evaluate: what a trained model is worth on rows it has not seen, how fast it is, and why it answers so."""

from collections.abc import Sequence

from lemnis.engine.config import Check, load_config
from lemnis.engine.errors import NotFound
from lemnis.engine.evaluate.ablations import Ablation, Difference, list_ablations
from lemnis.engine.evaluate.gates import Gate
from lemnis.engine.evaluate.interpretation.records import (
    Contributions,
    Dependence,
    Dependences,
    Failures,
    FailureType,
    Followed,
    Interaction,
    Interactions,
    Level,
    Swarm,
    SwarmOutput,
)
from lemnis.engine.evaluate.interpretation.results import find_interpretation
from lemnis.engine.evaluate.records import (
    Baseline,
    Bin,
    Calibration,
    CalibrationMap,
    Contribution,
    Evaluation,
    Explanation,
    Importance,
    Month,
    Pair,
    PairedTest,
    Reliability,
    Significance,
    Speed,
)
from lemnis.engine.evaluate.results import (
    evaluated_runs,
    find_explanation,
    list_evaluations,
    list_explanations,
    list_gates,
    list_importances,
)
from lemnis.engine.evaluate.verifications import (
    KINDS,
    FoldResult,
    Folds,
    Perturbation,
    Perturbations,
    Slice,
    Slices,
    find_verification,
    folds_job,
    list_folds,
)
from lemnis.engine.evaluate.whatif import WhatIf
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store


class EvaluateRoom:
    """Verification and interpretation of trained runs."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def evaluated(self) -> list[int]:
        """Return the ids of the runs that were evaluated, the latest evaluation first."""
        return evaluated_runs(self.store)

    def evaluations(self, run_id: int) -> list[Evaluation]:
        """Return a run's evaluations: train, validation, test; empty before it was evaluated."""
        return list_evaluations(self.store, run_id)

    def evaluation(self, run_id: int, part: str = "test") -> Evaluation:
        """Return a run's evaluation on one part.

        Raises:
            NotFound: The run was not evaluated on it.
        """
        for found in list_evaluations(self.store, run_id):
            if found.part == part:
                return found
        raise NotFound(f"Run {run_id} was not evaluated on {part} rows.", f"Do it with `lemnis evaluate {run_id}`.")

    def slices(self, run_id: int) -> Slices | None:
        """Return where a run's model is worse than elsewhere; None before it was searched."""
        return find_verification(self.store, run_id, "slices", Slices)

    def perturbations(self, run_id: int) -> Perturbations | None:
        """Return what faults in requests do to a run's answers; None before they were tried."""
        return find_verification(self.store, run_id, "perturbations", Perturbations)

    def folds(self, run_id: int) -> list[Folds]:
        """Return every scheme of folds that a run's conditions were trained on, the latest first."""
        return list_folds(self.store, run_id)

    def start_folds(self, run_id: int, scheme: str, k: int = 5, columns: Sequence[str] = ()) -> int:
        """Queue trainings of a run's conditions on folds of its rows, with its cores, and return the job's id.

        Args:
            run_id: The run.
            scheme: k-fold, time or group.
            k: How many folds, 2 to 20.
            columns: What groups follow; empty for `dataset.group` of lemnis.toml.

        Raises:
            NotFound: There is no such run.
            BadInput: The scheme or number can't be used, the run has no model, or no group is declared.
        """
        return JobsRoom(self.store).submit(**folds_job(self.store, run_id, scheme, k, columns))

    def gates(self, run_id: int) -> list[Gate]:
        """Return what the problem's criteria made of a run; empty before it was evaluated."""
        return list_gates(self.store, run_id)

    def importances(self, run_id: int) -> list[Importance]:
        """Return what each feature does in a run's model, largest contribution first."""
        return list_importances(self.store, run_id)

    def explanations(self, run_id: int) -> list[Explanation]:
        """Return the rows of a run that were explained: asked for, most wrong, most right."""
        return list_explanations(self.store, run_id)

    def explanation(self, run_id: int, key: str) -> Explanation | None:
        """Return the explanation of one row, None if it was not explained yet."""
        return find_explanation(self.store, run_id, key)

    def contributions(self, run_id: int) -> Contributions | None:
        """Return the global contributions of a run's features; None before it was evaluated, and of linear trees."""
        return find_interpretation(self.store, run_id, "contributions", Contributions)

    def dependences(self, run_id: int) -> Dependences | None:
        """Return partial dependence and ICE of a run's features; None before it was interpreted."""
        return find_interpretation(self.store, run_id, "dependences", Dependences)

    def interactions(self, run_id: int) -> Interactions | None:
        """Return which features of a run act together; None before it was interpreted."""
        return find_interpretation(self.store, run_id, "interactions", Interactions)

    def failures(self, run_id: int) -> Failures | None:
        """Return the failure types of a run; None before it was interpreted."""
        return find_interpretation(self.store, run_id, "failures", Failures)

    def failure_check(self, run_id: int, place: int) -> Check:
        """Return the check that a failure type (from 0) makes, not yet declared; `validate.declare` writes it.

        Raises:
            NotFound: The run was not interpreted, or has no such type.
            BadInput: Its rows have nothing in common, or most rows are of its kind.
        """
        from lemnis.engine.evaluate.interpretation.checking import check_of

        found = self.failures(run_id)
        if found is None or not 0 <= place < len(found.types):
            raise NotFound(
                f"Run {run_id} has no failure type {place + 1}.", f"See `lemnis explain {run_id} --failures`."
            )
        taken = {check.name for check in load_config(self.store.workspace.config).checks}
        return check_of(found.types[place], run_id, taken)

    def ablations(self, version_id: str = "") -> list[Ablation]:
        """Return the ablations of a dataset version, of all if none is given; the newest first."""
        return list_ablations(self.store, version_id)

    def significance(self, run_ids: Sequence[int], part: str = "") -> Significance:
        """Return what is known of runs against the first of them on the same rows; nothing is computed.

        Args:
            run_ids: The baseline, then the others.
            part: validation or test; empty for validation rows if there are some.
        """
        from lemnis.engine.evaluate.pairs import known_significance

        return known_significance(self.store, run_ids, part)

    def start_pairs(self, run_ids: Sequence[int], part: str = "") -> int | None:
        """Queue the tests that `significance` misses and return the job's id, None if there is nothing to do.

        The job asks for no core of the pool: it takes seconds, and a long training must not keep it waiting. One that
        is queued or runs for the same runs is returned instead of another.
        """
        if not self.significance(run_ids, part).missing:
            return None
        jobs = JobsRoom(self.store)
        arguments = {"runs": list(run_ids), "part": part}
        live = [job for job in jobs.jobs(states=("queued", "preparing", "running")) if job.kind == "evaluate.pair"]
        for job in live:
            if job.arguments == arguments:
                return job.id
        others = len(run_ids) - 1
        title = f"Test of {others} {'run' if others == 1 else 'runs'} against run {run_ids[0]}"
        return jobs.submit("evaluate.pair", title, arguments, cores=0, priority=80)

    def start(self, run_id: int) -> int:
        """Queue the evaluation of a run and return the job's id.

        Raises:
            NotFound: There is no such run.
        """
        return JobsRoom(self.store).submit("evaluate.run", f"Evaluation of run {self._known(run_id)}", {"run": run_id})

    def start_explain(self, run_id: int, key: str) -> int:
        """Queue the explanation of one row, by its key or # and its number, and return the job's id.

        Raises:
            NotFound: There is no such run.
        """
        title = f"Explanation of {key} by run {self._known(run_id)}"
        return JobsRoom(self.store).submit("evaluate.explain", title, {"run": run_id, "key": key}, priority=80)

    def what_if(self, run_id: int, key: str) -> WhatIf:
        """Return a row that can be asked about with other values; the process that answers ends with its `close`.

        Raises:
            BadInput: There is no such run or row, or the run has no model.
            Unavailable: The process ended or took too long.
        """
        return WhatIf(self.store.workspace.root, run_id, key)

    def start_interpret(self, run_id: int) -> int:
        """Queue the interpretation of a run and return the job's id.

        Raises:
            NotFound: There is no such run.
        """
        title = f"Interpretation of run {self._known(run_id)}"
        return JobsRoom(self.store).submit("evaluate.interpret", title, {"run": run_id})

    def _known(self, run_id: int) -> int:
        if self.store.value("select 1 from runs where id = ?", [run_id]) is None:
            raise NotFound(f"There is no run {run_id}.", "List them with `lemnis runs list`.")
        return run_id


__all__ = [
    "KINDS",
    "Ablation",
    "Baseline",
    "Bin",
    "Calibration",
    "CalibrationMap",
    "Contribution",
    "Contributions",
    "Dependence",
    "Dependences",
    "Difference",
    "EvaluateRoom",
    "Evaluation",
    "Explanation",
    "FailureType",
    "Failures",
    "FoldResult",
    "Folds",
    "Followed",
    "Gate",
    "Importance",
    "Interaction",
    "Interactions",
    "Level",
    "Month",
    "Pair",
    "PairedTest",
    "Perturbation",
    "Perturbations",
    "Reliability",
    "Significance",
    "Slice",
    "Slices",
    "Speed",
    "Swarm",
    "SwarmOutput",
]
