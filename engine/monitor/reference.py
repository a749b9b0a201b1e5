"""The reference a model version is judged against: its training rows in frozen bins, its held-out answers."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine import clock
from lemnis.engine.errors import NotFound, Unavailable
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.kinds import Task
from lemnis.engine.monitor.children import run_as_child
from lemnis.engine.monitor.drift.calibration import FalseAlarms, calibrate
from lemnis.engine.monitor.drift.freeze import binned, evenly, freeze_score, moments_of, stretches_of
from lemnis.engine.monitor.drift.seasons import Season, seasons_of
from lemnis.engine.monitor.measures import measures
from lemnis.engine.monitor.parts import packed
from lemnis.engine.monitor.tally import Binning, Tally
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.data.versions import Version

Numbers = NDArray[np.float64]

MOST_ROWS = 500_000  # of the training rows, evenly taken; more would not move a share by 0.1 %
NO_TIMES = np.empty(0, np.int64)
HELD_OUT = ("validation", "test")  # the model did not learn from these, so its scores there are as honest as live ones


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What one model version learnt from, as far as live rows are compared with it.

    Attributes:
        rows: Training rows that were counted.
        held_out: The part of the split whose rows gave the prediction's bins and figures; `train` if there is no other.
        classes: Of the target, in the order of the model's answers; none in older references, and of a number.
        importance: Share of the model's gain by feature, summing to 1.
        false_alarms: How often the rule alarmed on past windows of the training rows, by their size.
        seasons, answer_seasons: Hours and weekdays that differ, of the training rows and the held-out answers.
        unseasonal: Why there is none.
        hours: Rows by hour of the week where there is a season; kept apart: `kept_reference` returns none.
        against: In a reference that `seasonal.in_season` made: which rows it counts, in words.
        prediction_mean: Mean score of the held-out rows; `label_share`: positives among them.
    """

    model: str
    version: int
    dataset: str
    rows: int
    task: Task
    threshold: float
    binnings: list[Binning]
    importance: dict[str, float]
    held_out: str
    held_out_rows: int
    classes: list[str] = []
    false_alarms: list[FalseAlarms] = []
    seasons: list[Season] = []
    answer_seasons: list[Season] = []
    unseasonal: str = ""
    hours: dict[int, Tally] = {}
    against: str = ""
    prediction_mean: float | None = None
    label_share: float | None = None
    roc_auc: float | None = None
    log_loss: float | None = None


def reference_of(store: Store, model: str, version: int, *, bins: int, apart: bool = False) -> Reference:
    """Return the frozen reference of a model version, made from its training rows when it is first asked for.

    Args:
        store: The workspace's state.
        model: A registered model.
        version: Its version.
        bins: Bins of a number, when it has to be made.
        apart: Make it in a child process: LightGBM can end the process that it runs in, and keeps its memory.

    Raises:
        NotFound: The model version, its run's dataset version or its file is gone.
        StoreError: The model's file is not the one that was registered.
        Unavailable: The child process failed.
    """
    kept = kept_reference(store, model, version)
    if kept is not None:
        return kept
    if apart:
        make_apart(store, model, version, bins)
    else:
        keep_reference(store, make_reference(store, model, version, bins=bins))
    made = kept_reference(store, model, version)
    assert made is not None
    return made


def kept_reference(store: Store, model: str, version: int) -> Reference | None:
    """Return the reference of a model version if it was made."""
    found = store.value("select reference from monitor_references where model = ? and version = ?", [model, version])
    return None if found is None else msgspec.json.decode(found, type=Reference)


def keep_reference(store: Store, made: Reference) -> None:
    """Freeze a reference; one that stands already stays."""
    with store.write() as db:
        db.table("monitor_references").insert(
            {
                "model": made.model,
                "version": made.version,
                "reference": msgspec.json.encode(msgspec.structs.replace(made, hours={})).decode(),
                "rows": made.rows,
                "created_at": clock.now_ms(),
            },
            ignore=True,
        )
        db.conn.executemany(
            "insert or ignore into monitor_reference_hours (model, version, hour, tally) values (?, ?, ?, ?)",
            [[made.model, made.version, hour, packed(tally)] for hour, tally in made.hours.items()],
        )


