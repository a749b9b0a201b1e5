"""Features as cells: columns of a version with what they are worth, one column in full, and the set. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.features import FeatureScore, FeatureSet, Pair, Ranking
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, number, share, styled, verdict
from lemnis.tui.widgets.cells import Col, Row
from lemnis.tui.widgets.text import bar_of

BAR = 6  # cells of the gain's bar
WIDE, MIDDLE = 98, 64  # cells of the table from which all columns, or most, are shown

KINDS = {"numeric": "num", "categorical": "cat", "boolean": "bool"}

NAME = Col("feature", most=26)
KIND = Col("kind")
GAIN = Col("gain", "gain %", right=True)
ASSOCIATION = Col("association", "assoc.", right=True)
SINGLE = Col("single", "alone", right=True)
ABSENT = Col("missing", "missing", right=True)
LEAKAGE = Col("leakage", "leakage")


def columns_for(width: int, skill: str) -> list[Col]:
    """Return the columns that fit a table of this width."""
    shuffled = Col("permutation", f"shuffled −{short(skill)} ±", right=True)
    if width >= WIDE:
        return [NAME, KIND, GAIN, shuffled, ASSOCIATION, SINGLE, ABSENT, LEAKAGE]
    if width >= MIDDLE:
        return [NAME, GAIN, Col("permutation", "shuffled", right=True), SINGLE, ABSENT, LEAKAGE]
    return [NAME, GAIN, SINGLE, LEAKAGE]


def short(skill: str) -> str:
    """Return the score's name as a header has room for it: ``ROC AUC`` is ``AUC``."""
    return skill.rsplit(" ", 1)[-1] if skill else "score"


def score_row(score: FeatureScore, columns: Sequence[Col], top_gain: float) -> Row:
    """Return one column's row; `top_gain` is the largest gain share, which gets the full bar."""
    leaked = verdict("leak") if score.leakage else verdict("ok")
    permutation = MISSING
    if score.permutation is not None:
        permutation = shuffled_words(score)
        if not any(column.label.endswith("±") for column in columns):
            permutation = delta(-score.permutation, 4)
    cells: dict[str, tuple[str | Content, object]] = {
        "feature": (score.name, score.name),
        "kind": (Content.styled(KINDS.get(score.kind, score.kind), "$muted"), score.kind),
        "gain": (gain_cell(score.gain_share, top_gain), score.gain_share),
        "permutation": (permutation, score.permutation),
        "association": (fixed(score.association), score.association),
        "single": (fixed(score.single), score.single),
        "missing": (share(score.missing) if score.missing else "0%", score.missing),
        "leakage": (leaked.content, score.leakage),
    }
    chosen = [cells[column.name] for column in columns]
    return Row(score.name, [cell for cell, _ in chosen], [value for _, value in chosen])


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a measure with as many decimals as its neighbours, however small it is."""
    return MISSING if value is None else f"{value:.{digits}f}"


def shuffled_words(score: FeatureScore) -> str:
    """Return what shuffling costs, with its deviation."""
    if score.permutation is None:
        return MISSING
    return f"{delta(-score.permutation, 4)} ± {fixed(score.permutation_deviation or 0.0, 4)}"


def plain_row(name: str, columns: Sequence[Col]) -> Row:
    """Return the row of a column that was not ranked yet."""
    cells = [name if column.name == "feature" else MISSING for column in columns]
    if columns[-1].name == "leakage":
        cells[-1] = verdict("not ranked").text
    return Row(name, cells)


def gain_cell(gain_share: float | None, top: float) -> Content:
    """Return a bar and the share in percent."""
    if gain_share is None:
        return Content.styled(MISSING, "$muted")
    bar = bar_of(gain_share / top if top else 0.0, BAR)
    return Content.assemble((f"{bar:<{BAR}}", "$busy"), f" {gain_share * 100:5.1f}")


def set_title(chosen: FeatureSet | None, marked: Sequence[str], of: int) -> tuple[str, Content]:
    """Return the set's title and what differs between it and the marks."""
    if chosen is None:
        return "Feature set", Content("")
    saved, now = set(chosen.features), set(marked)
    if saved == now:
        who = f"chosen by {safe(chosen.who)}" if chosen.at else f"from {safe(chosen.who)}"
        why = f": {safe(chosen.why, limit=200)}" if chosen.why else ""
        return f"Set {chosen.name}", Content.assemble(
            verdict("ready").glyph, f" {len(now)} of {of} columns, {who}", (why, "$muted")
        )
    parts = [f"+{name}" for name in marked if name not in saved] + [
        f"−{name}" for name in chosen.features if name not in now
    ]
    return f"Set {chosen.name}", Content.assemble(
        styled("▲ changed", "$warn"),
        f" {len(now)} of {of} columns, not saved: ",
        safe(", ".join(parts), limit=200),
        ("   w saves, u undoes", "$muted"),
    )


