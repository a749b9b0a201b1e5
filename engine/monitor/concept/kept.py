"""Baselines and streams as they are kept."""

from typing import Any

import msgspec

from lemnis.engine.monitor.concept.records import Baseline, Concept, Detection
from lemnis.engine.store import Store

NOT_YET = "models of several classes are not estimated"  # said by versions of Lemnis that could not


def kept_baseline(store: Store, model: str, version: int) -> Baseline | None:
    """Return the baseline of a model version if it was made, and as this version of Lemnis makes it."""
    sql = "select baseline from monitor_baselines where model = ? and version = ?"
    found = store.value(sql, [model, version])
    made = None if found is None else msgspec.json.decode(found, type=Baseline)
    return None if made is None or made.why == NOT_YET else made


def concept_of(store: Store, key: list[Any], limit: int = 200) -> Concept | None:
    """Return what the detectors say of one served version; None before its first labelled row. Any: SQLite's values."""
    of = "endpoint = ? and model = ? and version = ?"
    head = store.row(f"select *, json_extract(stream, '$.state') as state from monitor_streams where {of}", key)
    if head is None or not head["rows"]:
        return None
    names = ", ".join(Detection.__struct_fields__)
    sql = f"select {names} from monitor_detections where {of} order by id desc limit ?"
    return Concept(
        state=head["state"],
        rows=head["rows"],
        event_at=head["event_at"],
        waits_ms=head["waits_ms"],
        late=head["late"],
        left_out=head["left_out"],
        detections=[msgspec.convert(dict(row), Detection) for row in reversed(store.rows(sql, [*key, limit]))],
    )
