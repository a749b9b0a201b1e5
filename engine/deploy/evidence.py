"""Evidence: what the gates and the measurements of a run said at the moment its model was promoted."""

from typing import Any

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.deploy.records import Verdict
from lemnis.engine.store import Store


def verdict_of(store: Store, run_id: int) -> Verdict:
    """Return what the gates of a run say together: the worst of them, or that there are none."""
    found = {row["verdict"] for row in store.rows("select distinct verdict from gates where run_id = ?", [run_id])}
    if not found:
        return "not evaluated" if load_config(store.workspace.config).problem.criteria else "no gates"
    return "fail" if "fail" in found else "not enough data" if "not enough data" in found else "pass"


def evidence_of(store: Store, run_id: int) -> dict[str, Any]:
    """Return verdict, gates and metrics of a run as they are now. Any: metrics differ by task."""
    gates = store.rows(
        "select metric, part, rule, observed, verdict, why from gates where run_id = ? order by position", [run_id]
    )
    measured = store.rows("select part, metrics from evaluations where run_id = ? order by id", [run_id])
    return {
        "verdict": verdict_of(store, run_id),
        "gates": [dict(row) for row in gates],
        "metrics": {row["part"]: msgspec.json.decode(row["metrics"]) for row in measured},
    }
