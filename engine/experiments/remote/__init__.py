"""Training on a Dask cluster: what is sent there, what is done with it there, and what comes back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lemnis.engine.experiments.parameters import Value

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version
    from lemnis.engine.experiments.fit import Fitted
    from lemnis.engine.experiments.remote.site import Site
    from lemnis.engine.experiments.runs import Run
    from lemnis.engine.features.signature import Signature
    from lemnis.engine.jobs.context import JobContext
    from lemnis.engine.workspace import Workspace


def open_site(workspace: "Workspace") -> "Site":
    """Return the cluster that lemnis.toml names, connected; raises what `ClusterClient` raises."""
    from lemnis.engine.cluster import ClusterClient
    from lemnis.engine.config import load_config
    from lemnis.engine.experiments.remote.site import Site

    return Site(ClusterClient(load_config(workspace.config).cluster, workspace.root))


def train_remotely(
    context: "JobContext",
    run: "Run",
    version: "Version",
    signature: "Signature",
    parameters: "Mapping[str, Value | list[str]]",
    early_stopping: int,
    site: "Site",
) -> "Fitted":
    """Train a run on a cluster: by all its workers together, or by one; see `fit_spread` and `fit_as_task`."""
    from lemnis.engine.experiments.remote.site import Notes, Training
    from lemnis.engine.experiments.remote.spread import fit_spread
    from lemnis.engine.experiments.remote.task import fit_as_task

    number = run.tags.get("trial")
    training = Training(
        context=context,
        run=run,
        version=version,
        signature=signature,
        parameters=dict(parameters),
        early_stopping=early_stopping,
        what=f"trial {number}" if number else "the training",
    )
    notes = Notes(context.store, run.id, site.cluster.address, site.on_event)
    with site.cluster.kept():
        return (fit_spread if run.spread else fit_as_task)(training, site, notes)
