"""The keys of Resources: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

RESOURCES: tuple[Action, ...] = (
    Action("resources.zoom_in", "plus,equals_sign", "Shorter", "Look at a shorter time.", footer=True),
    Action("resources.zoom_out", "minus", "Longer", "Look at a longer time, up to 30 days.", "resources history", True),
    Action("resources.chart", "v", "Chart", "Chart use, waiting, disk or network.", footer=True),
    Action(
        "resources.stop", "x", "Stop", "Stop the job under the cursor; asks first.", "jobs cancel", footer=True,
        writes=True,
    ),
)  # fmt: skip
