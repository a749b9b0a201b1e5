"""The keys of Data: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

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
        "b",
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
