"""Every key the console answers to; footer, palette, help screen and README read this and nothing else."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from lemnis.tui.stages import STAGES

GLOBAL, TABLE = "everywhere", "tables"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do, and the key that does it.

    Attributes:
        id: Stable name for keymaps, ``scope.name``; the widget's method is ``action_<name>`` unless `call` says else.
        key: Textual's name of the key; several are separated by commas.
        label: One or two words for the footer and the palette.
        help: One sentence for the help screen and the README.
        command: The command that does the same, without ``lemnis``; empty if there is none.
        footer: True for the few that the footer of their stage shows.
        writes: True if it changes something, so that --read-only disables it.
        call: What Textual calls if it is not the name: ``sort('up')``.
    """

    id: str
    key: str
    label: str
    help: str
    command: str = ""
    footer: bool = False
    writes: bool = False
    call: str = ""

    @property
    def scope(self) -> str:
        """``everywhere``, ``tables``, or the stage it belongs to."""
        scope = self.id.split(".")[0]
        return {"app": GLOBAL, "table": TABLE}.get(scope, scope)

    @property
    def name(self) -> str:
        """What Textual calls: the ``x`` of ``action_x``, with its arguments if it has some."""
        return self.call or self.id.split(".", 1)[1]

    def binding(self) -> Binding:
        return Binding(self.key, self.name, self.label, tooltip=self.help, id=self.id, show=self.footer)


APP = (
    *(
        Action(f"app.go_{stage.name}", stage.key, stage.title, f"Go to {stage.title}.", call=f"stage('{stage.name}')")
        for stage in STAGES
    ),
    Action("app.help", "question_mark", "Help", "Show the keys of this stage.", footer=True),
    Action("app.command_palette", "colon,ctrl+p", "Palette", "Find anything by name: stages, actions, commands."),
    Action("app.next_pane", "tab", "Next pane", "Move to the next pane of this stage."),
    Action("app.oncall", "o", "On call", "What fires, what serves, what drifted: everything a woken person needs."),
    Action("app.filter", "slash", "Filter", "Narrow the list by a query; empty shows all again."),
    Action("app.copy", "y", "Copy", "Copy, then c the cell, r the row, j the row as JSON, m the table as Markdown."),
    Action(
        "app.explain", "K", "Explain", "Explain the thing under the cursor: definition, rule and where it came from."
    ),
    Action("app.edit", "e", "Edit", "Open lemnis.toml in $EDITOR; it is checked afterwards.", writes=True),
    Action("app.mouse", "m", "Mouse", "Turn the mouse on or off, so that the terminal can select text."),
    Action("app.back", "escape", "Back", "Go back one layer."),
    Action("app.quit", "q", "Leave", "Leave the console; work goes on."),
)

TABLES = (
    Action("table.cursor_down", "j,down", "Down", "Move down.", call="move(1)"),
    Action("table.cursor_up", "k,up", "Up", "Move up.", call="move(-1)"),
    Action("table.cursor_left", "h,left", "Left", "Move to the column before.", call="step(-1)"),
    Action("table.cursor_right", "l,right", "Right", "Move to the next column.", call="step(1)"),
    Action("table.page_down", "pagedown", "Page down", "Move down a page.", call="page(1)"),
    Action("table.page_up", "pageup", "Page up", "Move up a page.", call="page(-1)"),
    Action("table.top", "g,home", "Top", "Go to the first row.", call="end(False)"),
    Action("table.bottom", "G,end", "Bottom", "Go to the last row.", call="end(True)"),
    Action("table.open", "enter", "Open", "Open the row under the cursor."),
    Action("table.mark", "space", "Mark", "Mark the row, or take the mark away."),
    Action("table.sort_up", "s", "Sort up", "Sort by this column, smallest first.", call="sort('up')"),
    Action("table.sort_down", "S", "Sort down", "Sort by this column, largest first.", call="sort('down')"),
)

# One section a stage: (id "stage.name", key, label, help, command, footer, writes).

