"""Copying: what `y` offers of the place that is seen, and the ways a text takes to a person's clipboard."""

import subprocess
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from lemnis.tui.equivalents import command_of
from lemnis.tui.language import N_, _
from lemnis.tui.screens.copy import OF_PLACE, OF_TABLE, CopyMenu
from lemnis.tui.widgets.grid import Grid
from lemnis.tui.widgets.table import Table

if TYPE_CHECKING:
    from lemnis.tui.address import Address

TMUX_S = 5.0  # tmux answers at once, or hangs


def offered(screen: Screen[Any]) -> CopyMenu:  # Any: what a screen dismisses with does not matter here
    """Return the menu of what can be copied of a screen: of the table with the focus, and of the place."""
    table = screen.focused
    return CopyMenu({**(OF_TABLE if isinstance(table, Table | Grid) else {}), **OF_PLACE})


def chosen(kind: str, screen: Screen[Any], place: "Address") -> tuple[str, str]:
    """Return the text that was chosen in the menu, and what it is; an empty text where there is none."""
    if kind in OF_PLACE:
        return (str(place) if kind == "a" else command_of(place)), _(OF_PLACE[kind])
    table = screen.focused
    text = table.copy_text(kind) if isinstance(table, Table | Grid) else ""
    part = len(table.rows) if isinstance(table, Table) else 0
    cut = kind in "lm" and isinstance(table, Table) and part < table.total
    what = _(OF_TABLE.get(kind, N_("text")))
    return text, _("{what}, {part:,} of its rows that are read").format(what=what, part=part) if cut else what


def into_tmux(text: str) -> bool:
    """Put a text into tmux's own buffer; returns whether that worked. Blocks."""
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-"], input=text.encode(), capture_output=True, timeout=TMUX_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
