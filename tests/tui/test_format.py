import math
import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis import tui
from lemnis.tui.format import (
    GLYPHS,
    MISSING,
    age,
    bytes_,
    delta,
    duration,
    figure,
    meter,
    money,
    number,
    share,
    spark,
    verdict,
    when,
)
from lemnis.tui.theme import ThemedApp


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (number(336776), "336,776"),
        (number(-3), "−3"),
        (number(0.8417), "0.842"),
        (number(1234.5, 1), "1,234.5"),
        (number(0.00001234), "1.23e−05"),
        (number(0.0), "0.000"),
        (number(math.inf), "∞"),
        (share(0.1234), "12.3%"),
        (share(1.0, 0), "100%"),
        (bytes_(0), "0 B"),
        (bytes_(1536), "1.5 KiB"),
        (bytes_(64 << 30), "64.0 GiB"),
        (bytes_(500 << 20), "500 MiB"),
        (duration(0.34), "340 ms"),
        (duration(12.34), "12.3 s"),
        (duration(59.97), "1m 00s"),
        (duration(245), "4m 05s"),
        (duration(3 * 3600 + 720), "3h 12m"),
        (duration(5 * 86400 + 7200), "5d 02h"),
        (age(0, 900), "now"),
        (age(0, 12_000), "12 s"),
        (age(0, 7 * 60_000), "7 min"),
        (age(0, 90_000_000), "1 d"),
        (money(99.994), "$99.99"),
        (money(99.996), "$100"),
        (money(-2834.19), "−$2,834"),
        (money(-0.001), "$0"),
        (money(12, signed=True), "+$12"),
        (money(0, signed=True), "$0"),
        (money(-12.0, "EUR"), "−€12"),
        (money(123456.7, "CHF"), "123,457 CHF"),
        (delta(0.0123), "+0.012"),
        (delta(-3), "−3"),
        (delta(0.0001), "±0"),
        (when(1372653000000, UTC), "2013-07-01 04:30"),
    ],
)
def test_values_are_written_for_people(shown: str, wanted: str) -> None:
    assert shown == wanted


@pytest.mark.parametrize("write", [number, share, bytes_, duration, money, delta])
def test_missing_is_an_en_dash(write: Callable[[float | None], str]) -> None:
    assert write(None) == MISSING
    assert write(math.nan) == MISSING


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=200), st.integers(0, 60))
def test_a_sparkline_is_never_wider_than_asked(values: list[float | None], width: int) -> None:
    line = spark(values, width)
    assert len(line) == (min(width, len(values)) if width else len(values))


def test_a_sparkline_rises_with_its_values() -> None:
    assert spark([0.0, 1.0, None, 2.0]) == "▁▅ █"


@pytest.mark.parametrize("word", GLYPHS)
def test_a_verdict_is_never_colour_alone(word: str) -> None:
    assert verdict(word).text == f"{verdict(word).glyph} {word}"


def test_a_word_nobody_knows_is_drawn_plainly() -> None:
    assert verdict("[bold]").text == "· [bold]"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_is_written_with_a_hyphen(value: float) -> None:
    assert "-" not in number(value)


@given(st.floats())
def test_every_number_that_data_may_hold_has_a_text(value: float) -> None:
    for shown in (number, figure, share, bytes_, duration, money, delta, meter):
        assert shown(value).isprintable()
    assert len(spark([value, 1.0, None])) == 3


def test_every_colour_that_a_text_names_is_one_that_the_themes_have() -> None:
    known = ThemedApp[None]().theme_variables
    named = {
        name: path.name
        for path in Path(tui.__path__[0]).rglob("*.py")
        for name in re.findall(r'"(?:[a-z ]+ )?\$([a-z][a-z-]*)"', path.read_text())
    }
    assert len(named) > 5
    assert {name: file for name, file in named.items() if name not in known} == {}
