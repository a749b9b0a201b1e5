"""Features as cells: columns of a version with what they are worth, one column in full, and the set. Pure."""

import math
from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate import Ablation
from lemnis.engine.features import FeatureScore, FeatureSet, Matrix, Pair, Ranking, Spread
from lemnis.engine.features.matrices import measure_of
from lemnis.engine.features.records import MEASURES
from lemnis.engine.jobs import Job
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, number, share, styled, verdict
from lemnis.tui.keys.named import key_of, keyed
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import Col, Row

INTERVAL = 12  # cells of the drawn interval
WIDE, MIDDLE, NARROW = 98, 74, 64  # cells of the table from which all columns, most, or some are shown

KINDS = {"numeric": "num", "categorical": "cat", "boolean": "bool"}
SIGNS = {"spearman": "ρ", "pearson": "r", "cramers_v": "V", "ratio": "η", "information": "I"}

NAME = Col("feature", most=24)
SHORT_NAME = Col("feature", most=20)
KIND = Col("kind")
INTERVAL_COLUMN = Col("interval", "low─●─high", width=INTERVAL)
LOSS = Col("permutation", "shuffled", right=True)
SHAP = Col("shap", "SHAP", right=True)
GAIN = Col("gain", "gain %", right=True)
SPLIT = Col("split", "split %", right=True)
SINGLE = Col("single", "alone", right=True)
ASSOCIATION = Col("association", "assoc.", right=True)
WITHOUT = Col("without", right=True)
ABSENT = Col("missing", "missing", right=True)
GROUP = Col("group", "same")
VERDICT = Col("verdict", "verdict")


def columns_for(width: int) -> list[Col]:
    """Return the columns that fit a table of this width; in a wide one the numbers have their spread."""
    if width >= WIDE:
        return [
            *(
                NAME,
                VERDICT,
                INTERVAL_COLUMN,
                wide(LOSS),
                wide(SHAP),
                SINGLE,
                GROUP,
                WITHOUT,
                GAIN,
                SPLIT,
                ASSOCIATION,
                ABSENT,
            ),
            KIND,
        ]
    if width >= MIDDLE:
        return [SHORT_NAME, VERDICT, INTERVAL_COLUMN, LOSS, SHAP, SINGLE, GROUP]
    if width >= NARROW:
        return [SHORT_NAME, VERDICT, INTERVAL_COLUMN, LOSS, SINGLE]
    return [SHORT_NAME, VERDICT, LOSS, SINGLE]


def wide(column: Col) -> Col:
    """Return a column whose cells have their deviation."""
    return Col(column.name, f"{column.said} ±", right=True, data=True)


def score_row(
    score: FeatureScore, columns: Sequence[Col], reach: tuple[float, float], ablation: Ablation | None = None
) -> Row:
    """Return one column's row; `reach` is the lowest and the highest loss of all rows, the ends of the interval."""
    with_spread = {column.name for column in columns if column.label.endswith("±")}
    loss, shap = score.importance.get("permutation"), score.importance.get("shap")
    cells: dict[str, tuple[str | Content, object]] = {
        "feature": (score.name, score.name),
        "kind": (Content.styled(KINDS.get(score.kind, score.kind), "$muted"), score.kind),
        "interval": (interval_cell(loss, reach), score.mean("permutation")),
        "permutation": (loss_words(loss, spread="permutation" in with_spread), score.mean("permutation")),
        "shap": (spread_words(shap, 3, spread="shap" in with_spread), score.mean("shap")),
        "gain": (percent(score.mean("gain")), score.mean("gain")),
        "split": (percent(score.mean("split")), score.mean("split")),
        "association": (fixed(score.association), score.association),
        "single": (fixed(score.single), score.single),
        "missing": (share(score.missing) if score.missing else "0%", score.missing),
        "without": without_cell(ablation),
        "group": (group_cell(score), score.group or None),
        "verdict": (verdict(word_of(score)).content, ORDER.index(word_of(score))),
    }
    chosen = [cells[column.name] for column in columns]
    return Row(score.name, [cell for cell, _ in chosen], [value for _, value in chosen])


