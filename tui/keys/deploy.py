"""The keys of Deploy: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

DEPLOY: tuple[Action, ...] = (
    Action(
        "deploy.register", "n", "Register",
        "Make the latest finished run the next version, as it is or calibrated by a map of its evaluation.",
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
    Action(
        "deploy.export", "E", "Export",
        "Write the version under the cursor for other applications: ONNX, MLflow, a folder.",
        "models export", writes=True,
    ),
    Action(
        "deploy.card", "M", "Model card",
        "Show what is on record of the version under the cursor, and what differs from the version before.",
        "models card",
    ),
    Action("deploy.start", "r", "Serve", "Start the endpoint, or start it anew.", "deploy", footer=True, writes=True),
    Action("deploy.stop", "x", "Stop", "Stop the endpoint under the cursor; asks.", "endpoints stop", writes=True),
    Action(
        "deploy.split", "t", "Split",
        "Let a challenger answer a share of the requests, or only score them; ends the split that runs, asks first.",
        "endpoints split", footer=True, writes=True,
    ),
    Action("deploy.less", "comma,left", "Share −", "Give the challenger a smaller share.", writes=True),
    Action("deploy.more", "full_stop,right", "Share +", "Give the challenger a larger share.", writes=True),
    Action("deploy.whole", "i", "Detail", "Show the workers, the split, its test and the steps of the endpoint."),
    Action("deploy.curl", "u", "Copy curl", "Copy a command that asks the endpoint.", "endpoints show"),
)  # fmt: skip
