"""`lemnis monitor`: served rows against training, the model against its labels, and replays."""

import csv
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import iso_utc
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor import File, MonitorRoom, Window
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.commands.monitor_performance import Wide, named, say_stale, stale_document
from lemnis.tui.commands.monitor_performance import app as performing
from lemnis.tui.commands.monitor_schema import app as shaping
from lemnis.tui.commands.monitor_skew import app as balancing
from lemnis.tui.commands.monitor_why import app as asking
from lemnis.tui.format import age, number, share, verdict

app = group("Drift, performance, feedback, replay.")
app.add_typer(performing)
app.add_typer(asking)
app.add_typer(shaping)
app.add_typer(balancing)

Endpoint = Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")]
FIGURES = ("roc_auc", "log_loss", "brier", "value_per_1000", "mean_absolute_error", "label_share")
UNTOLD = ("insufficient", "no data")
SCORES = ("psi", "jensen_shannon", "kolmogorov_smirnov", "chi_square", "wasserstein", "p", "p_adjusted")


@app.command()
def status(context: typer.Context) -> None:
    """Say whether the watch is at work, how far it has read, and what is being replayed.

    With --json: {"watching", "why", "at" (ms), "watched": [{"endpoint", "model", "version", "rows", "labelled",
    "newest_event" (ms), "newest_label_event" (ms), "arrived_at" (ms), "problem", "misdated"}], "replays": [{"job_id",
    "endpoint", "state", "progress", "text"}], "paused": [as replays], "firing", "pending", "stale": [{"model",
    "version", "run_id", "differences": [{"key", "was", "is"}], "found_by_time", "changed_at" (ms), "changed_by",
    "reason", "waived": {"who", "why", "at"} or null}]}, stale being champions and served versions whose problem changed
    after they were trained.
    """
    session = session_of(context)
    found = session.engine.monitor.status()
    stale = session.engine.monitor.stale()
    if session.json:
        print_json(msgspec.to_builtins(found) | {"stale": [stale_document(one) for one in stale]})
        return
    now = session.engine.now_ms()
    state = "up" if found.watching else "down"
    say(f"watch  {verdict(state).text}  {found.why or f'last look: {age(found.at, now)}'}")
    for one in found.watched:
        labelled = share(one.labelled / one.rows if one.rows else None)
        newest = iso_utc(one.newest_event)[:10] if one.newest_event else "no rows yet"
        line = f"{one.endpoint}  {one.model} v{one.version}  {one.rows:,} rows up to {newest}, {labelled} labelled"
        misdated = f"{one.misdated:,} rows of no believable time left out" if one.misdated else ""
        say("  ".join(part for part in (line, misdated, one.problem) if part))
    for replay in found.replays:
        say(f"replay to {replay.endpoint}, job {replay.job_id}: {replay.state}, {replay.text}")
    for replay in found.paused:
        say(f"replay to {replay.endpoint} stopped at {share(replay.progress, 0)}: `lemnis jobs retry {replay.job_id}`")
    say(f"alerts  {found.firing} firing, {found.pending} pending")
    say_stale(stale)


