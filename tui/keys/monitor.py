"""The keys of Monitor: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

MONITOR: tuple[Action, ...] = (
    Action(
        "monitor.acknowledge", "a", "Acknowledge", "Take the firing alert under the cursor: why, until when, who.",
        "alerts ack", footer=True, writes=True,
    ),
    Action(
        "monitor.resolve", "R", "Resolve", "End the alert under the cursor by hand: who and why.",
        "alerts resolve", writes=True,
    ),
    Action(
        "monitor.silence", "Z", "Silence", "Silence the rule under the cursor for a while: why, until when and who.",
        "alerts silence", writes=True,
    ),
    Action(
        "monitor.rule", "n", "Rule", "Try an alert rule on the windows there were, then save it in lemnis.toml.",
        "alerts test", writes=True,
    ),
    Action(
        "monitor.replay", "t", "Replay", "Send later rows, or a file's, as live traffic; says first what would go.",
        "monitor replay", footer=True, writes=True,
    ),
    Action(
        "monitor.pause", "p", "Pause", "Pause the replay that runs, or let it go on where it was.", "jobs retry JOB",
        writes=True,
    ),
    Action(
        "monitor.figure", "v", "Figure", "Draw the next figure over time: AUC, loss, balance, drift or value.",
        footer=True,
    ),
    Action(
        "monitor.why", "w", "Why", "Say what tells the window's rows from training rows; a job learns to.",
        "monitor why", writes=True,
    ),
    Action(
        "monitor.performance", "P", "Performance",
        "How good the model is: measured, estimated before labels, concept drift and money; v shows the next figure.",
        "monitor performance", footer=True,
    ),
    Action(
        "monitor.waive", "W", "Let it stay", "Let a model stay whose problem changed after its training: who and why.",
        "monitor waive", writes=True,
    ),
    Action(
        "monitor.purpose", "D", "Purpose", "See in Problem what was changed in the question since the champion learnt.",
        "problem history",
    ),
    Action(
        "monitor.shape", "d", "Schema and skew",
        "List how rows differ in shape and balance from training; takes a change into lemnis.toml.", "monitor schema",
    ),
    Action(
        "monitor.zoom_in", "plus,equals_sign", "Shorter", "Cut the same rows into shorter windows, down to minutes.",
        "monitor drift --window hour",
    ),
    Action("monitor.zoom_out", "minus", "Longer", "Cut the same rows into longer windows, up to months."),
    Action("monitor.past", "r", "Resolved", "List resolved alerts too, or only open ones.", "alerts list --all"),
    Action(
        "monitor.loop", "C", "Loop", "From suspicion to promotion: each step of retraining, its blocker and its key.",
        "retrain status", footer=True,
    ),
    Action("monitor.next_endpoint", "right_square_bracket", "Endpoint", "Look at the next endpoint."),
)  # fmt: skip