ORDER = ("leak", "leak?", "unstable", "ok")


def word_of(score: FeatureScore) -> str:
    """Return the one word for a column: the gravest of what was found."""
    if score.leakage:
        return "leak"
    return "leak?" if score.doubt else "unstable" if score.unstable else "ok"


def reach_of(scores: Sequence[FeatureScore]) -> tuple[float, float]:
    """Return the lowest and the highest loss of any model, with 0 inside."""
    losses = [found for score in scores if (found := score.importance.get("permutation")) is not None]
    return min([0.0, *(loss.low for loss in losses)]), max([0.0, *(loss.high for loss in losses)])


def interval_cell(spread: Spread | None, reach: tuple[float, float], width: int = INTERVAL) -> Content:
    """Return a line from the lowest to the highest value with a dot at the mean; ``┊`` marks 0."""
    if spread is None:
        return Content.styled(MISSING, "$muted")
    low, high = reach
    span = (high - low) or 1.0

    def place(value: float) -> int:
        return min(width - 1, max(0, round((value - low) / span * (width - 1))))

    cells = [" "] * width
    cells[place(0.0)] = "┊"
    for at in range(place(spread.low), place(spread.high) + 1):
        cells[at] = "─"
    cells[place(spread.mean)] = "●"
    return Content.styled("".join(cells), "$busy")


def group_cell(score: FeatureScore) -> Content:
    """Return the group's letter, with a star on the column that stands for it."""
    if not score.group:
        return Content.styled("·", "$faint")
    return Content.assemble(letter(score.group), ("★" if score.representative else " ", "$stage-accent"))


def letter(group: int) -> str:
    """Return a group's name: A, B … Z, AA, AB and so on."""
    name = ""
    while group > 0:
        group, place = divmod(group - 1, 26)
        name = chr(ord("A") + place) + name
    return name


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a measure with as many decimals as its neighbours, however small it is."""
    return MISSING if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a share in percent without the sign."""
    return MISSING if value is None else f"{value * 100:.1f}"


def loss_words(loss: Spread | None, *, spread: bool = True) -> str:
    """Return what shuffling costs, with its deviation if asked."""
    if loss is None:
        return MISSING
    return delta(-loss.mean, 4) + (f" ± {fixed(loss.deviation, 4)}" if spread else "")


def spread_words(found: Spread | None, digits: int, *, spread: bool = True) -> str:
    """Return a mean, with its deviation if asked."""
    if found is None:
        return MISSING
    return fixed(found.mean, digits) + (f" ± {fixed(found.deviation, digits)}" if spread else "")


def plain_row(name: str, columns: Sequence[Col]) -> Row:
    """Return the row of a column that was not ranked yet."""
    words = {"feature": name, "verdict": verdict("not ranked").text}
    return Row(name, [words.get(column.name, MISSING) for column in columns])


def set_title(chosen: FeatureSet | None, marked: Sequence[str], of: int) -> tuple[str, Content]:
    """Return the set's title and what differs between it and the marks."""
    if chosen is None:
        return _("Feature set"), Content("")
    saved, now = set(chosen.features), set(marked)
    if saved == now:
        who = (
            _("chosen by {who}").format(who=safe(chosen.who))
            if chosen.at
            else _("from {who}").format(who=safe(chosen.who))
        )
        why = f": {safe(told(chosen.why), limit=200)}" if chosen.why else ""
        return _("Set {name}").format(name=chosen.name), Content.assemble(
            verdict("ready").glyph,
            " " + _("{now} of {of} columns, {who}").format(now=len(now), of=of, who=who),
            (why, "$muted"),
        )
    parts = [f"+{name}" for name in marked if name not in saved] + [
        f"−{name}" for name in chosen.features if name not in now
    ]
    return _("Set {name}").format(name=chosen.name), Content.assemble(
        styled(_("▲ changed"), "$warn"),
        " " + _("{now} of {of} columns, not saved:").format(now=len(now), of=of) + " ",
        safe(", ".join(parts), limit=200),
        (keyed(f"   {_('{features.save} saves, {features.undo} undoes')}"), "$muted"),
    )


