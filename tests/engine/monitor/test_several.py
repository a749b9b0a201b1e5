"""What a model of several classes is expected to show before its labels come, and how that is told beside the truth."""

# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from lemnis.engine.config import load_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.deploy.predictions import Entry, record_actuals, write_entries
from lemnis.engine.evaluate.calibration import fitted
from lemnis.engine.features.matrix import encode_table, fit_signature, labelled
from lemnis.engine.monitor import MonitorRoom
from lemnis.engine.monitor.concept import kept
from lemnis.engine.monitor.concept.baseline import baseline_of, keep_baseline
from lemnis.engine.monitor.concept.figures import labelled_figures
from lemnis.engine.monitor.concept.records import Baseline
from lemnis.engine.monitor.concept.several import doubt_of_classes, estimated_classes, macro_auc
from lemnis.engine.monitor.windows import refresh
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

from .conftest import CONFIG, SPLIT, register

NAMES = ("roc_auc", "log_loss", "brier", "accuracy")


def served(seed: int, rows: int, *, clear: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return places of three classes, the third rare, and what a model says that is too sure."""
    chance = np.random.default_rng(seed)
    true = chance.dirichlet([clear, clear, clear / 4], rows)
    score = true**2 / (true**2).sum(axis=1, keepdims=True)
    return (chance.random((rows, 1)) > true.cumsum(axis=1)[:, :2]).sum(axis=1).astype(np.float64), score


@pytest.fixture(scope="module")
def learnt():
    target, score = served(1, 12_000)
    half = np.arange(12_000) % 2 == 0
    better = np.empty(score.shape)
    for inside in (half, ~half):
        better[inside] = fitted("isotonic", target[~inside], score[~inside]).many(score[inside])
    return fitted("isotonic", target, score), doubt_of_classes(target, score, better, np.arange(12_000))


@pytest.mark.parametrize("clear", [1.0, 3.0])
def test_an_estimate_holds_what_the_classes_show_later_also_when_the_rows_are_others(learnt, clear: float) -> None:
    calibration, doubt = learnt
    inside = dict.fromkeys(NAMES, 0)
    for seed in range(100, 180):
        target, score = served(seed, 1_500, clear=clear)
        told = estimated_classes(score, calibration, doubt)
        truth = labelled_figures("multiclass", target, score, 0.5, np.zeros(1_500, dtype=np.int64))
        for name in NAMES:
            inside[name] += told.found[name].low <= truth.found[name].value <= told.found[name].high
    assert all(count >= 70 for count in inside.values()), inside


def test_the_macro_auc_is_scikit_learns_of_labels_and_of_probabilities() -> None:
    target, score = served(3, 800)
    truth = labelled_figures("multiclass", target, score, 0.5, np.arange(800)).found["roc_auc"]
    assert truth.value == pytest.approx(roc_auc_score(target, score, multi_class="ovr"))
    assert truth.low < truth.value < truth.high
    twice = np.concatenate([score, score])
    each = [
        roc_auc_score(np.repeat([1, 0], 800), twice[:, k], sample_weight=np.concatenate([score[:, k], 1 - score[:, k]]))
        for k in range(3)
    ]
    assert macro_auc(score, score) == pytest.approx(np.mean(each))


def test_rows_without_an_answer_and_a_class_that_is_not_there_leave_the_rest_told(learnt) -> None:
    calibration, doubt = learnt
    _, score = served(4, 300)
    told = estimated_classes(np.vstack([score, np.full((9, 3), np.nan)]), calibration, doubt)
    assert told == estimated_classes(score, calibration, doubt)
    assert estimated_classes(np.full((2, 3), np.nan), calibration, doubt).rows == 0
    one = labelled_figures("multiclass", np.zeros(50), score[:50], 0.5, np.zeros(50, dtype=np.int64))
    assert "roc_auc" not in one.found


@pytest.fixture
def banded(tmp_path: Path, trained) -> tuple[Store, pa.Table, np.ndarray]:
    """A workspace whose endpoint says in which band a flight's delay is; its rows of July, and what it said of them."""
    table = trained[0]
    chance = np.random.default_rng(8)
    wind = np.nan_to_num(table.column("wind").to_numpy(zero_copy_only=False), nan=9.0)
    late = wind / 8 + table.column("holiday").to_numpy(zero_copy_only=False) + chance.normal(0, 0.8, len(wind))
    bands = np.array(["no", "some", "much"])[np.digitize(late, [1, 2.2])]
    table = table.drop_columns("late").append_column("band", pa.array(bands))
    train = table.slice(0, 151 * 30)
    signature = fit_signature(train, ["wind", "holiday", "distance"], task="multiclass", target="band", threshold=0.5)
    rows, target = labelled(train, signature)
    parameters = {"objective": "multiclass", "num_class": 3, "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    path = tmp_path / "model.txt"
    booster = lightgbm.train(parameters, lightgbm.Dataset(encode_table(rows, signature), target), 15)
    booster.save_model(str(path))
    store = Store(create_workspace(tmp_path / "workspace", CONFIG))
    roles = {"id": "key", "flown": "time", "band": "label"}
    register(store, record_version(store, table, name="flights", roles=roles, split=SPLIT), path, signature)
    july = table.slice(181 * 30, 31 * 30)
    said = np.asarray(booster.predict(encode_table(july, signature)))
    sent = [[row[name] for name in signature.names] for row in july.to_pylist()]
    entry = Entry(
        at=1, version=1, rows=len(said), latency_us=9, status=200, sent=sent, scores=said.tolist(),
        keys=[str(key) for key in july.column("id").to_pylist()],
        event_times=july.column("flown").cast(pa.timestamp("ms")).cast(pa.int64()).to_pylist(),
    )  # fmt: skip
    with store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])
    return store, july, said


def test_estimates_of_several_classes_are_kept_and_judged_by_the_labels_that_come(banded) -> None:
    store, july, said = banded
    room, now = MonitorRoom(store), 2_000_000_000_000
    config = CONFIG.replace('target = "late"', 'target = "band"')
    store.workspace.config.write_text(config)
    refresh(store, load_config(store.workspace.config), now=now)
    before = room.performance("late").entries[0]
    assert set(before.estimated) == {"roc_auc", "log_loss", "brier", "accuracy"}
    assert before.measured == {}
    classes = ["much", "no", "some"]
    places = [float(classes.index(band)) for band in july.column("band").to_pylist()]
    record_actuals(store, "late", list(zip(map(str, july.column("id").to_pylist()), places, strict=True)), now=5)
    refresh(store, load_config(store.workspace.config), now=now + 100_000)
    refresh(store, load_config(store.workspace.config), now=now + 200_000)
    after = room.performance("late")
    first = after.entries[0]
    wanted = roc_auc_score(places, said, multi_class="ovr")
    assert first.measured["roc_auc"].value == pytest.approx(wanted)
    assert first.measured["roc_auc"].low < wanted < first.measured["roc_auc"].high
    assert {name: told.windows for name, told in after.record.items()} == dict.fromkeys(NAMES, 1)
    assert sum(told.inside for told in after.record.values()) >= 3
    assert after.assumption.holds


def test_a_baseline_of_before_estimates_of_several_classes_is_made_again(banded) -> None:
    store = banded[0]
    old = Baseline(task="multiclass", why=kept.NOT_YET)
    keep_baseline(store, "late", 1, old, "")
    made = baseline_of(store, "late", 1, apart=False)
    assert made.doubt is not None
    assert len(made.classes) == 3
    assert baseline_of(store, "late", 1, apart=False) == made
