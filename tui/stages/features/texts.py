"""What `K` says in Features: what each number is, where it came from, and what it was in every fold."""

from lemnis.engine.features import FeatureScore, Matrix, Ranking, Spread
from lemnis.engine.features.records import MEASURES
from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.features.rows import fixed

LEAKAGE = (
    "A column leaks when it knows the answer: it is written down when the answer is, so it will be missing or wrong "
    "when the model has to decide. Five rules look for it, and each says why:\n\n"
    "1. declared: it stands in features.after of lemnis.toml.\n"
    "2. missing together: in at least half of the rows without a target it is missing too, and hardly anywhere else.\n"
    "3. time travel: a time column of its source lies after the dataset's time in at least half of the rows.\n"
    "4. alone: a model of this column alone reaches ROC AUC 0.85 (R² 0.80), far above the best other column.\n"
    "5. jump: beside other columns it lifts their model by 0.10 or more to at least 0.85 (R²: 0.25, to 0.80).\n\n"
    "Suspects (leak) are left out of the ranking models and of the declared set. You may still mark one.\n\n"
    "leak? is a doubt and leaves the column in: nearly every row has a value of its own (an identifier), it rises with "
    "the order of the rows (a counter), or alone it scores 0.10 better on the rows it learned from than on others."
)
UNSTABLE = (
    "unstable: the column matters (at least 10% of the largest loss), but how much is not settled: its loss varies by "
    "more than half of its mean from model to model, or its place by SHAP moves by more than a third of the columns."
)
DEFINITIONS = {
    "permutation": (
        "What shuffling it costs",
        "What the score of a model on later rows loses when this column's values are shuffled among the rows. About 0: "
        "the model does not need it, or another column says the same (see `same`). Source: Breiman 2001.",
    ),
    "shap": (
        "SHAP",
        "Mean of |contribution| over up to 2,000 judged rows a model: how far this column moves the raw score (log "
        "odds for classes) from row to row, by LightGBM's TreeSHAP. Correlated columns share it. Lundberg 2020.",
    ),
    "gain": (
        "Gain",
        "The column's share of what all splits of a model gained in training, in percent. Large for columns with many "
        "values even if they only fit noise.",
    ),
    "split": ("Splits", "The column's share of all splits of a model, in percent: how often trees look at it."),
    "single": (
        "Alone",
        "The score of a prediction from this column alone: the mean target of its bin or category, learned on one part "
        "of the rows and judged on another. 0.5 (R²: 0) is worth nothing.",
    ),
    "association": (
        "Association with the target",
        "Cramér's V of bins or categories with a class, bias taken off (Bergsma 2013), 0..1; for a number as target "
        "the correlation ratio of a category (Kelley 1935) or Spearman's rank correlation of a number.",
    ),
    "group": (
        "Columns that say the same",
        "Columns whose mean association with each other is at least 0.7 form a group (average linkage on "
        "1 − |association|). ★ marks the one that stands for it: the one that costs most when shuffled.",
    ),
    "verdict": ("Verdict", f"{LEAKAGE}\n\n{UNSTABLE}"),
    "without": (
        "Without it",
        "What leaving the column out of a whole training changes: the same data, preset, parameters and seed (key "
        "{features.ablate}). "
        "Both models are measured on the same validation rows, and days of them are drawn again 200 times for both at "
        "once: ✖ needed if all of the 95% interval is worse, ○ not needed if it holds 0, ● better without if "
        "all of it "
        "is better. Shuffling asks what this model would lose; an ablation asks what another model could do.",
    ),
    "missing": ("Missing", "Share of the sampled rows without a value."),
}
DEFINITIONS["interval"] = DEFINITIONS["permutation"]


def explanation(column: str, score: FeatureScore | None, ranking: Ranking | None) -> tuple[str, str]:
    """Return title and text for a column of the table and the feature under the cursor."""
    title, text = DEFINITIONS.get(column, (N_("What a column is worth"), every_text()))
    parts = [text]
    title = _(title)
    if score is not None and column in DEFINITIONS:
        title = f"{title}: {safe(score.name, limit=60)}"
        found = score.importance.get("permutation" if column == "interval" else column)
        if found is not None and ranking is not None and found.values:
            parts.append(fold_lines(found, ranking))
        if column == "single" and score.single_folds and ranking is not None:
            each = zip(ranking.folds, score.single_folds, strict=False)
            parts.append("\n".join(f"{name}  {fixed(value)}" for name, value in each))
    if ranking is not None and ranking.folds:
        parts.append(origin(ranking))
    return title, "\n\n".join(parts)


