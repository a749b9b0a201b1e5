"""What `K` says in Problem. Pure."""

PROBLEM_TEXT = (
    "Value per case is what one answer is worth: said yes or no, when it was so or not. A yes pays from the "
    "probability p where p·TP + (1−p)·FP = p·FN + (1−p)·TN, that is (TN−FP) / (TN−FP + TP−FN).\n\n"
    "A success criterion is a gate: Evaluate judges every run by it, Deploy asks it before a promotion. It is met only "
    "when the whole 95% interval keeps the bound.\n\n"
    "The plan says what data comes when. An arrival is the first time new content was seen; it is late when its "
    "cadence has passed since, and short below 95% of the rows that were expected.\n\n"
    "Infrastructure is told from trainings that this machine measured: a law of physical terms (cells × rounds × depth "
    "and the like) is fitted to them, and 80% of such trainings lie in the interval; 'back-test' is how far it was off "
    "on those it had not seen. The expected volume is [infrastructure]; see lemnis resources plan.\n\n"
    "All of it is the [problem] section of lemnis.toml: press {app.edit} to edit it. Every text is kept with who, when "
    "and why; a change made outside Lemnis is kept when it is found. Commands: lemnis problem show, set, history, "
    "value, plan."
)
CELLS = {
    "criteria.metric": "What is measured of a run, by its name in Evaluate; a suffix _gap compares with training.",
    "criteria.bound": ("The least or most it may be. It stands in [[problem.criteria]] of lemnis.toml, as min or max."),
    "criteria.on": "The rows it is judged on: train, validation or test; `on` of the criterion.",
    "criteria.why": "Why the bound is where it is, as whoever declared it wrote it: `why` of the criterion.",
    "plan.source": "A source of [[problem.acquisition]] in lemnis.toml, by its name in [[sources]].",
    "plan.state": (
        "waiting (nothing arrived yet), late (its cadence has passed since the last new content), short (below 95"
        " % of the rows that were expected) or arrived."
    ),
    "plan.expected": "Rows that the plan says an arrival brings: expected_rows in [[problem.acquisition]].",
    "plan.arrived": "Rows that the newest snapshot of the source has.",
    "plan.share": "Arrived rows as a share of the expected ones; from 95 % on it counts as all.",
    "plan.cadence": "How often the plan says that new content comes: cadence in [[problem.acquisition]].",
    "plan.due": "The last arrival and one cadence more.",
    "plan.owner": "Who answers for it, as the plan says.",
    "plan.why": "What follows from the state, in words.",
    "history.when": "When the change was found, in your zone.",
    "history.who": "Who made it.",
    "history.changed": "The keys of lemnis.toml that changed.",
    "history.why": "The reason that was given with it.",
}