@app.command()
def drift(
    context: typer.Context,
    endpoint: Endpoint = "",
    last: Annotated[int, typer.Option(help="How many windows.", min=1)] = 24,
    window: Wide = None,
    features: Annotated[int, typer.Option(help="Features listed a window; the document has all.", min=0)] = 3,
) -> None:
    """List the windows with their features, what moved most first.

    That is what makes the window's verdict before the rest, then the score in bounds: the same order as on tab 9.

    Verdicts and alerts are of the declared width; windows of another one are summed up and judged for the question.
    Minutes are kept for two days, hours for 90.

    A feature is suspected when its score is at least `threshold` (the declared effect, or what past windows of its size
    reach by chance where that is larger) and its adjusted p at most 0.01; it drifts when two of three windows say so.
    With --json: {"windows": [{"start", "end" (ISO 8601, UTC), "rows", "features": [{"name", "kind" (numeric,
    categorical, prediction), "method" (kolmogorov_smirnov, jensen_shannon), "score", "threshold", "verdict",
    "importance", "suspected", "rule", "psi", "jensen_shannon", "kolmogorov_smirnov", "chi_square", "wasserstein" (in
    sd), "p", "p_adjusted"}], "verdict" (ok, watch, drift, insufficient, no data), "why", "false_alarms": {"alarmed",
    "runs", "rows"} (of past windows), "endpoint", "model", "version", "late" (rows that came after it had
    closed), "schema_changes", "performance": {"labelled", "roc_auc", "log_loss", "brier", "value_per_1000",
    "mean_absolute_error", "label_share"}, "skew" (largest move of a share that is no chance), "skewed" (which one),
    "before": [{"verdict", "why", "rows", "from", "until"}] (what was said of it until then, the latest first)}]}, in
    order of time.
    """
    session = session_of(context)
    room = session.engine.monitor
    windows = room.windows(endpoint or None, limit=last, width=window)
    if session.json:
        print_json({"windows": [drift_document(room, window) for window in windows]})
    elif not windows:
        say("No windows yet: nothing was served, or the watch is down. See `lemnis monitor status`.")
    else:
        rows = [line for window in windows for line in drift_lines(room, window, features)]
        headers = ["window", "model", "rows", "verdict", "max PSI", "moved most (score of bound, share of gain)"]
        print_table(headers, rows, right={"rows", "max PSI"})


@app.command()
def feedback(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(help="Which endpoint answered.", metavar="ENDPOINT")],
    file: Annotated[Path, typer.Argument(help="CSV with the columns key and actual.", metavar="FILE")],
) -> None:
    """Record what turned out to be true, from a file. A later answer for a key replaces the earlier one.

    With --json: {"endpoint", "recorded"}.
    """
    session = session_of(context)
    recorded = session.engine.monitor.feedback(endpoint, read_actuals(file))
    if session.json:
        print_json({"endpoint": endpoint, "recorded": recorded})
    else:
        say(f"{recorded:,} true answers recorded for {endpoint}.")


