"""The keys of Features: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

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
