"""`lemnis evaluate`: measure a run on later rows, time it, and judge the problem's criteria."""

from typing import Annotated

import typer

from lemnis.engine.evaluate import Baseline, Evaluation, Folds, Gate, Perturbations, Slices
from lemnis.tui import format as shown
from lemnis.tui.commands import completing
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import fell_short, print_json, print_table, say, session_of, single

app = single()
MOST_SLICES = 5  # that are printed


@app.command()
def evaluate(
    context: typer.Context,
    run: Annotated[int, typer.Argument(help="The run's number.", autocompletion=completing.runs)],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")] = True,
    again: Annotated[
        bool, typer.Option("--again/--kept", help="Measure again, or print what was measured before.")
    ] = True,
    folds: Annotated[
        str, typer.Option("--folds", help="Train its conditions on folds: time, k-fold, group, group:COLUMN[,COLUMN].")
    ] = "",
    k: Annotated[int, typer.Option("-k", help="How many folds.")] = 5,
) -> None:
    """Measure a finished run on its training, validation and test rows and judge its gates.

    Exit code 1 if a gate fails or has not enough data.

    With --json: {"job", "run", "gates": [{"metric", "part", "rule", "observed", "low", "high", "verdict" (pass, fail,
    not enough data), "why", "rows_needed"}], "evaluations": [{"part", "rows", "metrics", "intervals" ({metric: [low,
    high]}, 95 %), "blocks" (days or rows), "confusion", "threshold", "best_threshold", "roc", "pr", "calibration",
    "sweep" ([threshold, TP, FP, FN, TN, money per 1,000]), "months": [{"name", "rows", "part", "positive_share",
    "metrics"}], "worst_month", "days", "baselines": [{"name" (constant, last value, champion), "words", "why" (there is
    none), "warning", "rows", "tests": [{"metric", "base", "value", "delta", "low", "high", "p", "adjusted"}]}],
    "calibrated": {"reliability": {"bins": [{"said", "was", "rows", "low", "high"}], "ece", "brier", "off", "apart",
    "spread"} (of several classes of the one answered), "classes" ({class: as reliability}, each against all others),
    "maps": [{"method" (isotonic, platt, temperature), "wins", "points", "classes" (points of each), "tests"}], "why"},
    "speed": {"latency_p50_ms", "latency_p99_ms", "rows_per_s", "model_bytes", "load_ms"}}],
    "importances": [{"feature", "gain", "splits", "contribution"}], "slices": {"tested", "slices": [{"words", "where",
    "rows", "share", "loss", "rest", "low", "high", "q", "value"}]}, "perturbations": {"allowed", "tried": [{"kind",
    "feature", "refused", "value", "loss", "changed", "passed"}]}, "folds": as below}.
    Without waiting, only job and run.

    With --folds nothing else is measured; with --json: {"job", "run", "folds": [{"scheme", "column", "metric", "mean",
    "spread", "worst", "rounds", "seconds", "folds": [{"name", "learned", "judged", "metrics", "seconds"}]}]}.
    """
    session = session_of(context)
    room, job = session.engine.evaluate, None
    if folds:
        scheme, _, columns = folds.partition(":")
        job = room.start_folds(run, scheme, k, [name.strip() for name in columns.split(",") if name.strip()])
    elif again or not room.evaluations(run):
        job = room.start(run)
    if job is not None:
        if not wait:
            session.engine.jobs.ensure_supervisor()
            print_json({"job": job, "run": run}) if session.json else say(f"Job {job} evaluates run {run}.")
            return
        follow(session, job)
    if folds:
        print_json({"job": job, "run": run, "folds": room.folds(run)}) if session.json else print_folds(
            room.folds(run)[:1]
        )
        return
    evaluations, gates = room.evaluations(run), room.gates(run)
    if session.json:
        importances = room.importances(run)
        document = {"job": job, "run": run, "gates": gates, "evaluations": evaluations, "importances": importances}
        more = {"slices": room.slices(run), "perturbations": room.perturbations(run), "folds": room.folds(run)}
        print_json(document | more)
    else:
        print_evaluation(evaluations, gates)
        print_verification(room.slices(run), room.perturbations(run))
        print_folds(room.folds(run))
    if any(gate.verdict != "pass" for gate in gates):
        fell_short()


