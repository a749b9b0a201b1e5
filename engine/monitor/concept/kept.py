"""Baselines as they are kept."""

import msgspec

from lemnis.engine.monitor.concept.records import Baseline
from lemnis.engine.store import Store


def kept_baseline(store: Store, model: str, version: int) -> Baseline | None:
    """Return the baseline of a model version if it was made."""
    sql = "select baseline from monitor_baselines where model = ? and version = ?"
    found = store.value(sql, [model, version])
    return None if found is None else msgspec.json.decode(found, type=Baseline)
