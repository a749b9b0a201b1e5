# pyright: basic

import random

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor import records
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.counting import NEW_ROWS
from lemnis.engine.monitor.performance import LABELLED
from lemnis.engine.monitor.records import PREDICTION
from lemnis.engine.monitor.reference import reference_of
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


def months(flown) -> dict[str, records.Window]:
    return {iso_utc(window.starts)[:7]: window for window in flown.room.windows("late")}


def test_the_first_answers_make_a_window_for_each_month(flown) -> None:
    served = flown.between("2013-07-01", "2013-09-01")
    flown.answer(served)
    assert refresh(flown.store, flown.config, now=NOW) == {"late"}
    found = months(flown)
    assert list(found) == ["2013-07", "2013-08"]
    assert sum(window.rows for window in found.values()) == served.num_rows
    assert [window.closed for window in found.values()] == [True, False]
    assert found["2013-07"].verdict == "ok"
    assert found["2013-07"].roc_auc is None
    assert found["2013-07"].prediction_mean == pytest.approx(
        flown.scores(flown.between("2013-07-01", "2013-08-01")).mean()
    )
    assert refresh(flown.store, flown.config, now=NOW) == set()


def test_auc_log_loss_and_value_agree_with_scikit_learn(flown, independent) -> None:
    from sklearn.metrics import brier_score_loss, confusion_matrix, log_loss

    july = flown.between("2013-07-01", "2013-08-01")
    flown.answer(july)
    flown.label(july, now=5)
    refresh(flown.store, flown.config, now=NOW)
    window = months(flown)["2013-07"]
    known = july.filter(pc.is_valid(july.column("late")))
    target, scores = known.column("late").to_numpy(), flown.scores(known)
    assert window.labelled == known.num_rows < window.rows
    assert window.roc_auc == pytest.approx(independent(target, scores))
    assert window.log_loss == pytest.approx(log_loss(target, scores))
    assert window.brier == pytest.approx(brier_score_loss(target, scores))
    assert window.label_share == pytest.approx(target.mean())
    (_, false), (_, hit) = confusion_matrix(target, scores >= 0.4)
    assert window.value_per_1000 == pytest.approx(1000 * (40 * hit - 15 * false) / known.num_rows)


def test_labels_that_come_later_are_measured_in_the_window_of_their_rows(flown) -> None:
    rows = flown.between("2013-07-01", "2013-09-01")
    flown.answer(rows)
    refresh(flown.store, flown.config, now=NOW)
    flown.label(flown.between("2013-07-01", "2013-07-11"), now=1_000)
    assert refresh(flown.store, flown.config, now=NOW) == {"late"}
    first = months(flown)["2013-07"]
    assert 0.3 < first.labelled_share < 0.35
    assert not first.labels_settled
    assert months(flown)["2013-08"].labelled == 0
    assert refresh(flown.store, flown.config, now=NOW) == set()
    flown.label(flown.between("2013-07-11", "2013-08-02"), now=2_000)
    refresh(flown.store, flown.config, now=NOW)
    assert months(flown)["2013-07"].labelled_share > 0.95
    assert months(flown)["2013-07"].labels_settled


def test_a_corrected_label_is_measured_again(flown) -> None:
    july = flown.between("2013-07-01", "2013-08-01")
    flown.answer(july)
    flown.label(july, now=1_000)
    refresh(flown.store, flown.config, now=NOW)
    before = months(flown)["2013-07"]
    turned = pc.subtract(1, july.column("late"))
    flown.label(july.set_column(july.column_names.index("late"), "late", turned), now=2_000)
    refresh(flown.store, flown.config, now=NOW)
    after = months(flown)["2013-07"]
    assert after.labelled == before.labelled
    assert before.roc_auc is not None
    assert after.roc_auc == pytest.approx(1 - before.roc_auc)


