# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import pyarrow.compute as pc
import pytest
from support import until

from lemnis.engine.monitor.concept.kept import kept_baseline
from lemnis.engine.monitor.concept.windowed import ANSWERED
from lemnis.engine.monitor.reference import reference_of
from lemnis.engine.monitor.watch import Watch
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


def test_estimates_come_with_the_rows_and_stay_beside_the_truth_when_labels_come(flown) -> None:
    rows = flown.between("2013-07-01", "2013-11-01")
    flown.answer(rows)
    assert refresh(flown.store, flown.config, now=NOW) == {"late"}
    before = flown.room.performance("late")
    assert [set(entry.measured) for entry in before.entries] == [set()] * 4
    assert all(
        {"roc_auc", "log_loss", "brier", "accuracy", "value_per_1000"} == set(e.estimated) for e in before.entries
    )
    assert {entry.money.basis for entry in before.entries} == {"estimated"}
    assert before.record == {}
    assert before.lag_ms is None
    flown.label(rows, now=1_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    after = flown.room.performance("late")
    assert [entry.estimated for entry in after.entries] == [entry.estimated for entry in before.entries]
    assert {entry.money.basis for entry in after.entries} == {"measured"}
    july, september = after.entries[0], after.entries[2]
    assert july.measured["roc_auc"].value == pytest.approx(july.window.roc_auc)
    assert july.measured["value_per_1000"].value == pytest.approx(july.window.value_per_1000)
    assert july.blocks == "days"
    assert july.measured["roc_auc"].low < july.estimated["roc_auc"].value < july.measured["roc_auc"].high
    assert september.measured["roc_auc"].high < september.estimated["roc_auc"].low, "the concept changed"
    kept = after.record["roc_auc"]
    assert (kept.windows, kept.inside) == (3, 2)
    assert after.entries[0].calibration_error < 0.1 < after.entries[2].calibration_error
    assert not after.assumption.holds
    assert after.total.since == september.window.starts
    assert after.total.measured.high < 0
    assert after.total.estimated is None
    assert refresh(flown.store, flown.config, now=NOW + 2) == set()


def test_late_and_corrected_labels_measure_their_window_again(flown) -> None:
    july = flown.between("2013-07-01", "2013-08-01")
    flown.answer(july)
    flown.answer(flown.between("2013-08-01", "2013-08-02"))
    flown.label(flown.between("2013-07-01", "2013-07-11"), now=1_000)
    refresh(flown.store, flown.config, now=NOW)
    first = flown.room.performance("late")
    assert first.entries[0].window.labelled < 310
    assert first.lag_ms > 20 * 86_400_000
    flown.label(flown.between("2013-07-11", "2013-08-02"), now=2_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    second = flown.room.performance("late").entries[0]
    assert second.measured["roc_auc"].value == pytest.approx(second.window.roc_auc)
    turned = pc.subtract(1, july.column("late"))
    flown.label(july.set_column(july.column_names.index("late"), "late", turned), now=3_000)
    refresh(flown.store, flown.config, now=NOW + 2)
    third = flown.room.performance("late").entries[0]
    assert third.measured["roc_auc"].value == pytest.approx(1 - second.measured["roc_auc"].value)


def test_another_value_matrix_changes_the_money_of_all_windows_at_once(flown) -> None:
    rows = flown.between("2013-07-01", "2013-08-02")
    flown.answer(rows)
    flown.label(rows, now=5)
    refresh(flown.store, flown.config, now=NOW)
    before = flown.room.performance("late").entries[0]
    path = flown.store.workspace.config
    path.write_text(path.read_text().replace("= 40", "= 400").replace("= -15", "= -150"))
    after = flown.room.performance("late").entries[0]
    assert after.money.per_day.value == pytest.approx(10 * before.money.per_day.value)
    assert after.money.per_day.low == pytest.approx(10 * before.money.per_day.low)
    path.write_text(path.read_text().split("[problem.value]")[0] + "[monitor]\nwindow = 'month'\n")
    assert flown.room.performance("late").entries[0].money is None


def test_windows_of_another_width_have_figures_of_their_own(flown) -> None:
    rows = flown.between("2013-07-01", "2013-07-08")
    flown.answer(rows)
    flown.label(rows, now=5)
    refresh(flown.store, flown.config, now=NOW)
    path = flown.store.workspace.config
    path.write_text(path.read_text().replace('window = "month"', 'window = "day"'))
    refresh(flown.store, flown.config, now=NOW + 1)
    entries = flown.room.performance("late").entries
    assert len(entries) == 7
    assert all(entry.measured["accuracy"].low is not None and entry.estimated for entry in entries)
    assert entries[0].blocks == "rows"


def test_a_model_without_rows_held_out_says_why_nothing_is_estimated(flown) -> None:
    with flown.store.write() as db:
        db.execute("update versions set split = '{}'")
    flown.answer(flown.between("2013-07-01", "2013-07-11"))
    refresh(flown.store, flown.config, now=NOW)
    found = flown.room.performance("late")
    assert found.entries[0].estimated == {}
    assert "no rows were held out" in found.why


@pytest.mark.slow
def test_a_baseline_is_made_once_in_a_process_of_its_own(flown) -> None:
    from lemnis.engine.monitor.concept.baseline import baseline_of

    here = baseline_of(flown.store, "late", 1, apart=False)
    assert baseline_of(flown.store, "late", 2, apart=True) is None
    apart = until(lambda: baseline_of(flown.store, "late", 2, apart=True))
    assert here == apart == kept_baseline(flown.store, "late", 2)
    path = flown.store.workspace.hidden / "models" / "model.txt"
    path.write_text("another")
    assert baseline_of(flown.store, "late", 1, apart=True) == here
    with flown.store.write() as db:
        db.execute("delete from monitor_baselines")
    failed = until(lambda: baseline_of(flown.store, "late", 1, apart=True))
    assert "SHA-256 differs" in failed.why
    assert (failed.task, failed.threshold) == ("binary", 0.4)


def test_no_query_reads_a_whole_version_for_each_row(flown) -> None:
    plan = flown.store.rows(f"explain query plan {ANSWERED}", [1] * ANSWERED.count("?"), name="predictions")
    inner = [row["detail"] for row in plan if "SEARCH q" in row["detail"]]
    assert inner == ["SEARCH q USING INDEX predictions_key (endpoint=? AND row_key=? AND rowid<?)"]


def test_a_version_that_is_gone_holds_up_neither_the_other_nor_the_alerts(flown) -> None:
    for number in (1, 2):
        reference_of(flown.store, "late", number, bins=10)
        flown.answer(flown.between("2013-09-01", "2013-10-02"), model_version=number)
    with flown.store.write() as db:
        db.execute("delete from model_versions where version = 1")
    assert flown.room.refresh() == ["late"]
    first, second = flown.room.status().watched
    problems = {watched.version: watched.problem for watched in (first, second)}
    assert problems == {1: "late v1 is not registered with a dataset version.", 2: ""}
    assert {entry.window.version for entry in flown.room.performance("late").entries if entry.estimated} == {2}
    assert [alert.state for alert in flown.room.alerts()] == ["firing"]
    Watch(flown.store).look()
    assert flown.room.status().watching
