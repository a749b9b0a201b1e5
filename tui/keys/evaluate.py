"""The keys of Evaluate: (id "stage.name", key, label, help, command, footer, writes)."""

from lemnis.tui.keys.action import Action

EVALUATE: tuple[Action, ...] = (
    Action(
        "evaluate.run", "n", "Evaluate", "Measure this run on later rows, time it, and judge its gates.",
        "evaluate", footer=True, writes=True,
    ),
    Action(
        "evaluate.folds", "F", "Folds", "Train this run's conditions again on folds by time, by parts or by groups.",
        "evaluate RUN --folds", writes=True,
    ),
    Action(
        "evaluate.load", "T", "Load test", "Put a server of its own with this run under load over HTTP.",
        "endpoints load NAME", writes=True,
    ),
    Action("evaluate.older", "left_square_bracket", "Older run", "Look at the finished run before.", footer=True),
    Action("evaluate.newer", "right_square_bracket", "Newer run", "Look at the finished run after."),
    Action("evaluate.lower", "comma,left", "Threshold −", "Lower the threshold by 0.01.", footer=True),
    Action("evaluate.higher", "full_stop,right", "Threshold +", "Raise the threshold by 0.01."),
    Action(
        "evaluate.chosen", "t", "Chosen", "Put the threshold back to the problem's, then to the one that earns most."
    ),
    Action(
        "evaluate.view", "v", "View", "Go on from quality to what else was verified and explained.", footer=True
    ),
    Action("evaluate.view_back", "V", "View back", "Go back to the view before."),
    Action(
        "evaluate.explain_row", "f", "Find row", "Explain one row by its key: what each feature adds to its score.",
        "explain", writes=True,
    ),
    Action(
        "evaluate.features", "i", "Features",
        "What each feature adds, how answers depend on it, what acts together; on a small screen one after the other.",
        "explain", footer=True,
    ),
    Action(
        "evaluate.interpret", "I", "Interpret", "Compute dependence, interactions and failure types of this run.",
        "explain --again", writes=True,
    ),
    Action(
        "evaluate.failures", "E", "Failure types",
        "What the errors have in common, how many of each type, and what became of those of earlier runs.",
        "explain --failures",
    ),
    Action(
        "evaluate.label", "Q", "Label type", "Make a label queue of the failure type's rows, worst first.",
        "explain --failures --label", writes=True,
    ),
    Action(
        "evaluate.check", "W", "Write check", "Make the failure type a check over the data; it is shown first.",
        "explain --failures --check", writes=True,
    ),
    Action(
        "evaluate.what_if", "w", "What if",
        "Change values of a row: prediction, contributions and what would flip the answer follow.",
    ),
    Action(
        "evaluate.card", "M", "Model card",
        "Show what is on record of the registered version of this run, and what differs from the version before.",
        "models card",
    ),
    Action("evaluate.centre", "b", "Centre", "Draw each row's change from its first value, or the answers themselves."),
    Action("evaluate.next_class", "C", "Class", "Interpret the next class."),
)  # fmt: skip
