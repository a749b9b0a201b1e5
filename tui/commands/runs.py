"""`lemnis runs`: list, show, compare, reproduce and export runs; what marks them is in `runs_marks`."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from lemnis.engine import Engine
from lemnis.engine.config import View
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run, RunPage
from lemnis.engine.files import write_atomic
from lemnis.tui.commands import completing, runs_marks, runs_mlflow
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.commands.runs_marks import RunId, RunIds, run_document
from lemnis.tui.commands.session import Session
from lemnis.tui.format import MISSING, age, duration, number, spark, verdict
from lemnis.tui.screens.compared import exports
from lemnis.tui.screens.compared.words import Compared
from lemnis.tui.stages.experiments import facts
from lemnis.tui.stages.experiments.grouped import grouped_of
from lemnis.tui.stages.experiments.listing import Asked
from lemnis.tui.stages.experiments.rows import chosen_columns, main_metrics, run_row
from lemnis.tui.widgets.cells import plain

app = group("List, show, compare, mark, reproduce, delete and export runs.")
app.add_typer(runs_marks.app)
app.add_typer(runs_mlflow.app)
DIGITS, SPARK = 4, 60
EVERY_POINT = 1_000_000


@app.command("list")
def list_runs(
    context: typer.Context,
    query: Annotated[str, typer.Option("-q", "--query", help="e.g. 'metrics.auc > 0.8 and not state = failed'")] = "",
    sort: Annotated[str, typer.Option(help="A field such as metrics.auc; runs without it come last.")] = "",
    ascending: Annotated[bool, typer.Option("--ascending", help="Smallest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most this many.")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out this many at the front.")] = 0,
    archived: Annotated[bool, typer.Option("--archived", help="The archived runs instead.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="The deleted runs instead.")] = False,
    group_by: Annotated[str, typer.Option(help="Groups instead: by group, preset, algorithm, data or state.")] = "",
    view: Annotated[str, typer.Option(help="A saved view; the other options go before what it says.")] = "",
    column: Annotated[list[str], typer.Option(help="Show this column, e.g. metrics.auc; may be repeated.")] = [],  # noqa: B006
) -> None:
    """List runs, newest first unless sorted.

    A query has comparisons (= != < <= > >= ~ in between like), `and`, `or`, `not`, brackets, has:FIELD, tag:TAG and
    words that are looked for in the name; a value may be another run's, such as `champion.auc + 0.002` or
    `baseline.auc`. Fields: metrics.NAME, params.NAME, tags.NAME, name, id, state, age,
    duration, preset, data, device, seed, user, note and more. MLflow's search strings work as they are.

    With --json: {"total", "runs": [{"id", "name", "state", "params": {}, "metrics": {}, "tags": {}, "started_at",
    "duration_s", "data_version"}]}; total counts all that fit; times in ms, NaN is null. With --group-by:
    {"group_by", "metric", "groups": [{"value", "label", "runs", "states": {}, "best", "best_run", "newest"}]}.
    """
    session = session_of(context)
    room = session.engine.experiments
    saved = room.view(view) if view else View()
    shelf = "deleted" if deleted else "archived" if archived else saved.shelf
    query, descending = query or saved.query, not ascending and (saved.descending or bool(sort))
    if group_by or saved.group:
        list_groups(session, group_by or saved.group, Asked(query, sort or saved.sort, descending, shelf))
        return
    page = room.search(query, sort or saved.sort, descending, limit, offset, shelf=shelf)
    now = session.engine.now_ms()
    if session.json:
        print_json({"total": page.total, "runs": [listed_document(run, now) for run in page.runs]})
        return
    if not page.runs:
        say("No run fits." if query or shelf != "active" or offset else "No runs yet. Train one with `lemnis train`.")
        return
    shown = column or saved.columns
    if shown:
        columns = chosen_columns(shown, narrow=False)
        cells = [run_row(run, columns, baseline=None, now_ms=now).cells for run in page.runs]
        right = {column.label for column in columns if column.right}
        print_table([column.label for column in columns], [[*map(plain, row)] for row in cells], right=right)
        say_more(page)
        return
    names = main_metrics(page.runs)
    rows = [
        [
            *(str(run.id), ("★ " if run.pinned else "") + run.name, verdict(run.state).text),
            *(number(run.metrics.get(name), DIGITS) for name in names),
            *(duration(run.duration_s(now)), age(run.created_at, now), run.data_version, run.why),
        ]
        for run in page.runs
    ]
    headers = ["id", "name", "state", *names, "took", "age", "data", "why"]
    print_table(headers, rows, right={"id", *names, "took", "age"})
    say_more(page)


def list_groups(session: Session, by: str, asked: Asked) -> None:
    """Print the groups of runs: how many there are, how they stand, and the best by the metric that judges them."""
    room = session.engine.experiments
    lines = grouped_of(room, replace(asked, group=by), "").lines
    assert lines is not None
    if session.json:
        print_json({"group_by": by, "metric": lines.metric or None, "groups": lines.groups})
        return
    if not lines.groups:
        say("No run fits.")
        return
    best = f"best {lines.metric}".strip()
    rows = [
        (
            *(group.label, number(group.runs), number(group.best, DIGITS), str(group.best_run or MISSING)),
            ", ".join(f"{count:,} {state}" for state, count in sorted(group.states.items())),
        )
        for group in lines.groups
    ]
    print_table([by, "runs", best, "run", "states"], rows, right={"runs", best, "run"})


def say_more(page: RunPage) -> None:
    """Say how many runs are not shown."""
    if page.total > len(page.runs):
        say(f"{len(page.runs)} of {page.total} runs; --limit shows more.")


@app.command()
def show(context: typer.Context, run_id: RunId) -> None:
    """Show one run: state and reason, metrics, parameters, and every condition it was trained under.

    With --json: all fields of the run: those of `list`, and "why", "preset", "algorithm", "group_name",
    "task", "target", "version_id", "features", "feature_set", "feature_set_revision" (null: a list by hand),
    "problem_sha256", "seed", "device_asked", "device", "executor", "spread", "cluster", "cores", "gpu",
    "machine", "code_version", "libraries",
    "rounds", "rounds_done", "best_round", "model_sha256", "reproduces", "note", "pinned", "created_at" …
    """
    session = session_of(context)
    run = session.engine.experiments.run(run_id)
    if session.json:
        print_json(run_document(run))
        return
    plain = {key: number(value, DIGITS) for key, value in run.metrics.items()}
    if run.uid is not None:
        print_facts(
            [
                ("run", f"{run.id}  {run.name}"),
                ("state", verdict(run.state).text),
                ("why", run.progress_text if run.state == "running" and run.progress_text else run.why),
                ("took", duration(run.duration_s(session.engine.now_ms()))),
                *plain.items(),
                *((key, str(cell)) for key, cell in facts.logged(run)),
            ]
        )
        return
    origin = session.engine.share.origin("run", str(run_id))
    print_facts(
        [
            ("run", f"{run.id}  {run.name}"),
            ("state", verdict(run.state).text),
            ("why", run.progress_text if run.state == "running" else run.why),
            ("took", duration(run.duration_s(session.engine.now_ms()))),
            ("rounds", f"{run.rounds_done} of {run.rounds}, best {run.best_round or MISSING}"),
            *((key, value) for key, value in plain.items()),
            ("preset", run.preset),
            ("algorithm", run.algorithm),
            *sorted(run.params.items()),
            ("data", f"{run.data_version}  {run.version_id}"),
            ("features", f"{run.set_reference or 'by hand'}: {', '.join(run.features)}"),
            ("seed", str(run.seed)),
            ("device", run.device or f"{run.device_asked} asked"),
            ("executor", facts.executor_words(run)),
            *((key, str(cell)) for key, cell in facts.cluster_facts(run)),
            ("code", run.code_version or "not in a git repository"),
            ("libraries", ", ".join(f"{name} {version}" for name, version in run.libraries.items())),
            ("tags", ", ".join(f"{key}={value}" if value else key for key, value in run.tags.items())),
            ("note", run.note),
            *([("from", origin.text)] if origin is not None else []),
        ]
    )


@app.command()
def compare(
    context: typer.Context,
    run_ids: RunIds,
    baseline: Annotated[
        int | None, typer.Option(help="The run deltas refer to; else the pinned one, else the first.", metavar="RUN")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What is equal too.")] = False,
    part: Annotated[
        str, typer.Option(help="Test on these held-out rows: validation (default) or test.", metavar="PART")
    ] = "",
    tests: Annotated[bool, typer.Option("--test/--no-test", help="Test the differences; waits for the job.")] = True,
    kind: Annotated[str, typer.Option("--format", help="table, md, csv, json or latex.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file: .md, .csv, .json or .tex; stdout if none.")
    ] = None,
) -> None:
    """Compare 2 to 20 runs side by side: tested metrics, parameters and conditions that differ, importance.

    Differences are tested on the same held-out rows: ROC AUC by DeLong, other measures by a paired bootstrap over days,
    with Holm's correction when several runs are compared. Runs that were measured on other rows are not tested.

    With --json: {"runs": [as in `show`, baseline first], "metrics": [{"name", "values", "deltas", "better",
    "differs"}], "parameters": [{"name", "values", "differs"}], "conditions": […], "significance": null or {"part",
    "parts", "baseline_id", "pairs": [{"run_id", "part", "rows", "of", "blocks", "block_count", "tests": [{"metric",
    "base", "value", "delta", "better", "low", "high", "p", "adjusted", "method", "verdict"}]}], "refused": [{"run_id",
    "why"}], "missing", "warning"}, "importance": [{"feature", "gain_share"}]}; lists are in the order of "runs".
    """
    session = session_of(context)
    kind = kind or (exports.format_of(output) if output is not None else "table")
    if session.json and output is None:
        kind = "json"
    if kind not in ("table", *exports.FORMATS):
        raise BadInput(f"There is no format {kind!r}.", f"Choose one of table, {', '.join(exports.FORMATS)}.")
    found = compared(session, run_ids, baseline, part, tests=tests)
    if kind == "table":
        for section in exports.sections(found, everything=everything):
            say(f"{section.title}{f': {section.note}' if section.note else ''}")
            print_table(section.headers, [[cell[:60] for cell in row] for row in section.rows])
            say()
        return
    text = exports.exported(found, kind, everything=everything)
    if output is None:
        print(text, end="")
        return
    write_output(output, text)
    print_json({"written": str(output), "format": kind}) if session.json else say(f"Wrote {output}.")


def compared(session: Session, run_ids: list[int], baseline: int | None, part: str, *, tests: bool) -> Compared:
    """Return runs side by side; what is not tested yet is tested by a job, which is waited for."""
    engine = session.engine
    found = engine.experiments.compare(run_ids, baseline)
    ids = [run.id for run in found.runs]
    known = engine.evaluate.significance(ids, part)
    if tests and known.missing and not engine.store.read_only:
        job_id = engine.evaluate.start_pairs(ids, part)
        if job_id is not None:
            follow(session, job_id)
        known = engine.evaluate.significance(ids, part)
    return Compared(found, known if tests else None, engine.experiments.gains(ids))


def write_output(path: Path, text: bytes | str) -> None:
    """Write a file, or say why it can't be written."""
    try:
        write_atomic(path, text)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}.", "Choose another file.", str(path)) from None


