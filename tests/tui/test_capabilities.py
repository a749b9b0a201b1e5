"""What terminfo and the environment say of a terminal; terminfo is read once in a process."""

import os
import subprocess
import sys

import pytest

ASKED = "import os; from lemnis.tui.terminal.capabilities import erases; print(erases(os.environ))"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux,1,0"}, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux,1,0", "STY": "1.screen"}, False),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "vt100"}, False),
        ({"TERM": "no-such-terminal"}, False),
        ({"TERM": ""}, False),
        ({}, False),
    ],
)
def test_blanks_are_erased_only_where_the_terminal_does_that_in_colour(said: dict[str, str], wanted: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("TERM", "TMUX", "STY")} | said
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == str(wanted)
