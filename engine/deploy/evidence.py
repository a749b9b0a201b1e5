"""Evidence: what the gates and the measurements of a run said at the moment its model was promoted."""

from typing import Any

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.deploy.records import Verdict
from lemnis.engine.evaluate import EvaluateRoom
from lemnis.engine.store import Store


def verdict_of(store: Store, run_id: int) -> Verdict:
    """Return what the gates of a run say together: the worst of them, or that there are none."""
    found = {gate.verdict for gate in EvaluateRoom(store).gates(run_id)}
    if not found:
        return "not evaluated" if load_config(store.workspace.config).problem.criteria else "no gates"
    return "fail" if "fail" in found else "not enough data" if "not enough data" in found else "pass"


def evidence_of(store: Store, run_id: int) -> dict[str, Any]:
    """Return verdict, gates and metrics of a run as they are now. Any: metrics differ by task."""
    room = EvaluateRoom(store)
    return {
        "verdict": verdict_of(store, run_id),
        "gates": msgspec.to_builtins(room.gates(run_id)),
        "metrics": {found.part: found.metrics for found in room.evaluations(run_id)},
    }
