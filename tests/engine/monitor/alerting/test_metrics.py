"""Rules on the skew of a window and on the concept of the version that serves, judged and tried beforehand."""

# pyright: basic

import pyarrow.compute as pc
import pytest

from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.config import Alert, load_config
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.minutes import PATIENCE_MS, count_minutes, list_minutes
from lemnis.engine.monitor.alerting.rules import MINUTE_MS
from lemnis.engine.monitor.retraining.causes import open_causes
from lemnis.engine.monitor.windows import refresh
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.problem.history import record_text

CONCEPT = Alert(name="concept", metric="concept", above=0.5, windows=2, severity="page")
SKEW = Alert(name="skew", metric="skew", above=0.2)


@pytest.fixture
def concept(flown):
    """A workspace that watches the concept; its two newest minutes are counted by the function it returns."""
    record_text(flown.store, ProblemRoom(flown.store).text(), "ada", "first", now=0)
    flown.room.alerting.declare_rule(CONCEPT, "ada")
    now = now_ms() // MINUTE_MS * MINUTE_MS - 10 * MINUTE_MS + PATIENCE_MS

    def count() -> None:
        nonlocal now
        for _ in range(2):
            now += MINUTE_MS
            count_minutes(flown.store, now=now)
            advance(flown.store, load_config(flown.store.workspace.config), "late", flown.room.windows("late"), now=now)

    flown.count = count
    return flown


def alert_of(flown):
    """Return the open alert on the concept."""
    return next((one for one in flown.room.alerts() if one.rule == "concept"), None)


def test_a_stale_champion_fires_a_rule_on_the_concept_until_somebody_lets_it_stay(concept) -> None:
    concept.count()
    assert [one.concept for one in list_minutes(concept.store, "late", since=0)] == [None, None]
    assert alert_of(concept) is None
    ProblemRoom(concept.store).set("problem.threshold", 0.3, "ada", "fewer misses")
    concept.count()
    alert = alert_of(concept)
    assert alert is not None
    assert (alert.state, alert.value, alert.severity) == ("firing", 1.0, "page")
    assert "late v1 is stale: threshold 0.4 → 0.3" in alert.message
    (tried,) = concept.room.alerting.rehearse(CONCEPT, endpoint="late")
    assert (tried.windows, tried.silent, len(tried.firings)) == (2, 2, 1)
    causes = open_causes(concept.store, load_config(concept.store.workspace.config))
    assert [cause.kind for cause in causes] == ["stale"]  # one retraining, not one more for the alert


def test_a_concept_that_drifted_for_sure_fires_and_is_learnt_for(concept) -> None:
    place = {"endpoint": "late", "model": "late", "version": 1}
    with concept.store.write() as db:
        stream = {"rows": 900, "event_at": 5, "prediction_id": 9, "labels_at": 1, "waits_ms": 1}
        db.table("monitor_streams").insert({**place, **stream, "stream": '{"state": "drift"}'})
        found = {"detector": "concept", "level": "drift", "event_at": parse_ms("2013-09-03"), "row": 800}
        db.table("monitor_detections").insert({**place, **found})
    concept.count()
    alert = alert_of(concept)
    assert alert is not None
    assert alert.state == "firing"
    assert "its losses rose from 2013-09-03 on" in alert.message
    causes = open_causes(concept.store, load_config(concept.store.workspace.config))
    assert [cause.kind for cause in causes] == ["alert"]


def test_a_share_that_moved_breaks_a_rule_on_skew_and_is_named(flown) -> None:
    july, august = flown.between("2013-07-01", "2013-08-01"), flown.between("2013-08-01", "2013-09-01")
    flown.room.alerting.declare_rule(SKEW, "ada")
    flown.answer(july)
    flown.answer(august.filter(pc.equal(august.column("carrier"), "B6")))
    now = parse_ms("2014-01-01")
    refresh(flown.store, flown.config, now=now)
    refresh(flown.store, flown.config, now=now + 10 * MINUTE_MS)
    usual, skewed = flown.room.windows("late")
    assert usual.skew < 0.05
    assert skewed.skew == pytest.approx(0.75, abs=0.03)
    assert skewed.skewed.startswith("carrier B6 2")
    assert skewed.skewed.endswith("100.0%")
    advance(flown.store, flown.config, "late", flown.room.windows("late"), now=now + 11 * MINUTE_MS)
    (alert,) = [one for one in flown.room.alerts() if one.rule == "skew"]
    assert alert.state == "firing"
    assert alert.message.endswith(skewed.skewed)
    (tried,) = flown.room.alerting.rehearse(SKEW, endpoint="late", days=90)
    assert [firing.worst for firing in tried.firings] == [skewed.skew]