@app.command()
def curve(
    context: typer.Context,
    run_id: RunId,
    metric: Annotated[list[str], typer.Option("--metric", help="Only this metric; may be repeated.")] = [],  # noqa: B006
    points: Annotated[int, typer.Option(min=4, help="About this many points; extremes are kept.")] = 400,
) -> None:
    """Show the curves of a run.

    With --json: {"id", "curves": {metric: [[round, value], …]}}.
    """
    session = session_of(context)
    session.engine.experiments.run(run_id)
    curves = session.engine.experiments.curve(run_id, metric or None, points)
    if session.json:
        print_json({"id": run_id, "curves": curves})
        return
    rows = [
        [key, spark([value for _, value in line], SPARK), number(line[-1][1], DIGITS), str(line[-1][0])]
        for key, line in curves.items()
        if line
    ]
    print_table(["metric", "curve", "last", "round"], rows, right={"last", "round"})


@app.command()
def reproduce(
    context: typer.Context,
    run_id: RunId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait, and say how the models compare, and why.")] = False,
) -> None:
    """Train again under the conditions of a run: data, features, parameters, seed, device, threads.

    When the new run has finished, its tag `reproduction` is `identical` (the model files are equal), `within tolerance`
    (validation metrics are within 0.1 %) or `differs`; its tag `reproduction_why` says why.

    With --json: the new run as in `show`.
    """
    session = session_of(context)
    room = session.engine.experiments
    new = room.run(room.reproduce(run_id))
    session.engine.jobs.ensure_supervisor()
    if wait and new.job_id is not None:
        follow(session, new.job_id)
        new = room.run(new.id)
    if session.json:
        print_json(run_document(new))
    else:
        why = new.tags.get("reproduction_why", "")
        say(f"Run {new.id} repeats run {run_id}: {new.tags.get('reproduction') or new.state}{why and f', {why}'}.")


