# pyright: basic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.alerting.states import Bound, Place, Reading, State, breaks, steps, weigh

LIMIT = 0.5


def readings(text: str) -> list[Reading]:
    """Return one reading per letter: B breaks, k keeps, - can't say; a last one in brackets is open."""
    letters = text.replace("(", "").replace(")", "")
    return [
        Reading(
            window=(number, 1),
            value={"B": 0.9, "k": 0.1, "-": None}[letter],
            settled=not (text.endswith(")") and number == len(letters) - 1),
        )
        for number, letter in enumerate(letters)
    ]


def bound(windows: int = 1, **more: int) -> Bound:
    return Bound(above=LIMIT, windows=windows, **{"keep": windows, **more})


def told(
    text: str, state: State | None, windows: int, *, after: Place | None = None, opened: Place | None = None
) -> list[State]:
    evidence = weigh(readings(text), bound(windows), after=after)
    return [step.state for step in steps(state, evidence, bound(windows), opened=opened)]


@pytest.mark.parametrize(
    ("windows", "seen", "state", "expected"),
    [
        (1, "", None, []),
        (1, "k", None, []),
        (1, "k(B)", None, ["pending"]),
        (1, "kB", None, ["pending", "firing"]),
        (2, "kB", None, ["pending"]),
        (2, "kBB", None, ["pending", "firing"]),
        (2, "kB", "pending", []),
        (2, "kB(B)", "pending", []),
        (2, "kBB", "pending", ["firing"]),
        (2, "kB-B", "pending", ["firing"]),
        (1, "-", None, []),
        (1, "B-", None, ["pending", "firing"]),
        (1, "BBk", "firing", ["resolved"]),
        (2, "BBk", "firing", []),
        (2, "BBkk", "firing", ["resolved"]),
        (2, "BBk(k)", "firing", []),
        (2, "BBkBk", "firing", []),
        (2, "BBkk", "acknowledged", ["resolved"]),
        (2, "BBkBB", "acknowledged", []),
        (1, "B", "firing", []),
        (1, "kk", "resolved", []),
    ],
)
def test_an_alert_follows_its_windows(windows: int, seen: str, state: State | None, expected: list[str]) -> None:
    assert told(seen, state, windows) == expected


def test_a_pending_alert_waits_for_its_own_window_to_close() -> None:
    assert told("kk(k)", "pending", 1, opened=(2, 1)) == []
    assert told("kkk", "pending", 1, opened=(2, 1)) == ["resolved"]


def test_windows_that_were_resolved_do_not_raise_the_alert_again() -> None:
    assert told("kBB", "resolved", 1, after=(2, 1)) == []
    assert told("kBBB", "resolved", 1, after=(2, 1)) == ["pending", "firing"]


def test_a_value_that_flaps_inside_one_window_makes_one_alert() -> None:
    state: State | None = None
    seen = []
    for letter in "BkBkBkBk":
        for change in told(f"kk({letter})", state, 1, opened=(2, 1)):
            state = change
            seen.append(change)
    assert seen == ["pending"]


def test_windows_that_alternate_make_one_alert_that_stays() -> None:
    history, seen = "BB", list[State]()
    state: State | None = None
    for letter in "kBkBkB":
        for change in told(history, state, 2):
            state = change
            seen.append(change)
        history += letter
    assert seen == ["pending", "firing"]


@given(
    st.lists(st.sampled_from("Bk-"), max_size=12).map("".join), st.integers(1, 4), st.sampled_from([None, "pending"])
)
def test_it_fires_only_after_enough_settled_windows_in_a_row(seen: str, windows: int, state: State | None) -> None:
    fired = "firing" in told(seen, state, windows)
    assert fired == seen.replace("-", "").endswith("B" * windows)


@given(st.permutations(range(5)))
def test_the_order_in_which_windows_are_given_does_not_matter(order: list[int]) -> None:
    one = readings("kBkBB")
    assert weigh([one[place] for place in order], bound(), after=None).breaches == 2


def test_a_value_on_the_bound_keeps_the_rule() -> None:
    assert not breaks(0.5, Bound(above=0.5))
    assert not breaks(0.5, Bound(below=0.5))
    assert breaks(0.51, Bound(above=0.5))
    assert breaks(0.49, Bound(below=0.5))


def test_the_window_that_speaks_is_one_that_breaks_the_rule_as_long_as_it_is_broken() -> None:
    def speaks(text: str) -> tuple[Place | None, float | None]:
        evidence = weigh(readings(text), bound(), after=None)
        return evidence.window, evidence.value

    assert speaks("kB(k)") == ((1, 1), 0.9)
    assert speaks("kB(B)") == ((2, 1), 0.9)
    assert speaks("Bk(k)") == ((2, 1), 0.1)
    assert speaks("") == (None, None)
