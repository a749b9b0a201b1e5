"""Plain patterns take the short way and mean there what they mean to RE2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.pattern import matches, matches_re2, pattern_fault, plain

pieces = st.sampled_from(
    ["a", "b", "ä", ".", ".*", "\\.", "\\d", "^", "$", "|", "[a-c]", "[0-9]", "-", " ", "1", "_", "x+"]
)
texts = st.text(st.sampled_from("abcä.1 -_\nx^$"), max_size=12)


@given(st.lists(pieces, max_size=6).map("".join), texts)
def test_both_ways_agree(pattern: str, text: str) -> None:
    if not pattern_fault(pattern):
        assert matches(pattern, text) == matches_re2(pattern, text)


@pytest.mark.parametrize("pattern", ["late", "^late.*e$", "05$", "deep|wide", r"run-\d[0-3]", "Sp.te"])
def test_what_people_ask_is_plain(pattern: str) -> None:
    assert plain(pattern) is not None


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "a*a*a*b", "(?i)late", "[z-a]", ".*.*", r"\w", "a{3}", r"(\d)\1"])
def test_what_could_run_away_or_mean_something_else_is_not(pattern: str) -> None:
    assert plain(pattern) is None
