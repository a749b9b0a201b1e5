"""A rule that is tried says what the watch would have done; and is written into lemnis.toml with its comments kept."""

# pyright: basic

import pytest
from alert_bench import MINUTE, Bench
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Alert, parse_config
from lemnis.engine.errors import BadInput, ConfigError, NotFound
from lemnis.engine.monitor.alerting.declaring import rule_in, text_with_rule
from lemnis.engine.monitor.alerting.rehearsal import rehearse
from lemnis.engine.monitor.alerting.states import RAISED, Bound, Reading, State, steps, weigh

DAY = 86_400_000


def readings(letters: str) -> list[Reading]:
    values = {"B": 0.9, "k": 0.1, "-": None}
    return [
        Reading(window=(number * DAY, 1), value=values[letter], settled=True) for number, letter in enumerate(letters)
    ]


def tried(letters: str, **bound: int):
    return rehearse(Bound(above=0.5, **bound), readings(letters), endpoint="late", width_ms=DAY)


def test_each_time_it_would_have_fired_is_listed_with_its_end_and_worst_value() -> None:
    found = tried("kBBk-kBBBkkB", windows=2, keep=2)
    assert [(one.began // DAY, one.fired // DAY, one.ended and one.ended // DAY) for one in found.firings] == [
        (1, 2, 5),
        (6, 7, 10),
    ]
    assert (found.windows, found.silent, found.days) == (11, 1, 12.0)
    assert (found.firings[1].windows, found.firings[1].worst) == (3, 0.9)
    assert found.per_month == 5.0
    assert tried("").per_month is None
    assert tried("kkB").firings[0].ended is None


@given(st.text("Bk-", max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_it_fires_exactly_when_the_watch_would_have(letters: str, windows: int, keep: int) -> None:
    bound = Bound(above=0.5, windows=windows, keep=keep)
    state: State | None = None
    after = opened = None
    fired = list[int]()
    for count in range(1, len(letters) + 1):
        seen = readings(letters[:count])
        evidence = weigh(seen, bound, after=after)
        for step in steps(state, evidence, bound, opened=opened):
            state = step.state
            if step.state == "pending":
                opened = evidence.window
            if step.state == "firing":
                fired.append(seen[-1].window[0])
            after = evidence.window if step.state == "resolved" else None if state in RAISED else after
    assert [one.fired for one in tried(letters, windows=windows, keep=keep).firings] == fired


def test_a_rule_on_the_servers_is_tried_on_their_minutes(bench: Bench) -> None:
    bench.now = now_ms() - 60 * MINUTE
    bench.minutes("kkBBkkBk")
    rule = rule_in({"name": "x", "metric": "error_rate", "above": 0.4})
    found = bench.room.alerting.rehearse(rule, endpoint="late")
    assert [len(one.firings) for one in found] == [2]
    with pytest.raises(NotFound):
        bench.room.alerting.rehearse(rule, endpoint="other")
    with pytest.raises(BadInput):
        bench.room.alerting.rehearse(rule, days=0)
    assert bench.room.alerts()


TEXT = """# ours
[[alerts]]
name = "auc" # the one that matters
metric = "roc_auc"
below = 0.7
windows = 3
keep_firing = 5
notify = ["team"] # day and night

[contacts.team]
urls = ["mailto://x"]
"""


def test_a_rule_is_added_behind_the_others_or_changed_where_it_stands() -> None:
    text = text_with_rule(TEXT, Alert(name="psi", metric="max_psi", above=0.25, severity="page"))
    assert '[[alerts]]\nname = "psi"\nmetric = "max_psi"\nabove = 0.25\nseverity = "page"\n' in text
    assert [rule.name for rule in parse_config(text).alerts] == ["auc", "psi"]
    changed = text_with_rule(TEXT, Alert(name="auc", metric="roc_auc", below=0.65))
    assert "# the one that matters" in changed
    assert 'notify = ["team"] # day and night' in changed
    assert "windows" not in changed
    assert "keep_firing = 5" in changed
    assert parse_config(changed).alerts[0].below == 0.65
    assert parse_config(text_with_rule("", Alert(name="a", metric="brier", above=0.1))).alerts[0].name == "a"


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a b", "metric": "max_psi", "above": 1.0},
        {"name": "a", "metric": "auc", "above": 1.0},
        {"name": "a", "metric": "max_psi"},
        {"name": "a", "metric": "max_psi", "above": 1.0, "below": 0.0},
        {"name": "a", "metric": "max_psi", "above": 1.0, "windows": 0},
    ],
)
def test_a_rule_that_can_not_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        rule_in(values)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ('[[alerts]]\nname="a"\nmetric="brier"\nabove=1.0\nnotify=["x"]\n', "'x', which is no contact", 5),
        ('[[alerts]]\nname="a"\nmetric="brier"\nabove=1.0\nescalate_after="30m"\n', "to whom it escalates", 2),
        ('[[alerts]]\nname="a"\nmetric="brier"\nabove=1.0\ninhibited_by=["a"]\n', "no other rule", 5),
        ('[monitor]\nrepeat_after="soon"\n', "no length of time", 2),
        ('[monitor]\nalertmanager="localhost"\n', "no address", 2),
        ('[monitor]\nnotify=["x"]\n', "'x', which is no contact", 1),
        ('[contacts.x]\nurls=["team@example.org"]\n', "without a scheme", 2),
    ],
)
def test_rules_and_contacts_that_contradict_themselves_are_refused_with_their_line(text, said, line) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        parse_config(text)
    assert refused.value.place == f"lemnis.toml:{line}"


def test_a_rule_is_declared_once() -> None:
    rule = '[[alerts]]\nname="a"\nmetric="brier"\nabove=1.0\n'
    with pytest.raises(ConfigError, match="declared twice"):
        parse_config(rule + rule)
