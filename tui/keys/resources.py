"""The keys of Resources: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

RESOURCES: tuple[Action, ...] = (
    Action("resources.zoom_in", "plus,equals_sign", "Shorter", "Look at a shorter time.", footer=True),
    Action("resources.zoom_out", "minus", "Longer", "Look at a longer time, up to 30 days.", "resources history"),
    Action("resources.chart", "v", "Chart", "Chart use, waiting, disk, network or GPUs.", footer=True),
    Action("resources.tree", "t", "Tree", "Show the processes under those that started them, or flat.", footer=True),
    Action("resources.own", "u", "Own", "Show your own processes alone, or everybody's."),
    Action("resources.pause", "p", "Pause", "Let the picture stand still, or go on."),
    Action(
        "resources.pool", "P", "Pool", "See who is guaranteed what, why jobs wait, and what a change would do.",
        "resources pools",
    ),
    Action(
        "resources.nodes", "n", "Nodes", "Show this machine and every worker of the Dask cluster in one table.",
        "resources nodes",
    ),
    Action(
        "resources.usage", "U", "Use", "Show what jobs and endpoints held, used and cost, by project, week or user.",
        "resources usage", footer=True,
    ),
    Action(
        "resources.stop", "x", "Stop", "Stop the job under the cursor; a process of no job is asked which signal.",
        "jobs cancel", footer=True, writes=True,
    ),
    Action(
        "resources.signal", "X", "Signal", "Send the marked processes, or this one, a signal; asks which.", writes=True,
    ),
)  # fmt: skip
