"""Evidence: what the gates and the measurements of a run said at the moment its model was promoted."""

from typing import Any

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.deploy.records import Verdict
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate import Calibration, CalibrationMap, EvaluateRoom
from lemnis.engine.models.calibration import ProbabilityMap
from lemnis.engine.store import Store
from lemnis.engine.text import safe


def verdict_of(store: Store, run_id: int) -> Verdict:
    """Return what the gates of a run say together: the worst of them, or that there are none."""
    found = {gate.verdict for gate in EvaluateRoom(store).gates(run_id)}
    if not found:
        return "not evaluated" if load_config(store.workspace.config).problem.criteria else "no gates"
    return "fail" if "fail" in found else "not enough data" if "not enough data" in found else "pass"


def judged_of(store: Store, run_id: int) -> Calibration | None:
    """Return what the evaluation of a run said of its probabilities, and of maps of them; None if it did not."""
    evaluations = EvaluateRoom(store).evaluations(run_id)
    return next((one.calibrated for one in reversed(evaluations) if one.calibrated), None)


def maps_left(store: Store, run_id: int, model: str) -> list[CalibrationMap]:
    """Return the maps that make a run's probabilities better and with which it is no version of a model yet."""
    judged = judged_of(store, run_id)
    rows = store.rows(
        """select distinct coalesce(json_extract(signature, '$.calibration.method'), '') as method
           from model_versions where model = ? and run_id = ?""",
        [model, run_id],
    )
    taken = {row["method"] for row in rows}
    return [one for one in judged.maps if one.wins and one.method not in taken] if judged else []


def map_of(store: Store, run_id: int, method: str) -> ProbabilityMap:
    """Return the map of a run's probabilities that its evaluation fitted on validation rows.

    Raises:
        BadInput: There is no such map, or it made nothing better on the rows that judged it.
    """
    judged, where = judged_of(store, run_id), f"run {run_id}"
    maps = {one.method: one for one in judged.maps} if judged else {}
    found = maps.get(method)
    if found is None or judged is None:
        why, known = f": {judged.why}" if judged and judged.why else "", " or ".join(maps)
        remedy = f"Say {known}." if known else f"Run `lemnis evaluate {run_id}`, or register it as it is."
        raise BadInput(f"Run {run_id} has no map {safe(method, limit=40)!r}{why}.", remedy, where)
    if not found.wins:
        raise BadInput(
            f"The {method} map does not make the probabilities of run {run_id} better on its {judged.part} rows.",
            "Register the run as it is.",
            where,
        )
    return ProbabilityMap(method=found.method, points=found.points, classes=found.classes)


def evidence_of(store: Store, run_id: int) -> dict[str, Any]:
    """Return verdict, gates and metrics of a run as they are now. Any: metrics differ by task."""
    room = EvaluateRoom(store)
    return {
        "verdict": verdict_of(store, run_id),
        "gates": msgspec.to_builtins(room.gates(run_id)),
        "metrics": {found.part: found.metrics for found in room.evaluations(run_id)},
    }