def ranking_words(ranking: Ranking | None, now_ms: int) -> str:
    """Return how the columns were ranked, in one line."""
    if ranking is None:
        return _("not ranked yet")
    models = _("{scores} models ·").format(scores=len(ranking.scores)) + " " if ranking.folds else ""
    low = f" ({number(min(ranking.scores))}–{number(max(ranking.scores))})" if ranking.scores else ""
    return _("{skill} {score}{low} without the leaks · {models}{ago}").format(
        skill=ranking.skill, score=number(ranking.score), low=low, models=models, ago=ago(ranking.computed_at, now_ms)
    )


def ago(then_ms: int, now_ms: int) -> str:
    """Return how long ago a time was: ``just now``, ``5 min ago``."""
    since = age(then_ms, now_ms)
    return _("just now") if since == "now" else _("{since} ago").format(since=since)


def representatives_of(marked: Sequence[str], scores: Sequence[FeatureScore]) -> list[str]:
    """Return the marked columns with only the one that costs most when shuffled left of each group."""
    best: dict[int, tuple[float, str]] = {}
    for score in scores:
        worth = (score.mean("permutation") or 0.0, score.name)
        if score.group and score.name in marked and (score.group not in best or worth[0] > best[score.group][0]):
            best[score.group] = worth
    grouped = {score.name: score.group for score in scores}
    return [name for name in marked if not grouped.get(name) or best[grouped[name]][1] == name]


def detail_facts(
    score: FeatureScore, ranking: Ranking | None, ablation: Ablation | None = None
) -> list[tuple[str, str | Content]]:
    """Return what was measured of one column, label and value."""
    skill = ranking.skill if ranking else _("score")
    found = score.importance
    shuffled = gain = shap = _("left out of the models")
    if "permutation" in found:
        shuffled = f"{skill} {loss_words(found['permutation'])}{places(found['permutation'])}"
    if "shap" in found:
        shap = f"{spread_words(found['shap'], 3)}{places(found['shap'])}"
    if "gain" in found:
        split = _(", {percent}% of the splits").format(percent=percent(found["split"].mean)) if "split" in found else ""
        gain = _("{percent}% of the gain{split}").format(percent=percent(found["gain"].mean), split=split)
    single = _("{skill} {fixed} on rows not seen").format(skill=skill, fixed=fixed(score.single))
    if score.learned is not None:
        single += _(", {fixed} on those learned from").format(fixed=fixed(score.learned))
    same = _("no other column says the same")
    if score.group:
        same = (
            _("group {letter},").format(letter=letter(score.group))
            + " "
            + (_("stands for it ★") if score.representative else _("another stands for it"))
        )
    return [
        (_("shuffled"), shuffled),
        ("SHAP", shap),
        (_("trees"), gain),
        (_("without"), without_words(ablation)),
        (_("alone"), single),
        (_("target"), _("{fixed} by {method}").format(fixed=fixed(score.association), method=score.method)),
        (_("same as"), same),
        (_("holds"), _("{kind}, {missing} missing").format(kind=score.kind, missing=share(score.missing, 2))),
    ]


def places(found: Spread) -> str:
    """Return the column's place among all, and how it moves from model to model."""
    if not found.rank:
        return ""
    moves = (
        " " + _("({rank_low} to {rank_high})").format(rank_low=found.rank_low, rank_high=found.rank_high)
        if found.rank_low != found.rank_high
        else ""
    )
    return " " + _("· no. {rank}{moves}").format(rank=found.rank, moves=moves)


def verdict_content(score: FeatureScore) -> Content:
    """Return the verdict with every rule that spoke, a sentence each."""
    word = word_of(score)
    if word == "ok":
        return Content.assemble(
            verdict("ok").content,
            (keyed(f"  {_('No rule suspects it: {app.explain} says which rules there are.')}"), "$muted"),
        )
    sure = (
        "  " + _("how sure: {leakage_score}").format(leakage_score=share(score.leakage_score, 0))
        if score.leakage
        else ""
    )
    lines = [Content.assemble(verdict(word).content, sure)]
    for reason in (score.leakage, score.doubt, score.unstable):
        lines += [Content(f"  {safe(told(sentence))}") for sentence in sentences(reason)]
    return Content("\n").join(lines)