def ranking_words(ranking: Ranking | None, now_ms: int) -> str:
    """Return how the columns were ranked, in one line."""
    if ranking is None:
        return "not ranked yet"
    return (
        f"{ranking.skill} {number(ranking.score)} without the leaks · {ranking.train_rows:,} rows · "
        f"{age(ranking.computed_at, now_ms)} ago"
    )


def detail_facts(score: FeatureScore, ranking: Ranking | None) -> list[tuple[str, str | Content]]:
    """Return what was measured of one column, label and value."""
    skill = ranking.skill if ranking else "score"
    repeats = f", {ranking.repeats} times" if ranking else ""
    shuffled: str = "left out of the ranking model"
    if score.permutation is not None:
        shuffled = f"{skill} {shuffled_words(score)}{repeats}"
    gain = f"{share(score.gain_share)} in {score.splits:,} splits" if score.splits is not None else MISSING
    return [
        ("kind", score.kind),
        ("missing", share(score.missing, 2)),
        ("gain", gain),
        ("shuffled", shuffled),
        ("alone", f"{skill} {fixed(score.single)} on later rows"),
        ("association", f"{fixed(score.association)} with the target ({score.method})"),
    ]


def leakage_content(score: FeatureScore) -> Content:
    """Return the leakage verdict with every rule that spoke, a sentence each."""
    if not score.leakage:
        return Content.assemble(
            verdict("ok").content, ("  No rule suspects it: K says which rules there are.", "$muted")
        )
    sentences = [sentence.strip() for sentence in score.leakage.replace(". ", ".\n").split("\n")]
    lines = [Content.assemble(verdict("leak").content, f"  how sure: {share(score.leakage_score, 0)}")]
    lines += [Content(f"  {safe(sentence)}") for sentence in sentences if sentence]
    return Content("\n").join(lines)


def relatives(pairs: Sequence[Pair], name: str, most: int) -> list[tuple[str, float, str]]:
    """Return the columns that go most with one, as bars: name, association, words."""
    found = [(pair.second if pair.first == name else pair.first, pair.association) for pair in pairs]
    return [(other, value, number(value, 2)) for other, value in found[:most]]


LEAKAGE_TEXT = (
    "A column leaks when it knows the answer: it is written down when the answer is, so it will be missing or wrong "
    "when the model has to decide. Four rules look for it, and each says why:\n\n"
    "1. declared: it stands in features.after of lemnis.toml.\n"
    "2. missing together: in at least half of the rows without a target it is missing too, and hardly anywhere else.\n"
    "3. alone: a model of this column alone reaches ROC AUC 0.85 (R² 0.80), far above the best other column.\n"
    "4. jump: beside other columns it lifts their model by 0.10 or more to at least 0.85 (R²: 0.25, to 0.80).\n\n"
    "Suspects are left out of the ranking model and of the declared set. You may still mark one."
)
WORTH_TEXT = (
    "gain: its share of what all splits of a quick LightGBM model gained in training; large for columns with many "
    "values even if they only fit noise.\n\n"
    "shuffled: what the model's score on later rows loses when this column's values are shuffled, mean ± standard "
    "deviation. About 0 or better: the model does not need it, or another column says the same.\n\n"
    "assoc.: Cramér's V of its bins or categories with the target, bias taken off, 0..1; for a number as target the "
    "correlation ratio. alone: the score of a model of this column alone, learned on earlier and judged on later rows; "
    "0.5 (R²: 0) is worth nothing.\n\nCommands: lemnis features rank, associate, select, sets."
)
