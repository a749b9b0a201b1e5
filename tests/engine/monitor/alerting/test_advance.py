# pyright: basic

import pytest

from lemnis.engine.config import load_config, parse_config
from lemnis.engine.errors import BadInput, ConfigError, NotFound
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.rules import METRICS
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


class Clock:
    """A wall clock that moves a second at every look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


@pytest.fixture
def look(flown):
    """Refresh windows and alerts as the watch does, with a fake clock."""
    clock = Clock()

    def once(later: int = 0) -> dict[str, str]:
        clock.now += later
        refresh(flown.store, flown.config, now=clock())
        advance(flown.store, flown.config, "late", flown.room.windows("late"), now=clock())
        return {alert.rule: alert.state for alert in flown.room.alerts(open_only=False)}

    return once


def events(flown, rule: str) -> list[str]:
    ids = {alert.id for alert in flown.room.alerts(open_only=False) if alert.rule == rule}
    return [event.state for event in reversed(flown.room.events()) if event.alert_id in ids]


def test_drift_goes_from_pending_to_firing_when_its_window_closes(flown, look) -> None:
    flown.answer(flown.between("2013-07-01", "2013-09-01"))
    assert look() == {}
    flown.answer(flown.between("2013-09-01", "2013-09-21"))
    assert look() == {"features-drift": "pending"}
    assert look() == {"features-drift": "pending"}
    flown.answer(flown.between("2013-09-21", "2013-10-02"))
    assert look() == {"features-drift": "firing"}
    assert events(flown, "features-drift") == ["pending", "firing"]
    alert = flown.room.alerts()[0]
    assert alert.value > alert.threshold == 0.25
    assert "important PSI" in alert.message
    assert "2013-09-01" in alert.message
    assert (alert.fires, alert.severity) == (True, "ticket")


def test_a_fall_of_auc_waits_for_labels_and_for_two_months(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-11-01"))
    assert "auc-low" not in look()
    flown.label(flown.between("2013-09-01", "2013-09-20"), now=1_000)
    assert look()["auc-low"] == "pending"
    flown.label(flown.between("2013-09-20", "2013-10-15"), now=20_000)
    assert look()["auc-low"] == "pending"
    flown.label(flown.between("2013-10-15", "2013-11-01"), now=40_000)
    assert look()["auc-low"] == "pending"
    assert look(later=120_000)["auc-low"] == "firing"
    alert = next(alert for alert in flown.room.alerts() if alert.rule == "auc-low")
    assert (alert.severity, alert.breaches, alert.threshold) == ("page", 2, 0.7)
    assert "rows labelled" in alert.message


def test_an_acknowledged_alert_is_somebodys_and_resolves_with_the_windows(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    look()
    alert = flown.room.alerts()[0]
    taken = flown.room.acknowledge(alert.id, "ada", "looking at the weather feed")
    assert (taken.state, taken.acknowledged_by, taken.fires) == ("acknowledged", "ada", False)
    with pytest.raises(BadInput, match="acknowledged by ada"):
        flown.room.acknowledge(alert.id, "bob")
    assert look() == {"features-drift": "acknowledged"}
    calm = flown.between("2013-07-01", "2013-08-01")  # the weather of July comes back in October
    moved = calm.column("flown").cast("int64").to_numpy() + 92 * 86_400_000_000
    calm = calm.set_column(1, "flown", [moved.astype("datetime64[us]")])
    calm = calm.set_column(0, "id", [calm.column("id").to_numpy() + 1_000_000])
    with flown.store.write("predictions") as db:
        db.execute("delete from predictions where event_at >= 1380585600000")
    with flown.store.write() as db:
        db.execute("delete from monitor_windows where starts >= 1380585600000")
    flown.answer(calm)
    assert look(later=120_000) == {"features-drift": "acknowledged"}
    assert look(later=120_000) == {"features-drift": "resolved"}
    said = [(event.state, event.who) for event in reversed(flown.room.events(alert.id))]
    assert said == [("pending", "watch"), ("firing", "watch"), ("acknowledged", "ada"), ("resolved", "watch")]
    assert flown.room.alerts() == []


def test_an_alert_resolved_by_hand_comes_back_only_with_a_later_window(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    look()
    alert = flown.room.alerts()[0]
    with pytest.raises(BadInput, match="reason"):
        flown.room.resolve(alert.id, "ada", " ")
    assert flown.room.resolve(alert.id, "ada", "the feed was mended").state == "resolved"
    with pytest.raises(BadInput, match="is resolved"):
        flown.room.resolve(alert.id, "ada", "again")
    assert look() == {"features-drift": "resolved"}
    flown.answer(flown.between("2013-10-02", "2013-11-01"))
    look()
    assert [a.state for a in flown.room.alerts(open_only=False)] == ["pending", "resolved"]
    assert events(flown, "features-drift") == ["pending", "firing", "resolved", "pending"]


def test_a_rule_that_is_taken_out_resolves_its_alert(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    look()
    path = flown.store.workspace.config
    path.write_text(path.read_text().partition('[[alerts]]\nname = "features-drift"')[0])
    assert look() == {"features-drift": "resolved"}
    assert "taken out" in flown.room.events()[0].why


def test_looking_again_changes_nothing(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    look()
    before = flown.store.row("select n from revisions where topic = 'monitor'")["n"]
    look()
    assert flown.store.row("select n from revisions where topic = 'monitor'")["n"] == before


def test_who_did_it_must_be_said_and_the_alert_must_exist(flown, look) -> None:
    flown.answer(flown.between("2013-09-01", "2013-10-02"))
    look()
    with pytest.raises(BadInput, match="Nobody"):
        flown.room.acknowledge(flown.room.alerts()[0].id, "  ")
    with pytest.raises(NotFound):
        flown.room.acknowledge(99, "ada")


def test_a_rule_on_a_metric_that_does_not_exist_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config('[[alerts]]\nname = "a"\nmetric = "auc"\nbelow = 0.7\n')
    assert refused.value.place == "lemnis.toml:3"


def test_every_metric_has_a_value_or_none_in_every_window(flown, look) -> None:
    july = flown.between("2013-07-01", "2013-08-01")
    flown.answer(july)
    flown.label(july, now=5)
    path = flown.store.workspace.config
    rules = [f'[[alerts]]\nname = "a-{name}"\nmetric = "{name}"\nabove = -1e9\n' for name in METRICS]
    path.write_text(path.read_text().partition("[[alerts]]")[0] + "\n".join(rules))
    assert len(load_config(path).alerts) == len(METRICS)
    look()
    open_alerts = {alert.metric for alert in flown.room.alerts()}
    live = {name for name, kind in METRICS.items() if kind.live}
    assert open_alerts == set(METRICS) - {"mean_absolute_error"} - live
