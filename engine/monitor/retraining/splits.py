"""Which rows a retraining learns from and is judged on: the dataset version with another split by time."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from lemnis.engine.clock import iso_utc
from lemnis.engine.config import Learnt
from lemnis.engine.data.versions import Version, find_version, list_versions, record_version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.records import Window
from lemnis.engine.monitor.spans import DAY_MS, Width, span_of
from lemnis.engine.store import Store

Split = dict[str, tuple[str, str]]
Span = tuple[int, int]


def served(store: Store, endpoint: str) -> ModelVersion:
    """Return the model version an endpoint answers with; raises NotFound."""
    row = store.row("select model, serving_version from endpoints where name = ?", [endpoint])
    if row is None or row["serving_version"] is None:
        raise NotFound(f"No endpoint {endpoint!r} serves a model.", "See `lemnis endpoints list`.")
    return DeployRoom(store).version(row["model"], row["serving_version"])


def learnable_version(store: Store, version_id: str | None, run_id: int, columns: list[str]) -> Version:
    """Return what a model may learn from anew: the newest version of its dataset that has its columns, else its own.

    Raises:
        NotFound: The run was not trained on a dataset version.
    """
    if version_id is None:
        raise NotFound(f"Run {run_id} was not trained on a dataset version.", "Train a run on one.")
    own = find_version(store, version_id)
    for version in list_versions(store, own.name):
        if set(columns) <= {column.name for column in version.columns} and version.time:
            return version
    return own


def judged_windows(windows: list[Window]) -> tuple[Span, Span]:
    """Return the spans of the last two windows whose labels are all here: for validation and for the test.

    Raises:
        BadInput: There are fewer than two.
    """
    known = sorted({(window.starts, window.ends) for window in windows if window.labels_settled and window.labelled})
    if len(known) < 2:
        raise BadInput(
            f"{len(known)} windows have all their labels; a retraining needs two to be judged on.",
            "Wait for more labels: `lemnis monitor performance`.",
        )
    return known[-2], known[-1]


def later_split(windows: list[Window], first: int) -> Split:
    """Return the split of a retraining: train up to the last two windows whose labels are settled.

    Args:
        windows: Of the endpoint.
        first: Where training begins, epoch ms.

    Raises:
        BadInput: Fewer than two windows have settled labels, or they do not lie behind the start of training.
    """
    validation, test = judged_windows(windows)
    if validation[0] <= first:
        raise BadInput(
            f"The windows that judge a retraining begin with {iso_utc(validation[0])[:10]}, no row comes before.",
            "Choose a longer window: `lemnis retrain --window all`.",
        )
    edges = {"train": (first, validation[0]), "validation": (validation[0], test[0]), "test": test}
    return {name: (iso_utc(since), iso_utc(until)) for name, (since, until) in edges.items()}


def earliest_of(store: Store, version: Version) -> int:
    """Return where the rows of a dataset begin that models may learn from, epoch ms.

    That is the first start of a split among its versions: a retraining on the last months narrows its own version only.
    """
    starts = [part.start for one in list_versions(store, version.name) for part in one.split.values()]
    return min(starts, default=0)


def begin_of(version: Version, learnt: Learnt, until: int, *, width: Width, earliest: int) -> int:
    """Return where training begins for a choice of rows that end before `until`, epoch ms.

    Args:
        version: What is learnt from.
        learnt: Which rows.
        until: The end of training, epoch ms.
        width: Of a window.
        earliest: Where the rows begin that may be learnt from, epoch ms.
    """
    if learnt.kind == "days":
        return max(earliest, until - round(learnt.amount * DAY_MS))
    if learnt.kind == "windows":
        edge = until
        for _ in range(min(int(learnt.amount), 10_000)):
            edge = span_of(edge - 1, width)[0]
        return max(earliest, edge)
    if learnt.kind == "rows":
        return max(earliest, time_of_last(version, int(learnt.amount), until))
    return earliest


def time_of_last(version: Version, rows: int, until: int) -> int:
    """Return the time of the row from which on there are so many labelled rows before `until`, epoch ms."""
    import numpy as np
    import pyarrow.compute as pc

    from lemnis.engine.data.duck import read_table
    from lemnis.engine.experiments.predictions import row_times

    label = [version.label] if version.label else []
    table = read_table(version, [version.time, *label])
    times = row_times(version, table.filter(pc.is_valid(table.column(label[0]))) if label else table)
    if times is None:
        return until
    before = np.sort(times[times < until])
    return int(before[-rows]) if 0 < rows <= before.size else 0


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
        beneath=version,
    )
    with store.write() as db:
        columns = ", ".join(
            row["name"] for row in store.rows("pragma table_info(links)") if row["name"] != "version_id"
        )
        sql = f"insert or ignore into links (version_id, {columns}) select ?, {columns} from links where version_id = ?"
        db.execute(sql, [made.id, version.id])
    return made
