"""The keys of Explore: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

EXPLORE: tuple[Action, ...] = (
    Action("explore.rows", "r", "Rows", "Show the rows of the version, or its columns again.", "explore rows", True),
    Action(
        "explore.profile",
        "n",
        "Profile now",
        "Measure the columns that are not measured yet.",
        "explore profile",
        footer=True,
        writes=True,
    ),
    Action(
        "explore.split",
        "b",
        "By this",
        "Draw every column by the classes of this one; again: by the label.",
        "explore column",
        True,
    ),
    Action("explore.missing", "M", "Missing", "Show which columns are missing together.", "explore missing"),
    Action("explore.label", "a", "Label", "Label rows by keyboard: queues, agreement, errors.", "explore labels", True),
    Action("explore.stop", "x", "Stop", "Stop the profile that runs; asks first.", "jobs cancel", writes=True),
    Action(
        "explore.order", "v", "Order", "Order columns by interest, missing, target, drift, notes, name or position."
    ),
    Action(
        "explore.values", "f", "Values → rows",
        "Count the distinct values of the column, or with v its bins; enter shows the rows of one.",
        "explore values COLUMN", True, call="row('values')",
    ),
    Action(
        "explore.only", "equals_sign", "Only this", "Show only the rows with the value under the cursor.",
        "explore rows --where", call="row('only')",
    ),
    Action(
        "explore.without", "exclamation_mark", "Without", "Leave out the rows with the value under the cursor.",
        call="row('without')",
    ),
    Action("explore.undo", "u", "Undo filter", "Take the last filter back.", call="row('undo')"),
    Action("explore.clear", "U", "All rows", "Take all filters away; u brings them back.", call="row('clear')"),
    Action("explore.facet", "F", "Facet", "Count the column beside the rows, or leave it out.", call="row('facet')"),
    Action("explore.column", "c", "Column", "Go to a column by a part of its name.", call="row('column')"),
    Action(
        "explore.fold", "z", "Fold same", "Fold the columns that say the same in all these rows, or show them.",
        call="row('fold')",
    ),
    Action("explore.keep", "p", "Keep in view", "Keep the column at the left, or let it scroll.", call="row('keep')"),
    Action(
        "explore.export", "E", "Export", "Write the rows into a file: .csv, .jsonl or .parquet.",
        "explore rows --export FILE", call="row('export')",
    ),
    Action("explore.older", "left_square_bracket", "Older", "Look at the version before."),
    Action("explore.newer", "right_square_bracket", "Newer", "Look at the version after."),
)  # fmt: skip
