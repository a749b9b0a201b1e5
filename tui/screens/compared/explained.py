"""What `K` says on the compare screen: what a number is, by which formula, and from where on it counts. Pure."""

from lemnis.engine.evaluate import PairedTest
from lemnis.engine.evaluate.pairs import LEVEL
from lemnis.engine.experiments.compare import larger_is_better
from lemnis.tui.format import delta, number
from lemnis.tui.language import N_, _
from lemnis.tui.screens.compared.words import Compared, digits_of, interval_words, judged, p_words, rows_words

FORMULAS = {
    "roc_auc": "The share of pairs of a positive and a negative row in which the positive one scores higher; "
    "ties count half. 0.5 is worth nothing, 1 is perfect.",
    "pr_auc": "Average precision: Σ (recallₙ − recallₙ₋₁) · precisionₙ over the thresholds.",
    "log_loss": "−mean ln(probability given to what happened), in nats. 0 is perfect.",
    "brier": "mean (probability − what happened)². 0 is perfect, 0.25 is a coin.",
    "ece": "Σ rows/all · |mean probability − share of positives| over ten bins of equal width.",
    "accuracy": "right answers / all answers, at the problem's threshold.",
    "precision": "true positives / all that were answered yes, at the problem's threshold.",
    "recall": "true positives / all positives, at the problem's threshold.",
    "f1": "2 · precision · recall / (precision + recall), at the problem's threshold.",
    "value_per_1000": "Σ count · worth of each kind of answer / rows · 1,000, by [problem.value] at its threshold.",
    "positive_share": "positive rows / rows: it says something of the rows, not of the model.",
    "predicted_share": "rows that were answered yes / rows, at the problem's threshold.",
    "rmse": "√ mean (predicted − actual)², in the target's unit.",
    "mae": "mean |predicted − actual|, in the target's unit.",
    "r2": "1 − Σ (predicted − actual)² / Σ (actual − mean)².",
    "bias": "mean (predicted − actual), in the target's unit: neither more nor less of it is better than 0.",
}
METHODS = {
    "DeLong": "DeLong's variance of the difference of two areas on the same rows; where rows have a time, those of "
    "a day count together",
    "paired bootstrap": "the rows, where they have a time the days, are drawn again and again, for both models alike; "
    "the spread of the difference is its standard error",
    "infinitesimal jackknife": "the influence of each block of rows on the mean area of the classes",
}
RULE_TEXT = (
    "p is two-sided and adjusted by Holm over the runs that are compared; below {level} the difference is called "
    "better or worse, otherwise indistinguishable. The interval is difference ± t · standard error, 95 %, for this "
    "test alone."
)
LOGGED = "Written by training itself, of its validation rows or as a cost; its difference is not tested."
PARTS_TEXT = {
    "parameters": "A parameter as the preset or an override gave it. z shows those that are alike too.",
    "conditions": "A condition of the training, as it was recorded when it ran. z shows those that are alike too.",
}


GAIN_TEXT = (
    "The gain of all splits by this feature / the gain of all splits of the model: what training used it for. "
    "It says nothing of cause, and features that say the same share it between them."
)


def explained(found: Compared, key: str) -> tuple[str, str] | None:
    """Return title and text of the line with a key, None for a heading."""
    family, _rest, name = key.partition(" ")
    if family in ("#", "refused", "@", "-", "+"):
        return None
    if family == "test":
        return name, measure_text(found, name)
    if family == "metric":
        way = {True: _("More is better."), False: _("Less is better."), None: ""}[larger_is_better(name)]
        return name, f"{_(LOGGED)} {way}".strip()
    if family in PARTS_TEXT:
        return name, PARTS_TEXT[family]
    metric, _rest, run = key.rpartition(" ")
    if metric in found.tested_metrics() and run.isdecimal():
        test = found.test(int(run), metric)
        return _("{metric} of #{run}").format(metric=metric, run=run), measure_text(
            found, metric, [(int(run), test)] if test else []
        )
    if any(one.feature == key for gains in found.gains.values() for one in gains):
        return key, GAIN_TEXT
    return None


def measure_text(found: Compared, metric: str, tests: list[tuple[int, PairedTest]] | None = None) -> str:
    """Return what a tested measure is, how it was tested, and what came of it in each run."""
    chosen = tests or [(run, test) for run in found.pairs if (test := found.test(run, metric)) is not None]
    pair = next(iter(found.pairs.values()), None)
    methods = [_(METHODS[name]) for name in dict.fromkeys(test.method for _, test in chosen) if name in METHODS]
    lines = [FORMULAS.get(metric, N_("A measure of the held-out rows."))]
    if pair is not None:
        same = _("On {rows}, the same for both.").format(rows=rows_words(pair))
        lines.append(f"{same} {'. '.join(methods)}.".replace(" .", ""))
    lines.append(_(RULE_TEXT).format(level=f"{LEVEL:g}"))
    lines += [test_line(run, test, metric) for run, test in chosen]
    return "\n\n".join(lines)


def test_line(run: int, test: PairedTest, metric: str) -> str:
    """Return what came of one test."""
    digits = digits_of(metric)
    figures = f"{number(test.value, digits)} − {number(test.base, digits)} = {delta(test.delta, digits)}"
    if not test.method:
        return _("#{run}: {figures}; not tested").format(run=run, figures=figures)
    return _("#{run}: {figures}, 95 % {interval}, {p} alone, {adjusted} by Holm: {verdict}").format(
        run=run,
        figures=figures,
        interval=interval_words(test),
        p=p_words(test.p),
        adjusted=p_words(test.adjusted),
        verdict=judged(test.verdict).word,
    )
