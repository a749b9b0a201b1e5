"""What the sweep screen explains: its keys, its columns and its views."""

HELP = (
    "enter  the run of the trial under the cursor\n"
    "x      prune it at its next round, or take it back\n"
    "+      enqueue a point: tried next, the rest is chosen\n"
    "f      freeze this column's parameter; again: it varies\n"
    "[ ]    its lower, its upper bound in new trials\n"
    "p      pause, and go on\n"
    "e      extend by some trials\n"
    "1–6 v  views, such as parallel axes and the log\n"
    "s S    sort by this column\n"
    "K      what this column or view means\n"
    "y      copy a cell, a row, or the table\n"
    "esc    back\n\n"
    "Every act is on record with who and when: the log.\n"
    "Commands: lemnis sweep, lemnis sweeps."
)
EXPECTED = (
    "Peaks over a threshold: what the best of the last 40 trials exceed a high threshold by follows a generalised "
    "Pareto distribution (Pickands 1975). How many come above it, its shape and its scale are drawn from their "
    "posteriors, then the best of 20 more trials and what it gains over the best so far. Shown are the mean, and in "
    "brackets what it lies between 80 times in 100. Pruned and failed trials count as trials that came to nothing."
)
EXPLAINED = {
    "number": ("Trial", "Its number, from 1. It keeps its number and its run when it is resumed after a kill."),
    "state": ("What further trials may gain", EXPECTED),
    "values": (
        "Objective",
        "The metric that is looked for, of the run's final model; ↑ larger is better, ↓ smaller. Muted: where a pruned "
        "trial was ended. ★ is the best trial that keeps to the constraints, or with several objectives the Pareto "
        "front: what no other trial beats in every objective.",
    ),
    "params": (
        "Parameter",
        "Drawn by the sampler: the Tree-structured Parzen Estimator models what good and other trials have in common "
        "and draws where the good are likelier; ten trials are drawn by chance first. = marks one that is frozen.",
    ),
    "run": (
        "Run",
        "Every trial is a run with all its conditions: enter shows it, Experiments compares and reproduces it.",
    ),
    "why": (
        "Why",
        "How far it trains, or why it ended. The median pruner ends a trial whose best value so far is worse than the "
        "median of the finished trials at the same round, after 5 trials and 5 rounds; Hyperband lets the best third "
        "go on at each rung.",
    ),
    "Best": (
        "Best so far",
        "The value of each finished trial that keeps to the constraints, and the best until then.",
    ),
    "Decides": (
        "What decides",
        "PED-ANOVA (Watanabe 2023): how far the values of a parameter among the best tenth of the trials differ from "
        "its values among all, as shares of 100%. Known after ten finished trials.",
    ),
    "Parallel": (
        "Parallel axes",
        "Each trial as a line over its parameters, as wide as the sweep began, to its values.",
    ),
    "Pareto": ("Pareto front", "★: no other trial that keeps to the constraints is better in every objective."),
    "Log": ("Log", "What people did to the sweep, and what it did by itself after something was killed."),
}
