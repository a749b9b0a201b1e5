"""The evidence sheet: what speaks for and against a version before an alias moves to it, beside the one it replaces."""

from msgspec import Struct

from lemnis.engine.data.versions import find_version
from lemnis.engine.deploy import aliases, registry
from lemnis.engine.deploy.evidence import evidence_of
from lemnis.engine.deploy.records import ModelVersion
from lemnis.engine.deploy.rollout import splits
from lemnis.engine.deploy.rollout.records import Split
from lemnis.engine.errors import LemnisError
from lemnis.engine.evaluate import EvaluateRoom, Gate
from lemnis.engine.store import Store


class Sheet(Struct, frozen=True, kw_only=True):
    """What is known of a version when an alias is to move to it.

    Attributes:
        objections: Why its gates are against it; empty when they are not.
        metrics, present_metrics: By part of the rows, then by measure.
        data: The dataset version it learned from, with its id; empty when that is not on record.
        present: The version the alias names now, None for none.
        split: The last one in which this version was the challenger, None if it never was.
    """

    version: ModelVersion
    alias: str
    objections: str
    gates: list[Gate]
    metrics: dict[str, dict[str, float | None]]
    data: str
    present: ModelVersion | None
    present_metrics: dict[str, dict[str, float | None]]
    split: Split | None


def sheet(store: Store, model: str, number: int, alias: str) -> Sheet:
    """Return the evidence sheet of a version for an alias; raises NotFound."""
    version = registry.version(store, model, number)
    named = aliases.version_of(store, model, alias)
    present = None if named is None else registry.version(store, model, named)
    evidence = evidence_of(store, version.run_id)
    return Sheet(
        version=version,
        alias=alias,
        objections=aliases.objections(evidence, alias),
        gates=EvaluateRoom(store).gates(version.run_id),
        metrics=evidence["metrics"],
        data=data_of(store, version.run_id),
        present=present,
        present_metrics=evidence_of(store, present.run_id)["metrics"] if present is not None else {},
        split=splits.of_challenger(store, model, number),
    )


def data_of(store: Store, run_id: int) -> str:
    """Return the dataset version a run learned from, as title and id; empty when it is not on record."""
    version_id = store.value("select version_id from runs where id = ?", [run_id])
    if version_id is None:
        return ""
    try:
        return f"{find_version(store, version_id).title} ({version_id[:12]})"
    except LemnisError:
        return str(version_id)[:12]
