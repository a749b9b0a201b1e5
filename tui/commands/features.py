"""`lemnis features`: what columns are worth, what goes with what, and the sets that models are trained with."""

from enum import StrEnum
from typing import Annotated

import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.features import FeatureScore, FeatureSet
from lemnis.engine.features.records import MEASURES
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.stages.features import rows


class Measure(StrEnum):
    """How association is measured."""

    kind = "kind"
    pearson = "pearson"
    spearman = "spearman"
    cramers_v = "cramers_v"
    ratio = "ratio"
    information = "information"


app = group("Importance, association, leakage, feature sets.")
Ref = Annotated[
    str | None, typer.Argument(help="A version: its number, v3 or the start of its id; the latest if none.")
]
Version = Annotated[
    str | None, typer.Option("--data", help="A dataset version; the latest if none.", metavar="VERSION")
]


@app.command()
def rank(
    context: typer.Context,
    version: Ref = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")] = True,
) -> None:
    """Measure what each column is worth over folds and seeds, and which ones know the answer.

    With --json: {"job", "version", "ranking": {"skill", "score", "scores", "folds", "seeds", "blocked", "agreement",
    "sample_rows", "train_rows", "judged_rows", "rounds", "repeats", "reused", "elapsed_ms", "computed_at" …},
    "features": [{"name", "kind", "missing" (0..1), "importance": {"permutation" | "shap" | "gain" | "split": {"mean",
    "deviation", "low", "high", "rank", "rank_low", "rank_high", "values" (by fold and seed)}}, "unstable" (empty or
    why), "association", "method", "single", "single_folds", "learned", "leakage" (empty or why), "leakage_score"
    (0..1), "doubt" (empty or why), "group" (0: none), "representative"}]}; without waiting, only job and version.
    """
    session = session_of(context)
    room, found = session.engine.features, session.engine.data.version(version)
    job = room.start_rank(found.id)
    if not wait:
        session.engine.jobs.ensure_supervisor()
        document = {"job": job, "version": found.id}
        print_json(document) if session.json else say(f"Job {job} ranks the columns of {found.title}.")
        return
    follow(session, job)
    scores, ranking = room.scores(found.id), room.ranking(found.id)
    if session.json:
        print_json({"job": job, "version": found.id, "ranking": ranking, "features": scores})
        return
    scores.sort(key=lambda score: (not score.leakage, -(score.mean("permutation") or 0.0), -(score.single or 0.0)))
    headers = ["feature", "shuffled ±", "SHAP ±", "gain %", "split %", "alone", "assoc.", "missing", "same", "verdict"]
    print_table(headers, [line(score) for score in scores], right=set(headers[1:8]))
    for score in scores:
        for reason in filter(None, (score.leakage, score.doubt, score.unstable)):
            say(f"{score.name}: {reason}")
    if ranking is not None:
        say(f"{found.title}: {rows.ranking_words(ranking, now_ms())}")


def line(score: FeatureScore) -> tuple[str, ...]:
    """Return one column's worth as a line of a table."""
    return (
        score.name,
        rows.loss_words(score.importance.get("permutation")),
        rows.spread_words(score.importance.get("shap"), 3),
        rows.percent(score.mean("gain")),
        rows.percent(score.mean("split")),
        rows.fixed(score.single),
        rows.fixed(score.association),
        shown.share(score.missing),
        (rows.letter(score.group) + ("*" if score.representative else "")) if score.group else "",
        shown.verdict(rows.word_of(score)).text,
    )


@app.command()
def associate(
    context: typer.Context,
    feature: Annotated[str, typer.Argument(help="Only pairs with this column; all if none.")] = "",
    version: Version = None,
    measure: Annotated[
        Measure, typer.Option(help="By the pair's kinds, or one measure for all pairs that it suits.")
    ] = Measure.kind,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many pairs at most.")] = 30,
) -> None:
    """Which columns go together, strongest first; measured first if it was not yet.

    By kinds: Spearman for two numbers, Cramér's V for two categories, the correlation ratio for one of each.

    With --json: {"version", "rows" (sampled), "total", "pairs": [{"first", "second", "association" (-1..1),
    "measure"}]}.
    """
    session = session_of(context)
    room, found = session.engine.features, session.engine.data.version(version)
    if feature:
        found.column(feature)
    if room.matrix(found.id) is None:
        follow(session, room.start_associate(found.id))
    matrix, pairs = room.matrix(found.id), room.pairs(found.id, feature, limit, measure.value)
    if matrix is None:
        return
    if session.json:
        print_json({"version": found.id, "rows": matrix.rows, "total": matrix.total, "pairs": pairs})
        return
    lines = [(pair.first, pair.second, rows.fixed(pair.association), MEASURES[pair.measure]) for pair in pairs]
    print_table(["column", "goes with", "association", "measure"], lines, right={"association"})
    say(f"{found.title}: on {matrix.rows:,} of {matrix.total:,} rows")


@app.command()
def select(
    context: typer.Context,
    features: Annotated[list[str], typer.Argument(help="The columns; +NAME and ^NAME change the set there is.")],
    name: Annotated[str, typer.Option(help="The set's name; the declared one if none.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the ones who read it later.")] = "",
    version: Version = None,
) -> None:
    """Choose a feature set; earlier choices of the same name stay in its history.

    `lemnis features select a b c` sets it; `select +a ^b` adds a and takes b out of the set there is.

    With --json: {"name", "features", "why", "who", "at", "revision"}.
    """
    session = session_of(context)
    room = session.engine.features
    name = name or room.declared().set
    if all(feature[:1] in "+^" for feature in features):
        chosen = room.feature_set(name, version).features
        for change in features:
            chosen = [feature for feature in chosen if feature != change[1:]]
            chosen += [change[1:]] if change[0] == "+" else []
    else:
        chosen = features
    kept = room.choose(name, chosen, user_name(), why, version)
    print_json(kept) if session.json else say(f"Set {kept.name}: {len(kept.features)} columns.")


@app.command()
def sets(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Every choice ever made, newest first.")] = False,
) -> None:
    """The feature sets, the declared one among them.

    With --json: {"sets": [{"name", "features", "why", "who", "at" (null if only declared), "revision"}]}.
    """
    session = session_of(context)
    room = session.engine.features
    found = room.sets(history=history)
    if room.declared().set not in {one.name for one in found} and session.engine.data.versions():
        found.append(room.feature_set())
    if session.json:
        print_json({"sets": found})
    else:
        print_table(
            ["set", "columns", "who", "when", "why", "features"], [set_line(one) for one in found], right={"columns"}
        )


def set_line(one: FeatureSet) -> tuple[str, ...]:
    """Return a set as a line of a table."""
    return (one.name, str(len(one.features)), one.who, shown.when(one.at), one.why, " ".join(one.features))
