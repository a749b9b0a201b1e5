"""The models that are registered here, as a registry of MLflow's has them: each version a directory with its run."""

from collections.abc import Iterator
from pathlib import Path

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.deploy.records import Model, ModelVersion
from lemnis.engine.errors import LemnisError
from lemnis.engine.experiments.runs import get_run
from lemnis.engine.store import Store
from lemnis.engine.tracking.transfer.identity import outside_id
from lemnis.engine.tracking.transfer.records import Brought, MovedRegistered, MovedVersion

BELOW = "registered"  # the folder among a run's artifacts where the directories of its versions are


def own_models(store: Store) -> Iterator[MovedRegistered]:
    """Return what is registered here by Lemnis, with every version and the aliases in force."""
    room = DeployRoom(store)
    for model in room.models():
        if model.versions:
            yield moved(store, model, room.versions(model.name)[::-1])


def moved(store: Store, model: Model, versions: list[ModelVersion]) -> MovedRegistered:
    """Return one model, its `versions` from the first on."""
    return MovedRegistered(
        name=model.name,
        created_at=model.created_at,
        updated_at=versions[-1].created_at,
        aliases=model.aliases,
        versions=[version_of(store, version) for version in versions],
        own=True,
    )


def version_of(store: Store, version: ModelVersion) -> MovedVersion:
    """Return one version; its tags have what MLflow has no field for."""
    uid, _ = outside_id(get_run(store, version.run_id))
    facts = {
        "lemnis.sha256": version.sha256,
        "lemnis.gates": version.verdict,
        **({"lemnis.threshold": repr(version.threshold)} if version.threshold is not None else {}),
    }
    return MovedVersion(
        version=version.version,
        source=f"runs:/{uid}/{place_in_run(version.model, version.version)}",
        run_uid=uid,
        description=version.why,
        user=version.who,
        created_at=version.created_at,
        updated_at=version.created_at,
        tags=facts,
    )


def place_in_run(model: str, number: int) -> str:
    """Return where among the artifacts of its run a version's directory is."""
    return f"{BELOW}/{model}-{number}"


def directory_of(store: Store, model: str, number: int, done: Brought) -> Path | None:
    """Return a version's directory as MLflow has it; None where there can be none, which is noted with its reason."""
    try:
        return DeployRoom(store).mlflow_folder(model, number)
    except LemnisError as error:
        done.missing.append(f"{model} {number}: {error.problem}")
        return None
