# pyright: basic

import json

import pytest

from lemnis.engine import Engine
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted
from lemnis.tui.stages.monitor.rows import moved_cell


@pytest.fixture
def lemnis(engine: Engine, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(hoisted([*arguments, "-w", str(engine.workspace.root)]))
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_drift_is_the_documented_document(lemnis) -> None:
    code, out, _ = lemnis("monitor", "drift", "--json")
    windows = json.loads(out)["windows"]
    assert code == 0
    assert [window["start"] for window in windows] == [f"2013-{month:02}-01T00:00:00Z" for month in (7, 8, 9)]
    assert {"start", "end", "rows", "features", "verdict"} <= set(windows[0])
    assert windows[2]["features"][0] == {
        "name": "wind\x1b[31m",
        "kind": "numeric",
        "method": "kolmogorov_smirnov",
        "score": 0.305,
        "threshold": 0.05,
        "verdict": "drift",
        "importance": 0.7,
        "suspected": True,
        "rule": "Suspected when the KS distance is at least 0.050: effect = 0.05 of [monitor].",
        "psi": 0.61,
        "jensen_shannon": 0.305,
        "kolmogorov_smirnov": 0.305,
        "chi_square": None,
        "wasserstein": 0.61,
        "p": 1e-9,
        "p_adjusted": 2e-9,
    }
    assert windows[2]["false_alarms"] == {"alarmed": 0, "runs": 100, "rows": 20_000}
    assert windows[2]["performance"]["roc_auc"] == 0.64


def test_what_moved_most_is_the_same_in_the_list_the_tab_and_the_incident(lemnis, engine: Engine) -> None:
    with engine.store.write() as db:  # by PSI times gain the wind would come first
        db.execute("update monitor_features set score = 0.4, verdict = 'drift' where feature = 'carrier'")
        db.execute("update monitor_features set psi = 3, verdict = 'drift' where feature like 'wind%'")
    windows = engine.monitor.windows("late")
    grid = engine.monitor.grid(windows)
    tab = [moved_cell(window, grid)[0].split()[0] for window in windows]
    assert tab == ["carrier"] * 3
    assert [one["features"][0]["name"] for one in json.loads(lemnis("monitor", "drift", "--json")[1])["windows"]] == tab
    listed = [line for line in lemnis("monitor", "drift", "--features", "1")[1].splitlines() if "of 0.05" in line]
    assert ["carrier 0.40 of 0.05 (30%)" in line for line in listed] == [True] * 3
    alert = next(one for one in engine.monitor.alerts() if one.rule == "auc_low")
    assert engine.monitor.incident(alert.id).features[0].feature == "carrier"


def test_performance_has_a_window_each_with_its_auc(lemnis) -> None:
    _, out, _ = lemnis("monitor", "performance", "--json")
    assert [(window["auc"], window["reference"]["auc"]) for window in json.loads(out)["windows"]] == [
        (0.75, 0.75),
        (0.72, 0.75),
        (0.64, 0.75),
    ]


def test_people_read_tables_in_which_nothing_of_the_data_acts(lemnis) -> None:
    _, out, _ = lemnis("monitor", "drift")
    assert "wind␛[31m 0.30 of 0.05 (70%)" in out
    assert "\x1b" not in out
    assert "0.640 [0.632, 0.648]" in lemnis("monitor", "performance")[1]
    assert "watch  ● up" in lemnis("monitor", "status")[1]


def test_a_firing_alert_makes_the_list_end_with_1_until_it_is_taken(lemnis, engine: Engine) -> None:
    code, out, _ = lemnis("alerts", "list", "--json")
    found = json.loads(out)["alerts"]
    assert code == 1
    assert [alert["state"] for alert in found] == ["firing", "firing"]
    for alert in found:
        assert lemnis("alerts", "ack", str(alert["id"]), "--who", "ada", "--why", "on it")[0] == 0
    assert lemnis("alerts", "list")[0] == 0
    code, _, err = lemnis("alerts", "ack", str(found[0]["id"]))
    assert code == 2
    assert "acknowledged by ada" in err
    assert lemnis("alerts", "resolve", str(found[0]["id"]), "--why", "mended")[0] == 0
    events = json.loads(lemnis("alerts", "history", str(found[0]["id"]), "--json")[1])["events"]
    assert [event["state"] for event in reversed(events)] == ["pending", "firing", "acknowledged", "resolved"]


def test_an_alert_that_does_not_exist_is_an_input_error(lemnis) -> None:
    code, out, err = lemnis("alerts", "history", "77", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["error"]["code"] == "not_found"


def test_feedback_needs_its_two_columns(lemnis, tmp_path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("key,late\n1,0\n")
    code, _, err = lemnis("monitor", "feedback", "late", str(file))
    assert code == 2
    assert "no column actual" in err


def test_a_replay_to_nowhere_is_refused(lemnis) -> None:
    code, _, err = lemnis("monitor", "replay", "nowhere", "--from", "2013-07-01", "--until", "2013-08-01")
    assert code == 2
    assert "nowhere" in err
