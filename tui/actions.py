"""Every key the console answers to, gathered from `keys/`; footer, palette, help screen and README read this."""

from textual.binding import Binding, BindingType

from lemnis.tui.keys.action import GLOBAL, TABLE, Action
from lemnis.tui.keys.data import DATA
from lemnis.tui.keys.deploy import DEPLOY
from lemnis.tui.keys.evaluate import EVALUATE
from lemnis.tui.keys.everywhere import APP, TABLES
from lemnis.tui.keys.experiments import EXPERIMENTS
from lemnis.tui.keys.explore import EXPLORE
from lemnis.tui.keys.features import FEATURES
from lemnis.tui.keys.keymap import key_label
from lemnis.tui.keys.monitor import MONITOR
from lemnis.tui.keys.problem import PROBLEM
from lemnis.tui.keys.resources import RESOURCES
from lemnis.tui.keys.validate import VALIDATE

__all__ = ["ACTIONS", "GLOBAL", "TABLE", "Action", "actions", "bindings", "key_label"]

BETWEEN_PLACES = ("app.backward", "app.forward", "app.lineage", "app.jump")
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


def place_bindings() -> list[BindingType]:
    """Return the bindings for a screen over the stages that has an address: what leads from place to place."""
    return [
        Binding(action.key, f"app.{action.name}", action.label, tooltip=action.help, id=action.id, show=False)
        for action in APP
        if action.id in BETWEEN_PLACES
    ]
