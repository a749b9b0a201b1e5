"""`lemnis features`: what columns are worth, what goes with what, and the sets that models are trained with."""

from typing import Annotated

import typer

from lemnis.engine.features import FeatureScore, FeatureSet
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of

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
    """Measure what each column is worth to a quick model, and which ones know the answer.

    With --json: {"job", "version", "ranking": {"skill", "score", "train_rows", "judged_rows", "rounds", "repeats",
    "seed", "elapsed_ms", "computed_at"}, "features": [{"name", "kind", "missing" (0..1), "gain", "gain_share",
    "splits", "permutation", "permutation_deviation", "association" (0..1), "method", "single", "leakage" (empty or
    why), "leakage_score" (0..1)}]}; without waiting, only job and version.
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
    scores.sort(key=lambda score: (not score.leakage, -(score.permutation or 0.0), -(score.single or 0.0)))
    headers = ["feature", "gain %", "shuffled", "assoc.", "alone", "missing", "leakage"]
    print_table(headers, [line(score) for score in scores], right=set(headers[1:6]))
    for score in scores:
        if score.leakage:
            say(f"{score.name}: {score.leakage}")
    if ranking is not None:
        say(f"{found.title}: {ranking.skill} {shown.number(ranking.score)} on later rows without the leaks")


def line(score: FeatureScore) -> tuple[str, ...]:
    """Return one column's worth as a line of a table."""
    return (
        score.name,
        shown.MISSING if score.gain_share is None else f"{score.gain_share * 100:.1f}",
        shown.delta(None if score.permutation is None else -score.permutation, 4),
        shown.number(score.association),
        shown.number(score.single),
        shown.share(score.missing),
        shown.verdict("leak" if score.leakage else "ok").text,
    )


@app.command()
def associate(
    context: typer.Context,
    feature: Annotated[str, typer.Argument(help="Only pairs with this column; all if none.")] = "",
    version: Version = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many pairs at most.")] = 30,
) -> None:
    """Which columns go together: Cramér's V over quantile bins and categories; the version must be ranked.

    With --json: {"version", "pairs": [{"first", "second", "association" (0..1)}]}, strongest first.
    """
    session = session_of(context)
    found = session.engine.data.version(version)
    if feature:
        found.column(feature)
    pairs = session.engine.features.pairs(found.id, feature, limit)
    if session.json:
        print_json({"version": found.id, "pairs": pairs})
    elif pairs:
        rows = [(pair.first, pair.second, shown.number(pair.association)) for pair in pairs]
        print_table(["column", "goes with", "Cramér's V"], rows, right={"Cramér's V"})
    else:
        say(f"{found.title} is not ranked yet. Do it with `lemnis features rank`.")


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
