"""`lemnis features`: what columns are worth, what goes with what, and the sets that models are trained with."""

from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.evaluate import Ablation
from lemnis.engine.features import FeatureScore
from lemnis.engine.features.records import MEASURES
from lemnis.tui import format as shown
from lemnis.tui.commands import featuresets
from lemnis.tui.commands.featuresets import Version
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.commands.session import Session
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
def ablate(
    context: typer.Context,
    features: Annotated[list[str], typer.Argument(help="Features to leave out, one run each.")],
    together: Annotated[bool, typer.Option("--together", help="All of them in one run.")] = False,
    run: Annotated[int | None, typer.Option(help="The run to leave them out of.", metavar="RUN")] = None,
    version: Version = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the difference, or only queue it.")] = True,
) -> None:
    """Train the same model without a feature and measure what that costs, with a paired interval.

    Made of the baseline run, else the latest run of the version that has the feature, else of a new one of the default
    preset. Exit code 1 if a run fails.

    With --json: {"ablations": as in `ablations`}.
    """
    session = session_of(context)
    engine = session.engine
    groups = [features] if together else [[name] for name in features]
    runs = [engine.experiments.start_ablation(group, parent=run, version=version) for group in groups]
    engine.jobs.ensure_supervisor()
    if wait:
        for run_id in runs:
            for one in (int(engine.experiments.run(run_id).tags["parent"]), run_id):
                job = engine.experiments.run(one).job_id
                if job is not None:
                    follow(session, job)
        for job in engine.jobs.jobs(limit=1000):
            if job.kind == "evaluate.ablation" and job.arguments.get("run") in runs:
                follow(session, job.id)
    found = [one for one in engine.evaluate.ablations() if one.run_id in runs]
    show_ablations(session, found)


@app.command()
def ablations(context: typer.Context, version: Version = None) -> None:
    """What leaving features out has cost so far, newest first.

    With --json: {"ablations": [{"run_id", "parent_id", "features", "state", "why", "progress_text", "created_at",
    "verdict" (needed, not needed, better without or empty), "found" (null before it is measured): {"metric", "part",
    "rows", "before": {}, "after": {}, "deltas": {}, "intervals": {metric: [low, high]}, "blocks", "at" …}}]}.
    """
    session = session_of(context)
    found = session.engine.data.version(version)
    show_ablations(session, session.engine.evaluate.ablations(found.id))


def show_ablations(session: Session, found: list[Ablation]) -> None:
    """Print ablations as a table or as JSON."""
    if session.json:
        documents = [msgspec.to_builtins(one) | {"verdict": one.verdict} for one in found]
        print_json({"ablations": documents})
        return
    if not found:
        say("No feature was left out yet. Do it with `lemnis features ablate FEATURE`.")
        return
    headers = ["without", "run", "of", "measure", "change", "95 % interval", "verdict"]
    lines = [(", ".join(one.features), str(one.run_id), str(one.parent_id), *rows.ablation_words(one)) for one in found]
    print_table(headers, lines, right={"run", "of", "change"})


for command in (featuresets.select, featuresets.sets, featuresets.show, featuresets.diff):
    app.command()(command)
for command in (featuresets.rename, featuresets.note):
    app.command()(command)