@app.command()
def export(
    context: typer.Context,
    run_ids: Annotated[
        list[int] | None,
        typer.Argument(help="Numbers of runs; all if none.", metavar="RUN...", autocompletion=completing.runs),
    ] = None,
    query: Annotated[str, typer.Option("-q", "--query", help="The runs a query finds instead.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The file; stdout if none.")] = None,
    mlflow: Annotated[
        str,
        typer.Option(help="Write a new mlruns folder instead, or send to a server: artifacts too.", metavar="DIR|URL"),
    ] = "",
) -> None:
    """Write runs with all conditions and every point of their curves as one JSON document, or as a store of MLflow's.

    --mlflow DIR writes an mlruns folder: MLflow's client reads it (with MLFLOW_ALLOW_FILE_STORE=true), `mlflow
    migrate-filestore` brings it into a database, `lemnis runs import` into another workspace. --mlflow http://… sends
    the runs to a server, each once, with the token in MLFLOW_TRACKING_TOKEN. Logged and registered models go along.

    With --mlflow and --json: {"written", "runs", "registered", "points", "files", "known", "missing"}.

    The document, with or without --json: {"runs": [{…as in `show`, "curves": {metric: [[round, value], …]}}]}.
    """
    engine = session_of(context).engine
    if run_ids and query:
        raise BadInput("Runs are named and asked for at once.", "Give numbers or --query.")
    room = engine.experiments
    runs = [room.run(run_id) for run_id in run_ids] if run_ids else room.search(query, limit=EVERY_POINT).runs
    if mlflow:
        runs_mlflow.export_to(session_of(context), mlflow, [run.id for run in runs])
        return
    document = {"runs": [exported(engine, run) for run in runs]}
    if output is None:
        print_json(document)
        return
    write_output(output, msgspec.json.format(msgspec.json.encode(document), indent=2))
    if session_of(context).json:
        print_json({"written": str(output), "runs": len(runs)})
    else:
        say(f"Wrote {len(runs)} runs to {output}.")


def exported(engine: Engine, run: Run) -> dict[str, Any]:
    """Return a run with its curves."""
    return run_document(run) | {"curves": engine.experiments.curve(run.id, points=EVERY_POINT)}


# Any: documents of JSON values.
def listed_document(run: Run, now: int) -> dict[str, Any]:
    """Return a run as `list` gives it."""
    names = ("id", "name", "state", "params", "metrics", "tags", "started_at")
    found = {name: getattr(run, name) for name in names}
    return found | {"duration_s": run.duration_s(now), "data_version": run.data_version}