def make_apart(store: Store, model: str, version: int, bins: int) -> None:
    """Make and keep a reference in a process of its own; raises Unavailable with its last words."""
    arguments = [str(store.workspace.root), model, str(version), str(bins)]
    child = subprocess.run(
        [sys.executable, "-m", "lemnis.engine.monitor.reference", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        words = (child.stderr.strip().splitlines() or [f"it ended with status {child.returncode}"])[-1]
        raise Unavailable(f"The reference of {model} v{version} can't be made: {safe(words, limit=300)}", "")


def make_reference(store: Store, model: str, version: int, *, bins: int) -> Reference:
    """Read the training and the held-out rows of a registered model, and ask it about the latter."""
    from lemnis.engine.features.matrix import encode_table
    from lemnis.engine.models.files import load_model

    signature, dataset, row = registered(store, model, version)
    trained = load_model(store.workspace.hidden / row["path"], row["sha256"])
    part = held_out_part(dataset)
    train, learnt = rows_in_time(dataset, signature, "train" if "train" in dataset.split else None)
    held, target = (train, learnt) if part == "train" else rows_in_time(dataset, signature, part)
    gain = np.asarray(trained.feature_importance("gain"), dtype=np.float64)
    importance: dict[str, float] = dict(zip(signature.names, (gain / max(gain.sum(), 1e-12)).tolist(), strict=True))
    counted = evenly(train, MOST_ROWS)
    matrix = encode_table(counted, signature)
    stretches = [matrix] if counted is train else [encode_table(one, signature) for one in stretches_of(train)]
    binnings, false_alarms = calibrate(binned(matrix, signature.features, bins), stretches, importance)
    seasons, hours, why = seasons_of(binnings, matrix, moments_of(counted, dataset.time), importance)
    said = np.asarray(trained.predict(encode_table(held, signature), num_threads=1), dtype=np.float64)
    return describe(
        Reference(
            model=model,
            version=version,
            dataset=dataset.title,
            rows=counted.num_rows,
            task=signature.task,
            threshold=signature.threshold,
            binnings=binnings,
            importance=importance,
            held_out=part,
            held_out_rows=held.num_rows,
            classes=list(signature.classes),
            false_alarms=false_alarms,
            seasons=seasons,
            unseasonal=why,
            hours=hours,
        ),
        signature.answers(said),
        target,
        bins,
        moments_of(held, dataset.time),
    )


def registered(store: Store, model: str, version: int) -> "tuple[Signature, Version, Row]":
    """Return what a registered model takes, the dataset version it was trained on, and `path` and `sha256` of its file.

    Raises:
        NotFound: It is not registered with a dataset version, or that is gone.
    """
    from lemnis.engine.data.versions import find_version

    row = store.row(
        """select m.path, m.sha256, m.signature, r.version_id from model_versions m join runs r on r.id = m.run_id
           where m.model = ? and m.version = ?""",
        [model, version],
    )
    if row is None or row["version_id"] is None:
        raise NotFound(f"{model} v{version} is not registered with a dataset version.", "Register a finished run.")
    return msgspec.json.decode(row["signature"], type=Signature), find_version(store, row["version_id"]), row


def rows_in_time(dataset: "Version", signature: Signature, part: str | None) -> "tuple[pa.Table, Numbers]":
    """Return the labelled rows of a part, in order of time where the dataset has one, and their targets."""
    from lemnis.engine.data.duck import read_table
    from lemnis.engine.features.matrix import labelled

    time = [dataset.time] if dataset.time else []
    table = read_table(dataset, list(dict.fromkeys([*signature.names, signature.target, *time])), part)
    return labelled(table.sort_by(dataset.time) if time else table, signature)


def held_out_part(dataset: "Version") -> str:
    """Return the first part the model did not learn from that has labelled rows, else `train`."""
    parts = (name for name in HELD_OUT if name in dataset.split and dataset.split[name].labelled)
    return next(parts, "train")


def describe(
    reference: Reference, scores: Numbers, target: Numbers, bins: int, moments: NDArray[np.int64] = NO_TIMES
) -> Reference:
    """Return the reference with the prediction's bins and the held-out rows' figures added.

    Args:
        reference: Without the prediction.
        scores: The model's answers on the held-out rows, in order of time; shape (n,), or (n, classes) of a
            multiclass model.
        target: Their true answers, shape (n,).
        bins: Bins of the prediction.
        moments: When each row happened, epoch ms; none where that is not known.
    """
    multiclass = scores.ndim == 2
    flat = scores.argmax(axis=1).astype(np.float64) if multiclass else scores
    prediction = freeze_score(flat, bins, classes=scores.shape[1] if multiclass else None)
    judged, _ = calibrate([prediction], [flat[:, None]], {})
    seasons, hours, _ = seasons_of(judged, flat[:, None], moments, {})
    measured = measures(reference.task, target, scores, reference.threshold, None)
    return msgspec.structs.replace(
        reference,
        binnings=[*reference.binnings, *judged],
        answer_seasons=seasons,
        hours={h: reference.hours.get(h, Tally()) + hours.get(h, Tally()) for h in {*reference.hours, *hours}},
        prediction_mean=float(flat.mean()) if flat.size else None,
        label_share=measured.label_share,
        roc_auc=measured.roc_auc,
        log_loss=measured.log_loss,
    )


def work(store: Store, told: list[str]) -> None:
    """Make and keep one reference: model, version, bins."""
    model, version, bins = told
    keep_reference(store, make_reference(store, model, int(version), bins=int(bins)))


if __name__ == "__main__":
    sys.exit(run_as_child(work))
