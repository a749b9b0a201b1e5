"""One command goes round the whole loop on real flights, and its figures are right."""

# pyright: basic

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import flights
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from support import until
from tmux import Tmux
from tmux import lemnis as console_of

from lemnis.engine import Engine
from lemnis.engine.demo import open_demo
from lemnis.engine.workspace import Workspace

JSON = dict[str, Any]


def lemnis(*arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lemnis.tui", *arguments]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a demo that trains no challenger (below one does), stopped when the tests are over."""
    root = tmp_path_factory.mktemp("demo")
    engine = open_demo(root / "flights")
    config = engine.workspace.config
    config.write_text(config.read_text().replace('policy = "suggest"', 'policy = "manual"'))
    yield root / "flights"
    stop(engine)


def stop(engine: Engine) -> None:
    engine.jobs.stop_supervisor()
    engine.store.close()


@pytest.fixture(scope="module")
def report(folder: Path) -> JSON:
    done = lemnis("demo", "--dir", str(folder), "--headless", "--quick", "--json", timeout=600.0)
    assert done.returncode == 0, done.stderr
    document: JSON = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def engine(folder: Path, report: JSON) -> Iterator[Engine]:
    opened = Engine(Workspace(folder))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = flights.open_tables(tmp_path_factory.mktemp("tables"))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def logged(engine: Engine) -> dict[str, float]:
    """What the endpoint answered, by flight."""
    rows = engine.store.rows("select row_key, score from predictions", name="predictions")
    return {row["row_key"]: row["score"] for row in rows}


def test_rows_and_orphans_are_those_of_the_published_tables(report: JSON, tables: duckdb.DuckDBPyConnection) -> None:
    assert tables.execute("select count(*) from flights").fetchone() == (report["rows"],)
    found = {name: (report["orphans"][name], report["orphan_keys"][name]) for name in report["orphans"]}
    assert found == flights.orphans(tables) == {"planes": (50_094, 721), "airports": (7_602, 4)}


def test_the_endpoint_answers_what_the_model_file_answers(
    report: JSON, engine: Engine, tables: duckdb.DuckDBPyConnection, logged: dict[str, float]
) -> None:
    run = engine.workspace.run_dir(report["champion"]["run"])
    again = flights.scores(tables, run / "model.txt", run / "signature.json", logged)
    assert set(again) == set(logged)
    worst = max(abs(again[key] - logged[key]) for key in logged)
    assert worst < 1e-9


def test_auc_and_late_share_of_every_month_are_right(
    report: JSON, tables: duckdb.DuckDBPyConnection, logged: dict[str, float]
) -> None:
    by_month: dict[str, tuple[list[bool], list[float]]] = defaultdict(lambda: ([], []))
    for key, (month, late) in flights.month_labels(tables).items():
        if key in logged:
            by_month[month][0].append(late)
            by_month[month][1].append(logged[key])
    assert [entry["window"] for entry in report["performance"]] == sorted(by_month)
    for entry in report["performance"]:
        labels, answers = by_month[entry["window"]]
        assert entry["labelled"] == len(labels)
        assert entry["auc"] == pytest.approx(roc_auc_score(labels, answers), abs=1e-6)
        assert entry["late_share"] == pytest.approx(sum(labels) / len(labels), abs=1e-9)


@pytest.fixture(scope="module")
def reference(engine: Engine) -> JSON:
    """What a month is compared with: the frozen bins, by feature, and the importances."""
    found: JSON = json.loads(engine.store.value("select reference from monitor_references"))
    return found | {"bins": {one["name"]: one for one in found["binnings"]}}


@pytest.mark.slow
def test_the_scores_of_every_month_are_those_of_the_published_tables(
    report: JSON, engine: Engine, tables: duckdb.DuckDBPyConnection, reference: JSON, logged: dict[str, float]
) -> None:
    """Rows are equal, shares to 1e-6 (they are kept with six digits), PSI to 1e-4, KS to 1/128, as its cells are."""
    model = engine.workspace.run_dir(report["champion"]["run"]) / "model.txt"
    gains = flights.gain_shares(model)
    trained = flights.inputs(tables, list(gains), "2013-01-01", "2013-06-01", labelled=True)
    served = flights.inputs(tables, list(gains), "2013-07-01", "2014-01-01", labelled=False)
    asked = np.isin(served["flight_id"], list(logged))
    moved: dict[str, list[bool]] = defaultdict(list)
    windows = engine.monitor.windows("late")
    assert len(windows) == 6
    for window in windows:
        rows = asked & (served["month"] == f"{datetime.fromtimestamp(window.starts / 1000, UTC):%Y-%m-%d}")
        assert window.rows == rows.sum()
        stability: dict[str, float] = {}
        for feature in engine.monitor.features(window.id):
            name, moved_now = feature.feature, moved[feature.feature]
            moved_now.append(feature.suspected)
            drifted = feature.suspected and sum(moved_now[-3:]) >= 2
            assert feature.verdict == ("drift" if drifted else "watch" if feature.suspected else "ok")
            if name == "prediction":
                continue
            bins = reference["bins"][name]
            edges = [bins["edges"][place] for place in bins["bounds"]] or bins["edges"]
            before, after = (
                flights.bin_counts(column, feature.kind, edges, bins["categories"])
                for column in (trained[name], served[name][rows])
            )
            assert feature.bins.reference == pytest.approx(before / before.sum(), abs=1e-6)
            assert feature.bins.current == pytest.approx(after / after.sum(), abs=1e-6)
            stability[name] = flights.stability(before, after)
            assert feature.psi == pytest.approx(stability[name], abs=1e-4)
            assert feature.importance == pytest.approx(gains[name], abs=1e-6)
            if feature.kind == "numeric":
                farthest = flights.largest_difference(trained[name], served[name][rows])
                assert -1e-9 <= farthest - feature.score <= 1 / 128
        important = max(psi for name, psi in stability.items() if gains[name] >= 0.05)
        assert window.important_psi == pytest.approx(important, abs=1e-4)


@pytest.mark.slow
def test_every_alert_is_explained_by_its_months_and_no_other_month_breaks_its_rule(
    report: JSON, engine: Engine, tables: duckdb.DuckDBPyConnection, reference: JSON, logged: dict[str, float]
) -> None:
    months: dict[str, tuple[list[bool], list[float]]] = defaultdict(lambda: ([], []))
    for key, (month, late) in flights.month_labels(tables).items():
        if key in logged:
            months[month][0].append(late)
            months[month][1].append(logged[key])
    by_key = flights.inputs(tables, [], "2013-07-01", "2014-01-01", labelled=False)
    bins = reference["bins"]["prediction"]
    edges = [bins["edges"][place] for place in bins["bounds"]]
    before = flights.coarse(bins["counts"], bins["bounds"])
    windows = {
        f"{datetime.fromtimestamp(one.starts / 1000, UTC):%Y-%m-%d}": one for one in engine.monitor.windows("late")
    }
    found: dict[str, list[float]] = {"roc_auc": [], "drift": [], "prediction_psi": []}
    for month in sorted(months):
        answers = np.ma.asarray([logged[key] for key in by_key["flight_id"][by_key["month"] == month] if key in logged])
        after = flights.bin_counts(answers, "numeric", edges, [])
        found["roc_auc"].append(float(roc_auc_score(*months[month])))
        found["prediction_psi"].append(flights.stability(before, after))
        features = engine.monitor.features(windows[month].id)  # their verdicts are proven month by month above
        found["drift"].append(float(any(one.verdict == "drift" and one.importance >= 0.05 for one in features)))
        assert windows[month].prediction_psi == pytest.approx(found["prediction_psi"][-1], abs=1e-4)
    alerts = {alert.rule: alert for alert in engine.monitor.alerts(open_only=False, endpoint="late")}
    rules = engine.config().alerts
    assert {rule.name for rule in rules} >= {"auc_low", "important_features_drift", "answers_shift"}
    for rule in rules:
        broken = [
            value < rule.below if rule.below is not None else value > (rule.above or 0.0)
            for value in found[rule.metric]
        ]
        last = len(broken) - (broken[::-1].index(False) if False in broken else len(broken))
        in_a_row = len(broken) - last
        if in_a_row < rule.windows:
            assert rule.name not in alerts, f"{rule.name} fires, but {broken} break it"
            continue
        alert = alerts[rule.name]
        assert (alert.state, alert.breaches) == ("firing", in_a_row)
        assert alert.value == pytest.approx(found[rule.metric][-1], abs=1e-4)
        window = engine.monitor.window(alert.window_id) if alert.window_id else None
        assert window is not None
        assert window.starts == max(one.starts for one in windows.values())


def test_the_model_is_honest_and_what_is_known_only_afterwards_was_refused(report: JSON, engine: Engine) -> None:
    assert 0.6 < report["champion"]["metrics"]["roc_auc"] < 0.8
    version = engine.data.version()
    flagged = {score.name for score in engine.features.scores(version.id) if score.leakage}
    assert {"dep_delay", "dep_time", "arr_time", "air_time"} <= flagged
    assert not flagged & set(engine.features.feature_set(version=version.id).features)


def test_checks_alerts_and_traffic_are_in_the_report(report: JSON) -> None:
    assert report["checks"]["not_evaluated"] == 0
    assert report["checks"]["passed"] > 0
    assert report["checks"]["failed"] + report["checks"]["warned"] > 0
    assert report["endpoint"]["errors"] == 0
    assert report["endpoint"]["requests"] > 0
    assert any(window["drifted"] for window in report["drift"])
    assert any(alert["state"] in ("firing", "acknowledged") for alert in report["alerts"])


def test_every_stage_of_the_loop_has_something_to_say(folder: Path, report: JSON) -> None:
    answer = json.loads(lemnis("-w", str(folder), "status", "--json").stdout)
    states = {stage["name"]: stage["state"] for stage in answer["stages"]}
    assert len(states) == 10
    assert "not started" not in states.values()


@pytest.mark.slow
def test_the_demo_run_again_goes_on_where_it_stopped(folder: Path, report: JSON) -> None:
    again = lemnis("demo", "--dir", str(folder), "--headless", "--quick", "--json", timeout=300.0)
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert document["dataset_version"] == report["dataset_version"]
    assert [run["id"] for run in document["runs"]] == [run["id"] for run in report["runs"]]
    assert document["endpoint"]["requests"] == report["endpoint"]["requests"]


@pytest.mark.slow
def test_what_an_alert_asks_for_is_trained_and_waits_for_a_person(tmp_path: Path) -> None:
    done = lemnis("demo", "--dir", str(tmp_path / "flights"), "--headless", "--quick", timeout=900.0)
    engine = Engine(Workspace(tmp_path / "flights"))
    try:
        assert done.returncode == 0, done.stderr
        assert any(one.found for one in engine.monitor.retraining.retrainings("late"))
        champion = engine.deploy.alias("late", "champion")
        assert champion is not None
        assert champion.version == 1
    finally:
        stop(engine)


STAGES = {
    "1": ("Problem", "15 minutes late"),
    "2": ("Data", "336,776"),
    "3": ("Explore", "tells 85% of the target"),
    "4": ("Features", "dep_delay"),
    "5": ("Validate", "tailnum"),
    "6": ("Experiments", "finished"),
    "7": ("Evaluate", "ROC AUC"),
    "8": ("Deploy", "champion"),
    "9": ("Monitor", "2013"),
    "0": ("Resources", "CPU"),
}


@pytest.fixture(params=[(160, 48), (80, 24)], ids=["160x48", "80x24"])
def console(folder: Path, report: JSON, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    """The console on the demo's workspace in a real terminal."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed: the console can't be driven in a real terminal")
    terminal = Tmux(console_of("-w", str(folder)), *request.param)
    yield terminal
    terminal.close()


def test_each_tab_shows_its_data_by_its_key(console: Tmux) -> None:
    for key, (name, fact) in STAGES.items():
        console.keys(key)
        assert console.shows(name, fact)
    console.keys("q")
    until(console.dead)  # with which status is asked on a pty of our own, in tests/tui/test_terminal.py


def test_a_training_started_by_a_key_streams_and_outlives_the_console(console: Tmux, engine: Engine) -> None:
    console.keys("6")
    console.shows("finished")
    newest = engine.experiments.search(limit=1).runs[0].id
    console.keys("t")
    console.shows("default")
    console.keys("Enter")
    run = until(lambda: r if (r := engine.experiments.search(limit=1).runs[0]).id > newest else None)
    assert run is not None
    console.shows("running")
    until(lambda: engine.experiments.run(run.id).rounds_done > 0, 60.0)
    os.kill(console.pid(), signal.SIGKILL)
    until(console.dead)
    done = until(lambda: r if (r := engine.experiments.run(run.id)).ended else None, 120.0)
    assert done is not None
    assert (done.state, done.why) == ("finished", "finished")
    assert run.job_id is not None
    assert engine.jobs.job(run.job_id).attempts == 1
