"""What a terminal sends for a key, by Textual's name of it."""

# pyright: basic

from lemnis.tui.keys.action import Action

ESCAPE, ENTER = "\x1b", "\r"
TYPED = {
    "at": "@", "colon": ":", "comma": ",", "equals_sign": "=", "exclamation_mark": "!", "full_stop": ".",
    "greater_than_sign": ">", "left_parenthesis": "(", "left_square_bracket": "[", "less_than_sign": "<",
    "minus": "-", "plus": "+", "question_mark": "?", "right_parenthesis": ")", "right_square_bracket": "]",
    "slash": "/", "space": " ", "underscore": "_",
    "backspace": "\x7f", "ctrl+l": "\x0c", "ctrl+p": "\x10", "ctrl+z": "\x1a", "enter": ENTER,
    "escape": ESCAPE, "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "f12": "\x1b[24~",
}  # fmt: skip


def typed(action: Action) -> str:
    """Return what the first key of an action sends; raises KeyError for one that this file does not know."""
    key = action.key.split(",")[0]
    return key if len(key) == 1 else TYPED[key]