@app.command()
def replay(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(help="Where to send them.", metavar="ENDPOINT")],
    start: Annotated[str, typer.Option("--from", help="First day (ISO 8601, UTC).", metavar="DATE")] = "",
    end: Annotated[str, typer.Option("--until", help="The day after the last.", metavar="DATE")] = "",
    version: Annotated[str, typer.Option(help="The dataset version; the model's own if not given.")] = "",
    file: Annotated[Path | None, typer.Option(help="A Parquet or CSV file instead of a dataset version.")] = None,
    time: Annotated[
        str, typer.Option(help="The file's column that says when a row happened; if not given, its only one of times.")
    ] = "",
    key: Annotated[str, typer.Option(help="Its column that names a row; by the row's content if not given.")] = "",
    label: Annotated[str, typer.Option(help="Its column of true answers; the model's target if not given.")] = "",
    batch: Annotated[int, typer.Option(help="Rows a request.", min=1, max=20_000)] = 250,
    sample: Annotated[float, typer.Option(help="Share of the rows, chosen by their keys.", min=0.0, max=1.0)] = 1.0,
    delay: Annotated[float, typer.Option(help="Days until a row's true answer is known.", min=0.0)] = 30.0,
    speed: Annotated[float, typer.Option(help="Seconds of event time a second; 0 for no waiting.", min=0.0)] = 0.0,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is done.")] = False,
) -> None:
    """Send the rows of a dataset version or a file to an endpoint as live traffic, in order of time, labels later.

    Rows the endpoint has answered before are not sent again, so a stopped replay goes on where it was: stop it with
    `lemnis jobs cancel`, or with t on tab 9 of the console. Without --from and --until all rows are sent.
    With --json: {"job"}; with --wait also {"rows", "labels", "requests", "errors", "already_sent"}.
    """
    session = session_of(context)
    job_id = session.engine.monitor.start_replay(
        endpoint,
        start=start,
        end=end,
        source=file_of(file, version, time, key, label),
        batch=batch,
        sample=sample,
        delay_days=delay,
        speed=speed,
    )
    if wait:
        done = follow(session, job_id)
        counts: dict[str, Any] = done.result or {}  # Any: the job's own JSON
        if session.json:
            print_json({"job": job_id, **counts})
        else:
            say(", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items()))
    elif session.json:
        print_json({"job": job_id})
    else:
        say(f"Job {job_id} is queued. Watch it with `lemnis jobs show {job_id}`, or on tab 9 of the console.")


def file_of(file: Path | None, version: str, time: str, key: str, label: str) -> File | str | None:
    """Return what is to be replayed; raises BadInput when both a file and a version are named, or not all of it."""
    if file is None:
        if time or key or label:
            raise BadInput("--time, --key and --label are of a file.", "Name it with --file.")
        return version or None
    if version:
        raise BadInput("A replay is of a file or of a version.", "Leave out --file or --version.")
    return File(path=file, time=time, key=key, label=label)


def read_actuals(file: Path) -> list[tuple[str, Any]]:
    """Return the pairs of a CSV file. Any: text that the target judges.

    Raises:
        BadInput: The file can't be read or lacks a column.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            missing = {"key", "actual"} - set(reader.fieldnames or ())
            if missing:
                raise BadInput(f"{file} has no column {' or '.join(sorted(missing))}.", "Give a header: key,actual.")
            return [(row["key"], number_in(row["actual"])) for row in reader]
    except OSError as error:
        raise BadInput(f"{file} can't be read: {error.strerror}.", "Check the path.", str(file)) from None
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8 text.", "Save it as UTF-8.", str(file)) from None


def number_in(text: str) -> str | float:
    """Return a number where the text is one: a regression target needs it, a class is found by either."""
    try:
        return float(text)
    except ValueError:
        return text


def drift_document(room: MonitorRoom, window: Window) -> dict[str, Any]:
    """Return one window of `monitor drift --json`. Any: JSON values."""
    return {
        "start": iso_utc(window.starts),
        "end": iso_utc(window.ends),
        "rows": window.rows,
        "features": [
            {
                "name": feature.feature,
                "kind": feature.kind,
                "method": feature.method,
                "score": feature.score,
                "threshold": feature.threshold,
                "verdict": feature.verdict,
                "importance": feature.importance,
                "suspected": feature.suspected,
                "rule": feature.rule,
                **{name: getattr(feature, name) for name in SCORES},
            }
            for feature in room.features(window.id)
        ],
        "verdict": window.verdict,
        "why": window.why,
        "false_alarms": {"alarmed": window.false_alarms, "runs": window.null_runs, "rows": window.null_rows},
        "endpoint": window.endpoint,
        "model": window.model,
        "version": window.version,
        "late": window.late,
        "schema_changes": window.schema_changes,
        "performance": {"labelled": window.labelled, **{name: getattr(window, name) for name in FIGURES}},
        "skew": window.skew,
        "skewed": window.skewed,
        "before": [
            {
                "verdict": one.verdict,
                "why": one.why,
                "rows": one.rows,
                "from": iso_utc(one.judged_at),
                "until": iso_utc(one.replaced_at),
            }
            for one in room.judgements(window.id)
        ],
    }


def drift_lines(room: MonitorRoom, window: Window, most: int) -> list[list[str]]:
    """Return one row of `monitor drift`."""
    moved = [one for one in room.features(window.id) if one.kind != "prediction"][:most]
    told = ", ".join(
        f"{one.feature} {one.score:.2f} of {one.threshold:.2f} ({share(one.importance, 0)})" for one in moved
    )
    late = f"; {window.late:,} rows came late" if window.late else ""
    before = next((one for one in room.judgements(window.id) if one.verdict not in UNTOLD), None)
    if before is not None and before.verdict != window.verdict:
        late += f"; {before.verdict} until {iso_utc(before.replaced_at)}"
    return [
        [
            named(window),
            f"{window.model} v{window.version}",
            number(window.rows),
            verdict(window.verdict).text,
            number(window.max_psi),
            f"{told if window.max_psi is not None else window.why}{late}",
        ]
    ]
