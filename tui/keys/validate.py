"""The keys of Validate: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

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
