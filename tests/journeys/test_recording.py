"""The recorded session: a whole asciicast that names nobody's machine and ends where the story does."""

# pyright: basic

import getpass
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyte
import pytest

CAST = Path(__file__).parent.parent.parent / "screenshots" / "session.cast"
PLACES = re.compile(r"/(?:home|root|tmp|work|Users|var|opt|usr)\b|\w+@[\w-]+:[~/]")
SECRETS = re.compile(r"(?i)token|password|secret|ssh_|api.?key")
STORY = ("Holm", "the champion?", "drift", "Incident", "Roll late@champion back")


@pytest.fixture(scope="module")
def lines() -> list[Any]:
    return [json.loads(line) for line in CAST.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def screens(lines: list[Any]) -> list[str]:
    """What was on the terminal after each event, drawn again."""
    header, *events = lines
    screen = pyte.Screen(header["width"], header["height"])
    stream = pyte.Stream(screen)
    shown: list[str] = []
    for _, _, text in events:
        stream.feed(text)
        rows = (screen.buffer[y] for y in range(screen.lines))
        shown.append("\n".join("".join(row[x].data for x in range(screen.columns)).rstrip() for row in rows))
    return shown


def test_it_is_an_asciicast_of_a_minute_or_two(lines: list[Any]) -> None:
    header, *events = lines
    assert (header["version"], header["width"], header["height"]) == (2, 100, 30)
    assert header["title"]
    assert CAST.stat().st_size <= 400_000
    times = [at for at, _, _ in events]
    assert times[0] == 0
    assert all(0 <= later - at <= 1.6 for at, later in pairwise(times))
    assert 20 < times[-1] < 150
    assert all(kind == "o" and isinstance(text, str) for _, kind, text in events)


def test_played_it_goes_from_two_runs_to_an_incident_and_back(screens: list[str]) -> None:
    at = [next(place for place, screen in enumerate(screens) if word in screen) for word in STORY]
    assert at == sorted(at)
    assert "late@champion is version" in screens[-1]
    assert "again" in screens[-1]


def test_it_says_nothing_of_the_machine_it_was_made_on(lines: list[Any], screens: list[str]) -> None:
    raw = json.dumps(lines, ensure_ascii=False)
    for text in (raw, *screens):
        assert not PLACES.search(text)
        assert not SECRETS.search(text)
        assert getpass.getuser() not in text.split()