PROBLEM: tuple[Action, ...] = (
    Action("problem.history", "H", "History", "Go to the history of every change, or back.", "problem history", True),
)
DATA: tuple[Action, ...] = (
    Action("data.sync", "u", "Sync all", "Bring every source up to date.", "data sync", True, True),
    Action("data.sync_one", "U", "Sync one", "Bring the chosen source up to date.", "data sync SOURCE", True, True),
    Action(
        "data.preview",
        "v",
        "Preview",
        "Look at a source or file before it is kept; add it.",
        "data preview",
        True,
    ),
    Action("data.link", "n", "Link", "Link the snapshots into a dataset version.", "data link", True, True),
    Action(
        "data.build",
        "L",
        "Build link",
        "Build a link, or edit the one under the cursor: what it would do is counted before it is written.",
        "data link --preview",
    ),
    Action(
        "data.compare", "c", "Compare", "Compare the two marked versions by key, or this one with the one before.",
        "data diff",
    ),
    Action(
        "data.stop", "x", "Stop", "Stop the sync or link that runs; what was kept stays.", "jobs cancel", True, True
    ),
    Action(
        "data.storage", "w", "Storage", "What is kept, whether it is whole; verify it, remove the unused.", "data gc"
    ),
    Action(
        "data.share",
        "P",
        "Share",
        "What is here, at a remote, or both; push, pull, write or take in a bundle.",
        "share list",
    ),
)  # fmt: skip
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
    Action("explore.label", "L", "Label", "Label rows by keyboard: queues, agreement, errors.", "explore labels", True),
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
FEATURES: tuple[Action, ...] = (
    Action(
        "features.rank", "n", "Rank now", "Measure what each column is worth, and which ones know the answer.",
        "features rank", footer=True, writes=True,
    ),
    Action(
        "features.save", "w", "Save set", "Keep the marked columns as a feature set: its name and why.",
        "features select", footer=True, writes=True,
    ),
    Action(
        "features.view", "v", "View", "Go on from the columns to how they go together, to all sets, and back.",
        "features associate", footer=True,
    ),
    Action(
        "features.ablate", "a", "Try without", "Train the same model without the column, and measure what that costs.",
        "features ablate", footer=True, writes=True,
    ),
    Action(
        "features.ablate_marked", "A", "Try each", "Train one model without each of the marked columns; asks first.",
        "features ablate", writes=True,
    ),
    Action(
        "features.rename", "R", "Rename set", "Give the set another name; its history goes with it.",
        "features rename", writes=True,
    ),
    Action("features.note", "t", "Note", "Add a remark to this choice of the set.", "features note", writes=True),
    Action(
        "features.measure", "b", "By measure", "Measure association by the next measure.",
        "features associate --measure",
    ),
    Action(
        "features.representatives", "r", "Keep one of each", "Of columns that say the same mark only the best.",
        footer=True,
    ),
    Action("features.undo", "u", "Undo marks", "Mark again what the saved set has."),
    Action("features.previous_set", "left_square_bracket", "Set before", "Look at the feature set before."),
    Action("features.next_set", "right_square_bracket", "Set after", "Look at the next feature set."),
    Action(
        "features.stop", "x", "Stop", "Stop the ranking that runs; finished models stay.", "jobs cancel", writes=True,
    ),
)  # fmt: skip
VALIDATE: tuple[Action, ...] = (
    Action("validate.run", "n", "Run now", "Run all checks on the latest version.", "validate run", True, writes=True),
    Action(
        "validate.waive", "w", "Waive", "Let the check under the cursor only warn for a while: who, why, until when.",
        "validate waive", footer=True, writes=True,
    ),
    Action(
        "validate.reasons", "f", "Why", "Which values of other columns stand among the failing rows too often.",
        "validate why NAME", footer=True,
    ),
    Action(
        "validate.codes", "c", "Codes", "The codes the check does not know: add, map, quarantine, end, undo.",
        "validate codes unknown", footer=True,
    ),
    Action(
        "validate.propose", "p", "Propose", "Checks that held on all versions and catch injected faults.",
        "validate suggest",
    ),
    Action(
        "validate.which", "v", "New or fixed", "Of the failing rows: all, new, persisting or fixed since the last run.",
        "validate failures NAME --which new",
    ),
    Action(
        "validate.export", "E", "Export", "Write the failing rows to a file: .csv, .jsonl or .parquet.",
        "validate failures NAME --export FILE",
    ),
    Action("validate.older", "left_square_bracket", "Older", "Look at the run before."),
    Action("validate.newer", "right_square_bracket", "Newer", "Look at the run after."),
)  # fmt: skip
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
EVALUATE: tuple[Action, ...] = (
    Action(
        "evaluate.run", "n", "Evaluate", "Measure this run on later rows, time it, and judge its gates.",
        "evaluate", footer=True, writes=True,
    ),
    Action("evaluate.older", "left_square_bracket", "Older run", "Look at the finished run before.", footer=True),
    Action("evaluate.newer", "right_square_bracket", "Newer run", "Look at the finished run after.", footer=True),
    Action("evaluate.lower", "comma,left", "Threshold −", "Lower the threshold by 0.01.", footer=True),
    Action("evaluate.higher", "full_stop,right", "Threshold +", "Raise the threshold by 0.01."),
    Action(
        "evaluate.chosen", "t", "Chosen", "Put the threshold back to the problem's, then to the one that earns most."
    ),
    Action("evaluate.view", "v", "View", "Go on from quality to rows and what they are explained by.", footer=True),
    Action(
        "evaluate.explain_row", "f", "Find row", "Explain one row by its key: what each feature adds to its score.",
        "explain", writes=True,
    ),
)  # fmt: skip
DEPLOY: tuple[Action, ...] = (
    Action(
        "deploy.register", "n", "Register", "Make the latest finished run the next version of the model.",
        "models register", footer=True, writes=True,
    ),
    Action(
        "deploy.promote", "P", "Promote",
        "Make the version under the cursor champion; asks for the model's name and a reason.", "models promote",
        footer=True, writes=True,
    ),
    Action(
        "deploy.challenge", "C", "Challenge", "Make the version under the cursor challenger.",
        "models promote --alias challenger", writes=True,
    ),
    Action(
        "deploy.rollback", "b", "Roll back",
        "Point the alias back at the version before; asks for the model's name and a reason.", "models rollback",
        footer=True, writes=True,
    ),
    Action("deploy.start", "r", "Serve", "Start the endpoint, or start it anew.", "deploy", footer=True, writes=True),
    Action("deploy.stop", "x", "Stop", "Stop the endpoint under the cursor; asks.", "endpoints stop", writes=True),
    Action("deploy.curl", "u", "Copy curl", "Copy a command that asks the endpoint.", "endpoints show", footer=True),
)  # fmt: skip
MONITOR: tuple[Action, ...] = (
    Action(
        "monitor.acknowledge", "a", "Acknowledge", "Take the firing alert under the cursor: who and what next.",
        "alerts ack", footer=True, writes=True,
    ),
    Action(
        "monitor.resolve", "R", "Resolve", "End the alert under the cursor by hand: who and why.",
        "alerts resolve", writes=True,
    ),
    Action(
        "monitor.replay", "t", "Replay", "Send later rows to the endpoint as live traffic, or stop that; asks first.",
        "monitor replay", footer=True, writes=True,
    ),
    Action(
        "monitor.figure", "v", "Figure", "Draw the next figure over time: AUC, loss, balance, drift or value.",
        footer=True,
    ),
    Action("monitor.past", "r", "Resolved", "List resolved alerts too, or only open ones.", "alerts list --all", True),
    Action("monitor.next_endpoint", "right_square_bracket", "Endpoint", "Look at the next endpoint."),
)  # fmt: skip
RESOURCES: tuple[Action, ...] = (
    Action("resources.zoom_in", "plus,equals_sign", "Shorter", "Look at a shorter time.", footer=True),
    Action("resources.zoom_out", "minus", "Longer", "Look at a longer time, up to 30 days.", "resources history", True),
    Action("resources.chart", "v", "Chart", "Chart use, waiting, disk or network.", footer=True),
    Action(
        "resources.stop", "x", "Stop", "Stop the job under the cursor; asks first.", "jobs cancel", footer=True,
        writes=True,
    ),
)  # fmt: skip

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
        "equals_sign": "=", "number_sign": "#", "comma": ",", "exclamation_mark": "!",
        "down": "↓", "up": "↑", "left": "←", "right": "→",
    }  # fmt: skip
    return " ".join(names.get(part, part) for part in key.split(","))
