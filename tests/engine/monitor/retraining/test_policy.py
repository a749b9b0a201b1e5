# pyright: basic, reportOptionalMemberAccess=false

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.retraining.policy import WEEK_MS, Cause, Decision, Past, Rules, decide

DAY = 86_400_000
CAUSE = Cause(key="alert 1", kind="alert", endpoint="late", reason="auc_low", since=0)
RULES = Rules(policy="suggest", cool_down_ms=7 * DAY, budget=2)


def begun(at: int, *, cause: str = "alert 0", endpoint: str = "late", live: bool = False, policy: bool = True) -> Past:
    return Past(cause=cause, endpoint=endpoint, at=at, by_policy=policy, live=live)


def replaced(cause: Cause = CAUSE, **facts: object) -> Cause:
    from msgspec.structs import replace

    return replace(cause, **facts)


def test_a_cause_is_trained_for_once_and_never_by_a_manual_policy() -> None:
    assert decide(CAUSE, [], RULES, 0).answer == "train"
    assert decide(CAUSE, [begun(0, cause="alert 1")], RULES, 99 * DAY) is None
    manual = Rules(policy="manual", cool_down_ms=0, budget=9)
    assert decide(CAUSE, [], manual, 0) == Decision(answer="declined", why="policy = manual: a person begins it")


def test_what_waits_says_for_what_and_until_when() -> None:
    cooling = decide(CAUSE, [begun(DAY)], RULES, 2 * DAY)
    assert (cooling.answer, cooling.allowed_at) == ("waits", 8 * DAY)
    assert "cool-down after the retraining of 1970-01-02 00:00 UTC" in cooling.why
    assert decide(CAUSE, [begun(DAY)], RULES, 8 * DAY).answer == "train"
    others = [begun(DAY, endpoint="x"), begun(2 * DAY, endpoint="y")]
    spent = decide(CAUSE, others, RULES, 3 * DAY)
    assert (spent.answer, spent.why, spent.allowed_at) == ("waits", "budget: 2 of 2 in seven days", DAY + WEEK_MS)
    by_hand = [begun(DAY, endpoint="x", policy=False), *others[1:]]
    assert decide(CAUSE, by_hand, RULES, 3 * DAY).answer == "train"
    assert decide(CAUSE, [], Rules(policy="auto", cool_down_ms=0, budget=0), 0).allowed_at is None
    assert "under way" in decide(CAUSE, [begun(0, live=True)], RULES, 99 * DAY).why
    assert decide(replaced(lacks="1 windows have all their labels"), [], RULES, 0).answer == "waits"


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["a", "b", "c"])), max_size=60),
    st.integers(0, 10),
    st.integers(0, 5),
)
def test_whatever_fires_budget_and_cool_down_hold(fired: list[tuple[int, str]], cool_down: int, budget: int) -> None:
    rules = Rules(policy="suggest", cool_down_ms=cool_down * DAY, budget=budget)
    past: list[Past] = []
    for number, (day, endpoint) in enumerate(sorted(fired)):
        cause = Cause(key=str(number), kind="alert", endpoint=endpoint, reason="", since=0)
        decision = decide(cause, past, rules, day * DAY)
        assert decision is not None
        if decision.answer == "train":
            past.append(begun(day * DAY, cause=cause.key, endpoint=endpoint))
        elif decision.allowed_at is not None:
            assert decision.allowed_at > day * DAY
    for one in past:
        assert sum(0 <= other.at - one.at < WEEK_MS for other in past) <= budget
        near = [o for o in past if o is not one and o.endpoint == one.endpoint and abs(o.at - one.at) < cool_down * DAY]
        assert not near
