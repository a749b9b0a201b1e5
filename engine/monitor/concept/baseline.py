"""The baseline a version's concept is judged against: its figures, calibration and errors on rows held out of training.

Run as a module it makes and keeps one: LightGBM can end the process that it runs in, and keeps its memory.
"""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import hashlib
import sys
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine import clock
from lemnis.engine.errors import NotFound
from lemnis.engine.features.signature import Signature
from lemnis.engine.monitor.children import CHILDREN, run_as_child
from lemnis.engine.monitor.concept.expected import doubt_of
from lemnis.engine.monitor.concept.figures import blocks_by_day, labelled_figures
from lemnis.engine.monitor.concept.kept import NOT_YET, kept_baseline
from lemnis.engine.monitor.concept.losses import losses_of, scale_of
from lemnis.engine.monitor.concept.records import Baseline
from lemnis.engine.monitor.concept.several import doubt_of_classes
from lemnis.engine.monitor.drift.freeze import evenly
from lemnis.engine.monitor.reference import MOST_ROWS, held_out_part
from lemnis.engine.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.data.versions import Version

Values = NDArray[np.float64]
Places = NDArray[np.int64]
DAY_MS = 86_400_000
FEWEST = 200  # labelled held-out rows that a calibration or an error model is learnt from


def baseline_of(store: Store, model: str, version: int, *, apart: bool) -> Baseline | None:
    """Return the frozen baseline of a model version, made when it is first asked for; one that can't be made says why.

    Args:
        store: The workspace's state.
        model: A registered model.
        version: Its version.
        apart: Make it in a process of its own, and return None as long as that is at it.

    Raises:
        NotFound: The version is not registered any more, and no baseline was made before.
    """
    kept = kept_baseline(store, model, version)
    if kept is not None:
        return kept
    if not apart:
        make_and_keep(store, model, version)
        return kept_baseline(store, model, version)
    text = store.value("select signature from model_versions where model = ? and version = ?", [model, version])
    if text is None:
        raise NotFound(
            f"{model} v{version} is not registered any more.", "Register it again, or serve another version."
        )
    problem = CHILDREN.ended(__name__, str(store.workspace.root), model, str(version))
    if problem:
        signature = msgspec.json.decode(text, type=Signature)
        failed = Baseline(task=signature.task, threshold=signature.threshold, why=problem)
        keep_baseline(store, model, version, failed, "")
    return kept_baseline(store, model, version)


def keep_baseline(store: Store, model: str, version: int, made: Baseline, error_model: str) -> None:
    """Freeze a baseline; one that stands already stays."""
    with store.write() as db:
        db.execute(
            "delete from monitor_baselines where model = ? and version = ? and json_extract(baseline, '$.why') = ?",
            [model, version, NOT_YET],
        )
        db.table("monitor_baselines").insert(
            {
                "model": model,
                "version": version,
                "baseline": msgspec.json.encode(made).decode(),
                "error_model": error_model,
                "created_at": clock.now_ms(),
            },
            ignore=True,
        )


def make_and_keep(store: Store, model: str, version: int) -> None:
    """Ask a registered model about its held-out rows and keep what that says.

    Raises:
        NotFound: The model version, its dataset version or its file is gone.
        StoreError: The model's file is not the one that was registered.
    """
    from lemnis.engine.data.versions import find_version
    from lemnis.engine.features.matrix import encode_table, labelled
    from lemnis.engine.models.files import load_model

    row = store.row(
        """select m.path, m.sha256, m.signature, r.version_id from model_versions m join runs r on r.id = m.run_id
           where m.model = ? and m.version = ?""",
        [model, version],
    )
    if row is None or row["version_id"] is None:
        raise NotFound(f"{model} v{version} is not registered with a dataset version.", "Register a finished run.")
    signature = msgspec.json.decode(row["signature"], type=Signature)
    dataset = find_version(store, row["version_id"])
    trained = load_model(store.workspace.hidden / row["path"], row["sha256"])
    table = evenly(held_out_rows(dataset, signature), MOST_ROWS)
    held, target = labelled(table, signature)
    matrix = encode_table(held, signature)
    score = signature.answers(np.asarray(trained.predict(matrix, num_threads=1), dtype=np.float64))
    days = days_of(held, dataset)
    made = Baseline(
        task=signature.task,
        threshold=signature.threshold,
        held_out=held_out_part(dataset),
        figures=labelled_figures(signature.task, target, score, signature.threshold, days),
        scale=scale_of(losses_of(signature.task, target, score, signature.threshold), days),
    )
    text = ""
    if made.held_out == "train":
        made = msgspec.structs.replace(made, why="no rows were held out of training to learn the calibration from")
    elif signature.task == "binary":
        made = calibrated(made, target, score, days)
    elif signature.task == "regression":
        made, text = with_error_model(made, matrix, target, score, days)
    else:
        made = calibrated_classes(made, target, score, days)
    keep_baseline(store, model, version, made, text)