def print_evaluation(evaluations: list[Evaluation], gates: list[Gate]) -> None:
    """Print gates first, then the measures of every part side by side, months and speed."""
    for gate in gates:
        say(f"{shown.verdict(gate.verdict).text:<17} {gate.metric} on {gate.part} {gate.rule}: {gate.why}")
    parts = [one.part for one in evaluations]
    last = evaluations[-1]
    rows = [
        (name, *(shown.number(one.metrics.get(name), 4) for one in evaluations), interval(last, name))
        for name in last.metrics
    ]
    print_table(["measure", *parts, f"95 % of {last.part}"], rows, right={*parts, f"95 % of {last.part}"})
    for month in last.months:
        score = month.metrics.get("roc_auc", month.metrics.get("rmse"))
        worst = "  worst" if month.name == last.worst_month else ""
        say(f"{month.name}  {month.part or 'later':<10}  {shown.number(score, 4)}  {month.rows:>9,} rows{worst}")
    for one in last.baselines:
        say(baseline_words(one))
    for one in last.calibrated.maps if last.calibrated else []:
        said = "wins on rows it has not seen; register the run with --calibrate" if one.wins else "no sure gain"
        changes = ", ".join(f"{test.metric} {shown.delta(test.delta)}" for test in one.tests)
        say(f"{one.method} map: {said} ({changes})")
    if last.speed is not None:
        speed = last.speed
        say(
            f"one row p50 {speed.latency_p50_ms:.2f} ms, p99 {speed.latency_p99_ms:.2f} ms; "
            f"{speed.rows_per_s:,.0f} rows/s; {shown.bytes_(speed.model_bytes)}"
        )


def print_verification(slices: Slices | None, faults: Perturbations | None) -> None:
    """Print the worst slices and the faults that fail."""
    if slices is not None:
        say(f"{len(slices.slices)} of {slices.tested:,} slices are worse than the other {slices.part} rows")
        for one in slices.slices[:MOST_SLICES]:
            worse = f"{slices.loss_name} {shown.number(one.loss)}, {shown.number(one.rest)} elsewhere, q {one.q:.2g}"
            say(f"  {one.words}: {worse}, {one.rows:,} rows")
    if faults is not None:
        failed = [one for one in faults.tried if not one.passed]
        say(f"{len(failed)} of {len(faults.tried)} faults in requests are taken and answered wrongly")
        for one in failed:
            where = f" in {one.feature}" if one.feature else ""
            say(f"  {one.kind}{where}: {faults.metric} {shown.number(faults.value)} → {shown.number(one.value)}")


def print_folds(found: list[Folds]) -> None:
    """Print every scheme's folds with mean and spread, the worst one named."""
    for one in found:
        spread = f" ± {shown.number(one.spread, 4)}" if one.spread is not None else ""
        say(f"{one.scheme}: {one.metric} {shown.number(one.mean, 4)}{spread}, worst {one.worst}")
        for fold in one.folds:
            judged = f"{fold.learned:,} rows learned, {fold.judged:,} judged"
            say(f"  {fold.name}  {shown.number(fold.metrics.get(one.metric), 4)}  {judged}")


def baseline_words(baseline: Baseline) -> str:
    """Return how the model does against a baseline by the first measure, or why there is no such baseline."""
    if not baseline.tests:
        return f"against {baseline.name}: {baseline.why}"
    first = baseline.tests[0]
    ends = f", 95 % {shown.delta(first.low)} to {shown.delta(first.high)}" if first.low is not None else ""
    words = f"against {baseline.name} ({baseline.words})"
    return f"{words}: {first.metric} {shown.delta(first.delta)}{ends} {first.verdict}".rstrip()


def interval(evaluation: Evaluation, name: str) -> str:
    """Return a measure's interval as text."""
    low, high = evaluation.intervals.get(name, (None, None))
    return shown.MISSING if low is None else f"{shown.number(low, 4)} to {shown.number(high, 4)}"
