# pyright: basic

"""Features that drift, from logged rows to messages: one that flaps, and two hundred at once."""

from pathlib import Path

import numpy as np
from served import DAY_MS, START_MS, served

from lemnis.engine.monitor import MonitorRoom
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.kept import list_windows

RULE = """
notify = ["team"]
[contacts.team]
urls = ["json://localhost:1"]
[[alerts]]
name = "drifts"
metric = "max_psi"
above = 0.25
"""


class Days:
    """An endpoint that answers 300 rows a day, judged and told of after each."""

    def __init__(self, folder: Path, features: int) -> None:
        self.made = served(folder, features)
        path = self.made.store.workspace.config
        path.write_text(path.read_text() + RULE)
        self.room, self.day = MonitorRoom(self.made.store), 0

    def pass_by(self, shifts: np.ndarray) -> None:
        """Let a day pass whose features are moved by so many standard deviations."""
        rows = np.random.default_rng(self.day).normal(size=(300, self.made.features)) + shifts
        start = START_MS + self.day * DAY_MS
        self.made.log(rows, [start + place for place in range(300)])
        self.day += 1
        now = START_MS + self.day * DAY_MS
        self.made.look(now)
        advance(self.made.store, self.made.config, "late", list_windows(self.made.store, "late"), now=now)

    def told(self) -> list[str]:
        return [one.kind for one in reversed(self.room.alerting.notifications())]


def test_a_feature_that_drifts_every_other_day_flaps_and_is_told_once(tmp_path: Path) -> None:
    days = Days(tmp_path / "w", 2)
    for day in range(12):
        days.pass_by(np.array([2.0 * (day % 2), 0.0]))
    assert [alert.state for alert in days.room.alerts()] == ["flapping"]
    held_from = days.told()
    assert held_from.count("flapping") == 1
    for day in range(6):
        days.pass_by(np.array([2.0 * (day % 2), 0.0]))
    assert days.told() == held_from
    for _ in range(10):
        days.pass_by(np.zeros(2))
    assert days.room.alerts() == []
    assert days.told() == [*held_from, "resolved"]


def test_two_hundred_features_that_drift_at_once_are_one_incident_and_one_message(tmp_path: Path) -> None:
    days = Days(tmp_path / "w", 200)
    days.pass_by(np.zeros(200))
    for _ in range(3):
        days.pass_by(np.full(200, 1.5))
    (alert,) = days.room.alerts()
    assert alert.state == "firing"
    assert days.made.store.value("select count(*) from incidents") == 1
    assert days.told() == ["fired"]
    assert "and 197 more drifted" in alert.message
    assert days.made.store.value("select count(*) from monitor_features where verdict = 'drift'") >= 200
