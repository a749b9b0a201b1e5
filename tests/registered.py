"""Models as MLflow's clients register them, without a client: a run, a logged model with its files, a version."""

from lemnis.engine import Engine
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.runs import get_run
from lemnis.engine.experiments.tracked import Announced
from lemnis.engine.tracking import models, registry, versions
from lemnis.engine.tracking.artifacts import Incoming, model_folder
from lemnis.engine.tracking.protocol import Pair


def register(engine: Engine, name: str, files: dict[str, bytes], aliases: tuple[str, ...] = ()) -> str:
    """Log a model with these files, make it the next version of a name, and return its number."""
    store = engine.store
    run = get_run(store, tracked.announce(store, Announced(name=f"made {name}", state="finished")))
    asked = models.CreateModel(name="model", source_run_id=tracked.uid_of(run))
    model_id = models.create(store, asked)["model"]["info"]["model_id"]
    for path, content in files.items():
        incoming = Incoming(model_folder(store, 0, model_id) / path, 0)
        incoming.write(content)
        incoming.keep()
    if store.row("select 1 from registered_models where name = ?", [name]) is None:
        made = registry.CreateRegistered(name=name, description="Words.", tags=[Pair(key="team", value="blue")])
        registry.create(store, made)
    asked = versions.CreateVersion(
        name=name, source=f"models:/{model_id}", model_id=model_id, description="d",
        tags=[Pair(key="mlflow.user", value="ana"), Pair(key="seen", value="yes")],
    )  # fmt: skip
    number = versions.create(store, asked)["model_version"]["version"]
    for alias in aliases:
        registry.set_alias(store, registry.Alias(name=name, alias=alias, version=number))
    return number


def mlmodel(flavour: str, more: str = "") -> bytes:
    """Return an MLmodel with one flavour besides python_function."""
    return (
        f"artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.{flavour}\n"
        f"  {flavour}:\n    code: null\n{more}mlflow_version: 3.17.2\n"
    ).encode()
