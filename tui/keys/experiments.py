"""The keys of Experiments: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

EXPERIMENTS: tuple[Action, ...] = (
    Action("experiments.train", "t", "Train", "Choose a preset and train it.", "train", footer=True, writes=True),
    Action("experiments.grid", "M", "Grid", "Train all combinations of data, algorithms, values.", "grid", writes=True),
    Action("experiments.compare", "c", "Compare", "Compare the marked runs side by side.", "runs compare", footer=True),
    Action("experiments.pin", "p", "Baseline", "Pin the run as baseline, or unpin it.", footer=True, writes=True),
    Action("experiments.differ", "z", "Differences", "Show only the columns that differ, or all.", footer=True),
    Action(
        "experiments.stop", "x", "Stop", "Stop the run at its next round; asks first.", "jobs cancel", footer=True,
        writes=True,
    ),
    Action("experiments.metric", "v", "Metric", "Draw the next metric."),
    Action("experiments.sweeps", "w", "Sweeps", "Look for better parameters: begin, watch and steer sweeps.", "sweep"),
    Action(
        "experiments.reproduce", "R", "Reproduce", "Train again under the same conditions.", "runs reproduce",
        writes=True,
    ),
    Action("experiments.resume", "r", "Resume", "Go on with a stopped or lost run.", "jobs retry", writes=True),
    Action(
        "experiments.columns", "C", "Columns", "Choose columns, their order, and which stand still.",
        "runs list --column",
    ),
    Action(
        "experiments.group", "B", "Group", "Group by sweep or grid, preset, algorithm, data, state, or not.",
        "runs list --group-by",
    ),
    Action("experiments.freeze", "f", "Freeze", "Let the columns up to this one stand still, or none."),
    Action("experiments.views", "V", "Views", "Show a saved view.", "runs views"),
    Action(
        "experiments.save_view", "W", "Save view", "Keep query, order and columns under a name in lemnis.toml.",
        "runs save-view", writes=True,
    ),
    Action("experiments.note", "n", "Note", "Write the run's note, in Markdown, in $EDITOR.", "runs note", writes=True),
    Action(
        "experiments.tag", "T", "Tag", "Give the marked runs, or this one, a tag; -TAG takes it away.", "runs tag",
        writes=True,
    ),
    Action(
        "experiments.archive", "A", "Archive", "Put the marked runs, or this one, aside, or back.", "runs archive",
        writes=True,
    ),
    Action(
        "experiments.shelf", "b", "Aside", "Show the archived runs, then the deleted, then the others again.",
        "runs list --archived",
    ),
    Action(
        "experiments.delete", "d", "Delete", "Hide the marked runs, or this one, or bring them back.", "runs delete",
        writes=True,
    ),
    Action(
        "experiments.undo", "u", "Undo", "Take back what was deleted or archived last.", "runs restore", writes=True,
    ),
)  # fmt: skip