@pytest.mark.slow
def test_late_duplicate_and_disordered_rows_give_the_windows_of_an_orderly_stream(flown) -> None:
    rows = flown.between("2013-07-01", "2013-09-01")
    places = list(range(rows.num_rows))
    random.Random(3).shuffle(places)
    half = len(places) // 2
    for part in (places[:half], places[:100], places[half:], places[-50:]):
        flown.answer(rows, order=part)
        refresh(flown.store, flown.config, now=NOW)
    disordered = flown.room.windows("late")
    features = [flown.room.features(window.id) for window in disordered]
    with flown.store.write("predictions") as db:
        db.execute("delete from predictions")
    with flown.store.write() as db:
        for table in ("monitor_windows", "monitor_cursors", "monitor_parts"):
            db.execute(f"delete from {table}")
    flown.answer(rows)
    refresh(flown.store, flown.config, now=NOW)
    assert sum(window.duplicates for window in disordered) == 150
    for window, orderly, found in zip(disordered, flown.room.windows("late"), features, strict=True):
        assert (window.rows, window.max_psi) == (orderly.rows, orderly.max_psi)
        assert [f.bins for f in found] == [f.bins for f in flown.room.features(orderly.id)]


@pytest.mark.slow
def test_reading_in_small_pages_counts_every_row_once(flown, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = flown.between("2013-07-01", "2013-08-01")
    monkeypatch.setattr("lemnis.engine.monitor.counting.PAGE", 7)
    monkeypatch.setattr("lemnis.engine.monitor.counting.PAGES", 3)
    monkeypatch.setattr("lemnis.engine.monitor.counting.MOST_COLUMNS", 5 * 4)
    monkeypatch.setattr("lemnis.engine.monitor.performance.PAGE", 11)
    flown.answer(rows)
    flown.label(rows, now=5)
    refresh(flown.store, flown.config, now=NOW)
    window = months(flown)["2013-07"]
    assert window.rows == rows.num_rows
    assert window.labelled == rows.num_rows - rows.column("late").null_count


def test_what_changed_in_the_world_is_found_and_what_did_not_is_not(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-11-01"))
    refresh(flown.store, flown.config, now=NOW)
    found = months(flown)
    assert [window.verdict for window in found.values()] == ["ok", "ok", "watch", "drift"]
    assert "wind" in found["2013-09"].why
    assert "for the first time" in found["2013-09"].why
    first = {feature.feature: feature for feature in flown.room.features(found["2013-09"].id)}
    assert (first["wind"].verdict, first["wind"].suspected) == ("watch", True)
    features = {feature.feature: feature for feature in flown.room.features(found["2013-10"].id)}
    assert features["wind"].verdict == "drift"
    assert {features[name].verdict for name in ("carrier", "distance", "holiday")} == {"ok"}
    assert next(iter(features)) == "wind"
    assert list(features)[-1] == PREDICTION
    assert any(change.startswith("wind: up to") for change in found["2013-09"].schema_changes)


def test_distances_agree_with_an_independent_computation(flown) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-01"))
    refresh(flown.store, flown.config, now=NOW)
    window = months(flown)["2013-09"]
    drift = next(feature for feature in flown.room.features(window.id) if feature.feature == "wind")
    train = flown.between("2013-01-01", "2013-06-01")
    train = train.filter(pc.is_valid(train.column("late"))).column("wind").to_pandas().to_numpy()
    live = flown.between("2013-09-01", "2013-10-01").column("wind").to_pandas().to_numpy()
    edges = [-np.inf, *np.quantile(train[~np.isnan(train)], np.arange(1, 10) / 10, method="higher"), np.inf]
    p, q = (np.append(np.histogram(side, edges)[0], np.isnan(side).sum()) for side in (train, live))
    assert drift.bins.reference == pytest.approx(p / p.sum(), abs=1e-5)
    assert drift.bins.current == pytest.approx(q / q.sum(), abs=1e-5)
    p, q = ((side + 0.5) / (side + 0.5).sum() for side in (p, q))
    assert drift.jensen_shannon == pytest.approx(jensenshannon(p, q, base=2))
    assert drift.psi == pytest.approx(entropy(p, q) + entropy(q, p))
    assert drift.missing_share == pytest.approx(np.isnan(live).mean())


def test_a_window_with_few_rows_says_nothing(flown) -> None:
    flown.answer(flown.between("2013-09-01", "2013-09-04"))
    refresh(flown.store, flown.config, now=NOW)
    window = months(flown)["2013-09"]
    assert window.verdict == "insufficient"
    assert window.why == "90 rows, 200 are needed"
    assert window.max_psi is None
    assert {feature.verdict for feature in flown.room.features(window.id)} == {"insufficient"}


def test_the_reference_is_frozen_when_it_is_first_needed(flown) -> None:
    first = reference_of(flown.store, "late", 1, bins=10)
    assert (first.held_out, first.dataset) == ("validation", "flights v1")
    assert sum(first.importance.values()) == pytest.approx(1)
    assert max(first.importance, key=first.importance.__getitem__) in ("wind", "carrier")
    june = flown.between("2013-06-01", "2013-07-01")
    june = june.filter(pc.is_valid(june.column("late")))
    assert first.prediction_mean == pytest.approx(flown.scores(june).mean())
    assert reference_of(flown.store, "late", 1, bins=50) == first


def test_each_model_version_has_windows_of_its_own(flown) -> None:
    rows = flown.between("2013-07-01", "2013-08-01")
    flown.answer(rows)
    flown.answer(rows, model_version=2)
    refresh(flown.store, flown.config, now=NOW)
    assert [(window.version, window.rows, window.duplicates) for window in flown.room.windows()] == [
        (1, rows.num_rows, 0),
        (2, rows.num_rows, 0),
    ]


def test_another_width_of_the_windows_counts_everything_anew(flown) -> None:
    rows = flown.between("2013-07-01", "2013-07-08")
    flown.answer(rows)
    flown.label(rows, now=5)
    refresh(flown.store, flown.config, now=NOW)
    path = flown.store.workspace.config
    path.write_text(
        path.read_text().replace('window = "month"', 'window = "day"').replace("min_rows = 200", "min_rows = 20")
    )
    refresh(flown.store, flown.config, now=NOW)
    windows = flown.room.windows()
    assert len(windows) == 7
    assert {window.rows for window in windows} == {30}
    assert all(window.roc_auc for window in windows)


def test_rows_of_a_model_without_its_file_wait_with_a_reason_and_are_counted_later(flown) -> None:
    path = flown.store.workspace.hidden / "models" / "model.txt"
    content = path.read_bytes()
    path.unlink()
    flown.answer(flown.between("2013-07-01", "2013-07-11"))
    assert refresh(flown.store, flown.config, now=NOW) == set()
    assert "missing" in flown.room.status().watched[0].problem
    path.write_bytes(content)
    assert refresh(flown.store, flown.config, now=NOW) == {"late"}
    assert flown.room.windows()[0].rows == 300
    assert flown.room.status().watched[0].problem == ""


def test_a_quiet_stream_closes_its_last_window_only_when_its_end_has_passed(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-08-01"))
    refresh(flown.store, flown.config, now=NOW)
    assert not months(flown)["2013-07"].closed
    assert refresh(flown.store, flown.config, now=NOW + 1_000) == set()
    assert refresh(flown.store, flown.config, now=NOW + 60_000) == {"late"}
    assert months(flown)["2013-07"].closed


def test_the_grid_has_a_cell_for_every_feature_and_window(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-10-01"))
    refresh(flown.store, flown.config, now=NOW)
    grid = flown.room.grid(flown.room.windows("late"))
    assert len(grid.windows) == 3
    assert grid.features[0] == PREDICTION
    assert sorted(grid.features[1:]) == sorted(flown.signature.names)
    assert [cell.verdict for cell in grid.cells["wind"]] == ["ok", "ok", "watch"]


def test_an_empty_workspace_has_an_empty_monitor(flown) -> None:
    assert refresh(flown.store, flown.config, now=NOW) == set()
    assert flown.room.windows() == []
    assert flown.room.grid([]).features == []
    assert flown.room.alerts() == []
    assert flown.room.status().why == "the watch was never started"
    assert advance(flown.store, flown.config, "late", []) == 0


def test_no_query_reads_a_whole_version_for_each_row(flown) -> None:
    for sql in (NEW_ROWS, LABELLED):
        plan = flown.store.rows(f"explain query plan {sql}", [1] * sql.count("?"), name="predictions")
        inner = [row["detail"] for row in plan if "SEARCH q" in row["detail"]]
        assert inner == ["SEARCH q USING INDEX predictions_key (endpoint=? AND row_key=? AND rowid<?)"]