def every_text() -> str:
    """Return every definition, one after the other."""
    shown = [
        f"{_(title)}. {_(text)}" for name, (title, text) in DEFINITIONS.items() if name not in ("interval", "verdict")
    ]
    return "\n\n".join([*shown, UNSTABLE, N_("Commands: lemnis features rank, associate, select, sets, show, diff.")])


def fold_lines(found: Spread, ranking: Ranking) -> str:
    """Return an importance in each fold and seed, one fold a line."""
    lines = [
        _("mean {fixed}, deviation {fixed2}, by fold and seed:").format(
            fixed=fixed(found.mean, 4), fixed2=fixed(found.deviation, 4)
        )
    ]
    for place, name in enumerate(ranking.folds):
        values = found.values[place * ranking.seeds : (place + 1) * ranking.seeds]
        lines.append(f"{name}   " + "   ".join(fixed(value, 4) for value in values))
    return "\n".join(lines)


def origin(ranking: Ranking) -> str:
    """Return where the numbers came from."""
    how = (
        _("each fold is judged by the stretch of time named, and learns only from earlier rows")
        if ranking.blocked == "time"
        else _("the rows have no time, so folds are drawn by lot")
    )
    agree = ", ".join(f"{name} {number(value, 2)}" for name, value in ranking.agreement.items())
    return _(
        "From {folds} folds × {seeds} seeds, {rounds} trees each, on up to {train_rows:,} rows "
        "learned and {judged_rows:,} judged, of a sample of {sample_rows:,}; {how}. The test span "
        "is not looked at. How far the models agree on the order (Kendall's W, 1: wholly): {agree}."
    ).format(
        folds=len(ranking.folds),
        seeds=ranking.seeds,
        rounds=ranking.rounds,
        train_rows=ranking.train_rows,
        judged_rows=ranking.judged_rows,
        sample_rows=ranking.sample_rows,
        how=how,
        agree=agree,
    )


ASSOCIATION = {
    "kind": "Two numbers by Spearman, two categories by Cramér's V, one of each by the correlation ratio.",
    "pearson": "Pearson: how close two numbers lie to a straight line, −1 to 1; a truth value counts as 0 or 1.",
    "spearman": "Spearman: how far one number rises with the other, in whatever curve, −1 to 1; a truth value "
    "counts as 0 or 1.",
    "cramers_v": "Cramér's V of categories, and of numbers cut into 16 bins of equal size; its bias is taken off "
    "(Bergsma 2013). 0 none, 1 each tells the other.",
    "ratio": "Correlation ratio: how much of a number's spread lies between the categories of the other column "
    "(Kelley 1935, bias taken off). 0 none, 1 the category tells the number.",
    "information": "Mutual information of bins or categories, as a share of their mean entropy. 0 none, 1 each tells "
    "the other; a little above 0 for columns with many codes.",
}


def association(measure: str, matrix: Matrix | None) -> tuple[str, str]:
    """Return title and text for the heat map."""
    parts = [ASSOCIATION[measure]]
    if matrix is not None:
        parts.append(
            _(
                "On {rows:,} rows drawn from all {total:,} but the test span, in {elapsed_ms:,} ms. "
                "Spearman ranks each column once, among its own known values; a pair that is opened is "
                "measured anew on up to 60,000 rows."
            ).format(rows=matrix.rows, total=matrix.total, elapsed_ms=matrix.elapsed_ms)
        )
    parts.append(
        _(
            "Columns stand next to those they go with (average linkage on 1 − |association|); the target stands first. "
            "Command: lemnis features associate --measure {measure}"
        ).format(measure=measure)
    )
    return _("Association {measures}").format(measures=told(MEASURES[measure])), "\n\n".join(parts)


CELLS = {
    "choices.set": "The name of the feature set and which choice of it this is.",
    "choices.columns": "Columns that the set has by this choice.",
    "choices.changed": "Columns that came and went against the choice before.",
    "choices.who": "Who made it.",
    "choices.when": "When, in your zone.",
    "choices.why": "The reason that was given.",
}
