"""Colours: two themes of our own, and the meanings every theme gives to states, lines and keys."""

import os
import signal
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App
from textual.theme import Theme

from lemnis.tui.terminal.colours import Colourless, colourless, light
from lemnis.tui.terminal.driver import TerminalDriver

SHEET = Path(__file__).with_name("theme.tcss")
SCREENS = Path(__file__).parent / "screens" / "screens.tcss"  # of what opens over the first picture
Answer = TypeVar("Answer")

DARK = Theme(
    name="lemnis",
    primary="#5ec4d4",
    secondary="#8aa9c4",
    accent="#5ec4d4",
    foreground="#d5dbe1",
    background="#0f1317",
    surface="#171d23",
    panel="#1d242c",
    success="#7fc98a",
    warning="#e5b567",
    error="#ec7f7f",
    dark=True,
    variables={"muted": "#8d98a5", "faint": "#4d5864", "line": "#36414c", "cursor": "#24404a", "here": "#2a4a55"},
)
LIGHT = Theme(
    name="lemnis-light",
    primary="#00697a",
    secondary="#3d5a73",
    accent="#00697a",
    foreground="#1d242b",
    background="#f7f8f9",
    surface="#eceff1",
    panel="#e3e7ea",
    success="#1e7a34",
    warning="#8a5a00",
    error="#b3261e",
    dark=False,
    variables={"muted": "#5b6671", "faint": "#a4adb6", "line": "#bcc5cd", "cursor": "#cfe5ea", "here": "#bcdde4"},
)
ANSI_THEME = "ansi-dark"  # for terminals of sixteen colours, whose palette is the person's own
ANSI = {
    "muted": "ansi_default",
    "faint": "ansi_bright_black",
    "line": "ansi_bright_black",
    "key": "ansi_cyan",
    "stage-accent": "ansi_cyan",
    "busy": "ansi_cyan",
    "cursor": "ansi_bright_black",
    "here": "ansi_bright_black",
}


def meanings(variables: dict[str, str], *, ansi: bool) -> dict[str, str]:
    """Return the variables with our meanings added, whatever the theme.

    ``$ok $warn $bad $busy`` are states, ``$muted $faint`` quieter text, ``$line`` borders, ``$stage-accent`` the one
    accent, ``$key`` keys, ``$cursor`` and ``$here`` the backgrounds of a cursor and of the open tab.
    """
    own = {
        "ok": variables["text-success" if ansi else "success"],
        "warn": variables["text-warning" if ansi else "warning"],
        "bad": variables["text-error" if ansi else "error"],
        "busy": variables["primary"],
        "stage-accent": variables["primary"],
        "key": variables["primary"],
        "muted": variables["foreground-darken-3"],
        "faint": variables["foreground-darken-3"],
        "line": variables["foreground-darken-3"],
        "cursor": variables["primary-muted"],
        "here": variables["primary-muted"],
    }
    return {**own, **(ANSI if ansi else {}), **variables}


class ThemedApp(App[Answer]):
    """An app with our themes, meanings, sheet and driver; nothing on it moves by itself."""

    CSS_PATH = [SHEET]
    TITLE = "Lemnis"

    def __init__(self) -> None:
        super().__init__()
        if "TEXTUAL_DRIVER" not in os.environ:  # a browser's page is drawn by another one
            self.driver_class = TerminalDriver
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.no_color = colourless(os.environ)
        if self.no_color:
            self._filters[:] = [Colourless()]
        shown = LIGHT.name if light(os.environ) else DARK.name
        # Without its watcher, which would read every sheet a second time before the first paint.
        self.set_reactive(App.theme, ANSI_THEME if self.no_color else shown)
        self.stylesheet.set_variables(self.get_css_variables())
        self.animation_level = "none"

    def on_terminal_gone(self) -> None:
        """Leave as on the signal that says so, which whoever started this may have ignored."""
        self.exit(return_code=128 + signal.SIGHUP)

    def wear(self, theme: str) -> None:
        """Put on the ``light`` or the ``dark`` theme before the first paint; without colours that changes nothing."""
        chosen = {"light": LIGHT.name, "dark": DARK.name}.get(theme)
        if chosen and not self.no_color:
            self.set_reactive(App.theme, chosen)
            self.stylesheet.set_variables(self.get_css_variables())

    def get_css_variables(self) -> dict[str, str]:
        self.theme_variables = meanings(super().get_css_variables(), ansi=self.current_theme.ansi)
        return self.theme_variables

    def dress_screens(self) -> None:
        """Know the rules of screens, which the first picture does not wait for."""
        place = str(SCREENS)
        if not self.stylesheet.has_source(place):
            self.stylesheet.add_source(SCREENS.read_text("utf-8"), read_from=(place, ""))

    # Any: as Textual's own, which takes a name or a screen and returns a screen of that kind.
    def get_screen(self, screen: Any, screen_class: Any = None) -> Any:
        self.dress_screens()
        return super().get_screen(screen, screen_class)

    async def on_mount(self) -> None:
        if not self.is_headless and self.console.color_system == "standard":
            self.theme = ANSI_THEME
