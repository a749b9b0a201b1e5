"""Every key the console answers to, gathered from `keys/`; footer, palette, help screen and README read this."""

from textual.binding import BindingType

from lemnis.tui.keys.action import GLOBAL, TABLE, Action
from lemnis.tui.keys.data import DATA
from lemnis.tui.keys.deploy import DEPLOY
from lemnis.tui.keys.evaluate import EVALUATE
from lemnis.tui.keys.everywhere import APP, TABLES
from lemnis.tui.keys.experiments import EXPERIMENTS
from lemnis.tui.keys.explore import EXPLORE
from lemnis.tui.keys.features import FEATURES
from lemnis.tui.keys.monitor import MONITOR
from lemnis.tui.keys.problem import PROBLEM
from lemnis.tui.keys.resources import RESOURCES
from lemnis.tui.keys.validate import VALIDATE

__all__ = ["ACTIONS", "GLOBAL", "TABLE", "Action", "actions", "bindings", "key_label"]

ACTIONS = (
    *APP, *TABLES, *PROBLEM, *DATA, *EXPLORE, *FEATURES, *VALIDATE, *EXPERIMENTS, *EVALUATE,
    *DEPLOY, *MONITOR, *RESOURCES,
)  # fmt: skip


def actions(scope: str) -> list[Action]:
    """Return the actions of a stage, of tables or of everywhere, in the order they are declared."""
    return [action for action in ACTIONS if action.scope == scope]


def bindings(scope: str) -> list[BindingType]:
    """Return the bindings for a widget's class: a stage sets its BINDINGS to those of its own name."""
    return [action.binding() for action in actions(scope)]


def key_label(key: str) -> str:
    """Return a key as it is written for people: ``question_mark`` is ``?``."""
    names = {
        "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup",
        "plus": "+", "minus": "-", "left_square_bracket": "[", "right_square_bracket": "]", "full_stop": ".",
        "equals_sign": "=", "number_sign": "#", "comma": ",", "exclamation_mark": "!", "at": "@",
        "less_than_sign": "<", "greater_than_sign": ">",
        "down": "↓", "up": "↑", "left": "←", "right": "→",
    }  # fmt: skip
    return " ".join(names.get(part, part) for part in key.split(","))