def held_out_rows(dataset: "Version", signature: Signature) -> "pa.Table":
    """Return the rows held out of training: the first such part that has labels."""
    from lemnis.engine.data.duck import read_table

    part = held_out_part(dataset)
    names = [*signature.names, signature.target]
    if dataset.time and dataset.time not in names:
        names.append(dataset.time)
    return read_table(dataset, names, part if part in dataset.split else None)


def days_of(table: "pa.Table", dataset: "Version") -> Places:
    """Return the number of each row's day; all 0 where rows have no time."""
    import pyarrow as pa

    if not dataset.time:
        return np.zeros(table.num_rows, dtype=np.int64)
    moments = table.column(dataset.time).cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).fill_null(0)
    return np.asarray(moments.to_numpy(), dtype=np.int64) // DAY_MS


def calibrated(made: Baseline, target: Values, score: Values, days: Places) -> Baseline:
    """Return the baseline with a calibration map, and with what that map is worth on days it was not fitted on."""
    from lemnis.engine.evaluate.calibration import fit_map
    from lemnis.engine.models.calibration import mapped

    known = np.isfinite(score)
    target, score, days = target[known], score[known], days[known]
    if target.size < FEWEST or len(np.unique(target)) < 2:
        why = f"{target.size:,} labelled rows of both answers were held out; {FEWEST} are needed"
        return msgspec.structs.replace(made, why=why)
    blocks, _ = blocks_by_day(days)
    better = np.empty(score.size)
    for fold in (0, 1):
        inside = blocks % 2 == fold
        better[inside] = mapped("isotonic", fit_map("isotonic", target[~inside], score[~inside]), score[inside])
    return msgspec.structs.replace(
        made,
        points=fit_map("isotonic", target, score),
        doubt=doubt_of(target, score, better, made.threshold, blocks),
    )


def calibrated_classes(made: Baseline, target: Values, score: Values, days: Places) -> Baseline:
    """Return the baseline with a map for each class, and with what these are worth on days they were not fitted on."""
    from lemnis.engine.evaluate.calibration import fitted

    known = np.isfinite(target) & np.isfinite(score).all(axis=1)
    target, score, days = target[known], score[known], days[known]
    blocks, _ = blocks_by_day(days)
    halves = [np.unique(target[blocks % 2 == fold]).size for fold in (0, 1)]
    if target.size < FEWEST or min(halves) < 2:
        why = f"{target.size:,} labelled rows were held out; {FEWEST} are needed, of two classes in each half"
        return msgspec.structs.replace(made, why=why)
    better = np.empty(score.shape)
    for fold in (0, 1):
        inside = blocks % 2 == fold
        better[inside] = fitted("isotonic", target[~inside], score[~inside]).many(score[inside])
    return msgspec.structs.replace(
        made, classes=fitted("isotonic", target, score).classes, doubt=doubt_of_classes(target, score, better, blocks)
    )


def with_error_model(
    made: Baseline, matrix: Values, target: Values, predicted: Values, days: Places
) -> tuple[Baseline, str]:
    """Return the baseline with the hash of a model of the absolute errors, and that model's text."""
    from lemnis.engine.monitor.concept.direct import fit_errors

    known = np.isfinite(predicted) & np.isfinite(target)
    if known.sum() < FEWEST:
        why = f"{int(known.sum()):,} labelled rows were held out; {FEWEST} are needed"
        return msgspec.structs.replace(made, why=why), ""
    blocks, _ = blocks_by_day(days[known])
    text, doubt = fit_errors(matrix[known], predicted[known], abs(target - predicted)[known], blocks)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return msgspec.structs.replace(made, doubt=doubt, error_model=digest), text


def work(store: Store, told: list[str]) -> None:
    """Make and keep one baseline: model, version."""
    model, version = told
    make_and_keep(store, model, int(version))


if __name__ == "__main__":
    sys.exit(run_as_child(work))
