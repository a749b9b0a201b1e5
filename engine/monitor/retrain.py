"""Retraining: the champion's preset on a later training span, as challenger, compared on rows neither learnt from."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable

import msgspec
import numpy as np

from lemnis.engine.clock import iso_utc
from lemnis.engine.config import load_config
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version, find_version, record_version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import ExperimentsRoom
from lemnis.engine.features.matrix import encode_table, labelled
from lemnis.engine.jobs import Job, JobsRoom
from lemnis.engine.models.files import load_model
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.measures import Measures, measures
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Store

CHALLENGER = "challenger"
Split = dict[str, tuple[str, str]]


class Retrained(msgspec.Struct, frozen=True, kw_only=True):
    """A challenger and how it does against the champion.

    Attributes:
        part: First day and the day after the last of the rows both were compared on.
        champion, challenger: Their figures on exactly these rows.
    """

    endpoint: str
    model: str
    run_id: int
    dataset: str
    champion_version: int
    challenger_version: int
    part: tuple[str, str]
    champion: Measures
    challenger: Measures


def retrain(
    store: Store, endpoint: str, *, who: str, reason: str, on_progress: Callable[[Job], None] | None = None
) -> Retrained:
    """Train the served model again on all months whose labels are known but the last two, and register a challenger.

    The month before the last validates, the last one tests; nothing is promoted. Blocks until it is done.

    Args:
        store: The workspace's state.
        endpoint: Whose model is trained again.
        who: Who wants it.
        reason: Why; kept with the alias.
        on_progress: Called when the training has moved.

    Raises:
        NotFound: The endpoint serves nothing.
        BadInput: Too few windows have their labels.
        JobFailed: The training failed.
    """
    champion = served(store, endpoint)
    experiments, deploy, jobs = ExperimentsRoom(store), DeployRoom(store), JobsRoom(store)
    run = experiments.run(champion.run_id)
    if run.version_id is None:
        raise NotFound(f"Run {run.id} was not trained on a dataset version.", "Train a run on one.")
    old = find_version(store, run.version_id)
    split = later_split(old, list_windows(store, endpoint))
    version = resplit(store, old, split)
    preset = run.preset if run.preset in experiments.presets() else None
    features = deploy.signature(champion.model, champion.version).names
    wanted = {**run.params, "algorithm": run.algorithm}
    run_id = experiments.start(
        preset, overrides=wanted, version=version.id, features=features, name=f"retrain: {reason}", user=who
    )
    job_id = experiments.run(run_id).job_id
    if job_id is not None:
        jobs.wait(job_id, on_progress)
    made = deploy.register(run_id, champion.model, who, reason)
    deploy.promote(champion.model, made.version, CHALLENGER, who, reason, force=True)
    return Retrained(
        endpoint=endpoint,
        model=champion.model,
        run_id=run_id,
        dataset=version.title,
        champion_version=champion.version,
        challenger_version=made.version,
        part=split["test"],
        champion=measured(store, champion, version),
        challenger=measured(store, made, version),
    )


def served(store: Store, endpoint: str) -> ModelVersion:
    """Return the model version an endpoint answers with; raises NotFound."""
    row = store.row("select model, serving_version from endpoints where name = ?", [endpoint])
    if row is None or row["serving_version"] is None:
        raise NotFound(f"No endpoint {endpoint!r} serves a model.", "See `lemnis endpoints list`.")
    return DeployRoom(store).version(row["model"], row["serving_version"])


def later_split(version: Version, windows: list[Window]) -> Split:
    """Return the split of a retraining: train up to the last two windows whose labels are settled.

    Args:
        version: What the champion was trained on; its training begins where this one's does.
        windows: Of the endpoint.

    Raises:
        BadInput: Fewer than two windows have settled labels, or they do not lie behind the start of training.
    """
    known = sorted({(window.starts, window.ends) for window in windows if window.labels_settled and window.labelled})
    start = min((part.start for part in version.split.values()), default=known[0][0] if known else 0)
    if len(known) < 2 or known[-2][0] <= start:
        raise BadInput(
            f"{len(known)} windows have all their labels; a retraining needs two to be judged on.",
            "Wait for more labels: `lemnis monitor performance`.",
        )
    validation, test = known[-2], known[-1]
    edges = {"train": (start, validation[0]), "validation": (validation[0], test[0]), "test": test}
    return {name: (iso_utc(first), iso_utc(last)) for name, (first, last) in edges.items()}


def resplit(store: Store, version: Version, split: Split) -> Version:
    """Return the dataset version with the same rows and another split; its joins are those of the first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(version.file)
    rows = pa.RecordBatchReader.from_batches(file.schema_arrow.remove_metadata(), file.iter_batches())
    made = record_version(
        store,
        rows,
        name=version.name,
        roles={column.name: column.role for column in version.columns if column.role != "feature"},
        split=split,
        snapshots=version.snapshots,
        recipe=version.recipe,
        sources={column.name: column.source for column in version.columns},
    )
    with store.write() as db:
        columns = ", ".join(
            row["name"] for row in store.rows("pragma table_info(links)") if row["name"] != "version_id"
        )
        sql = f"insert or ignore into links (version_id, {columns}) select ?, {columns} from links where version_id = ?"
        db.execute(sql, [made.id, version.id])
    return made


def measured(store: Store, model: ModelVersion, version: Version) -> Measures:
    """Return a model's figures on the test rows of a version."""
    signature = DeployRoom(store).signature(model.model, model.version)
    table = read_table(version, [*signature.names, signature.target], "test")
    rows, target = labelled(table, signature)
    scores = load_model(model.path, model.sha256).predict(encode_table(rows, signature), num_threads=1)
    value = load_config(store.workspace.config).problem.value
    answers = signature.answers(np.asarray(scores, dtype=np.float64))
    return measures(signature.task, target, answers, signature.threshold, value)