def sentences(text: str) -> list[str]:
    """Return a text as its sentences."""
    return [part.strip() for part in text.replace(". ", ".\n").split("\n") if part.strip()]


def relatives(pairs: Sequence[Pair], name: str, most: int) -> list[tuple[str, float, str]]:
    """Return the columns that go most with one, as bars: name, association, words."""
    found = [(pair.second if pair.first == name else pair.first, pair) for pair in pairs]
    return [
        (other, pair.association, f"{SIGNS.get(pair.measure, '')} {fixed(pair.association, 2)}")
        for other, pair in found[:most]
    ]


def job_words(job: Job | None) -> str:
    """Return what a measuring job does now; empty for none."""
    if job is None:
        return ""
    if job.state != "running":
        return f"{_(job.state)}: {told(job.why)}"
    done = f"{job.progress:.0%} " if job.progress is not None else ""
    return _("measuring {done}{progress_text} · {key_of} stops").format(
        done=done, progress_text=told(job.progress_text), key_of=key_of("features.stop")
    )


def matrix_words(matrix: Matrix | None) -> str:
    """Return how many columns and rows a matrix is of."""
    if matrix is None:
        return ""
    return _("· {names} columns · {rows:,} of {total:,} rows").format(
        names=len(matrix.names), rows=matrix.rows, total=matrix.total
    )


def pair_words(matrix: Matrix, pair: tuple[int, int], measure: str) -> Content:
    """Return one pair exactly: both names, the measure, the value, and whether they are in one group."""
    first, second = (safe(matrix.names[place], limit=40) for place in pair)
    value = matrix.value(measure, *pair)
    if pair[0] == pair[1]:
        return Content.assemble((first, "bold"), (f"  {_('with itself')}", "$muted"))
    said = f"{told(MEASURES[measure_of(matrix, measure, *pair)])} {fixed(value, 4)}"
    if math.isnan(value):
        said = _("{measures} does not suit this pair").format(measures=told(MEASURES[measure]))
    group = matrix.groups[pair[0]] if matrix.groups[pair[0]] == matrix.groups[pair[1]] else 0
    same = "   " + _("both in group {letter}").format(letter=letter(group)) if group else ""
    return Content.assemble((f"{first} × {second}", "bold"), f"   {said}", (same, "$muted"))


def without_words(found: Ablation | None) -> str:
    """Return what an ablation found, in one line."""
    if found is None:
        return _("never tried: a trains without it")
    metric, change, interval, said = ablation_words(found)
    return (
        said
        if found.found is None
        else _("{metric} {change} ({interval}), run {run_id}: {said}").format(
            metric=metric, change=change, interval=interval, run_id=found.run_id, said=said
        )
    )


def without_cell(found: Ablation | None) -> tuple[str | Content, object]:
    """Return the cell of an ablation, and the change to sort by."""
    if found is None:
        return Content.styled("·", "$faint"), None
    if found.found is None:
        return verdict(found.state).content, None
    change = found.found.deltas.get(found.found.metric)
    return f"{delta(change, 4)} {SURE.get(found.verdict, '?')[0]}", change


SURE = {"needed": N_("✖ needed"), "not needed": N_("○ not needed"), "better without": N_("● better without")}


def ablation_words(found: Ablation) -> tuple[str, str, str, str]:
    """Return measure, change, interval and verdict of one ablation; the state where it is not measured yet."""
    if found.found is None:
        said = told(found.progress_text) if found.state == "running" and found.progress_text else told(found.why)
        return MISSING, MISSING, MISSING, f"{verdict(found.state).text}: {said}"
    metric = found.found.metric
    low, high = found.found.intervals.get(metric, [None, None])
    interval = (
        MISSING if low is None or high is None else _("{low} to {high}").format(low=delta(low, 4), high=delta(high, 4))
    )
    return metric, delta(found.found.deltas.get(metric), 4), interval, _(SURE.get(found.verdict, N_("not sure")))
