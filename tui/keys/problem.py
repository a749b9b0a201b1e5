"""The keys of Problem: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

PROBLEM: tuple[Action, ...] = (
    Action("problem.history", "H", "History", "Go to the history of every change, or back.", "problem history", True),
    Action(
        "problem.infrastructure",
        "i",
        "Infrastructure",
        "Go to what the expected volume needs, or back.",
        "resources plan",
        True,
    ),
)
