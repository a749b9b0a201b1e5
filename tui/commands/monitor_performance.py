"""`lemnis monitor performance` and `waive`: truth beside estimate, money, and problems that changed after training."""

from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import iso_utc
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Entry, Performance, Stale, Width, Window
from lemnis.engine.monitor.concept.report import METRICS
from lemnis.tui.commands import completing
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import money, number, share
from lemnis.tui.stages.monitor.figures import ends, lag_words, main_metric, stale_lines, summary_lines, unit_of

app = typer.Typer(rich_markup_mode=None)
Wide = Annotated[Width | None, typer.Option("--window", help="Width of the windows; the declared one if not given.")]
DAY_MS = 86_400_000


@app.command()
def performance(
    context: typer.Context,
    endpoint: Annotated[str, typer.Option("--endpoint", "-e", help="Only this endpoint.")] = "",
    last: Annotated[int, typer.Option(help="How many windows.", min=1)] = 24,
    metric: Annotated[str, typer.Option(help="Which figure the table shows.")] = "",
    window: Wide = None,
) -> None:
    """List how good the model was in each window, as far as true answers have arrived, and what is expected before.

    Intervals, estimates and money are those of the declared windows; others have their figures alone.

    With --json: {"windows": [{"start", "end" (ISO 8601, UTC), "endpoint", "model", "version", "rows", "labelled",
    "settled", "auc", "auc_error", "log_loss", "brier", "value_per_1000", "mean_absolute_error", "label_share",
    "predicted_share", "prediction_mean", "reference": {"auc", "log_loss", "label_share"}, "figures": {NAME:
    {"measured", "estimated", "held_out": {"value", "low", "high"} or null}}, "intervals_over" (days or rows),
    "calibration_error", "money": {"basis" (measured or estimated), "per_1000", "reference", "per_day", "bad"} or
    null}], in order of time, "endpoints": [{"endpoint", "currency", "label_lag_days", "why_no_estimate", "record":
    {NAME: {"windows", "inside", "reach", "off"}}, "assumption": {"window", "calibration_error", "allowed", "holds"} or
    null, "since_first_bad": {"since", "measured", "measured_windows", "estimated", "estimated_windows"} or null,
    "concept": {"state" (stable, warning, drift), "since", "rows", "up_to", "waits_days", "late", "left_out",
    "detections": [{"detector" (ADWIN, Page-Hinkley, DDM, concept), "level" (warning, drift, better, stable), "event",
    "row", "before", "after"}]} or null}], "stale": as of `monitor status`}. Intervals are 95 %.
    """
    session = session_of(context)
    room = session.engine.monitor
    found = [
        room.performance(name, limit=last, width=window) for name in ([endpoint] if endpoint else room.endpoints())
    ]
    if session.json:
        entries = sorted(
            (one for told in found for one in told.entries), key=lambda one: (one.window.starts, one.window.version)
        )
        print_json(
            {
                "windows": [performance_document(entry) for entry in entries[-last:]],
                "endpoints": [endpoint_document(one) for one in found],
                "stale": [stale_document(one) for one in room.stale()],
            }
        )
    elif not any(one.entries for one in found):
        say("No windows yet: nothing was served, or the watch is down. See `lemnis monitor status`.")
    else:
        for one in found:
            say_performance(one, metric)
        say_stale(room.stale())


@app.command()
def waive(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="The model that is stale.", metavar="MODEL", autocompletion=completing.models)
    ],
    why: Annotated[str, typer.Option("--why", help="Why it may stay; it is kept.")],
    who: Annotated[str, typer.Option("--who", help="Your name; the system's user if not given.")] = "",
) -> None:
    """Let a stale model stay until the problem changes again: who, when and why are kept.

    With --json: {"stale": as of `monitor status`}.
    """
    session = session_of(context)
    found = session.engine.monitor.waive_stale(model, who or user_name(), why)
    if session.json:
        print_json({"stale": [stale_document(one) for one in found]})
    else:
        say_stale(found)


def say_performance(found: Performance, metric: str) -> None:
    """Print one endpoint's table, then what the estimates are worth and the money."""
    name = metric if metric in found.metrics else main_metric(found)
    say(f"{found.endpoint}  {METRICS[name]} with 95 % intervals{lag_words(found)}")
    headers = ["window", "model", "rows", "labelled", "measured", "estimated", "held out", "money/day", "by"]
    rows = [performance_line(entry, name, found) for entry in found.entries]
    print_table(headers, rows, right={"rows", "labelled", "money/day"})
    for subject, line in summary_lines(found, name).items():
        say(f"{subject}  {line}")


def performance_line(entry: Entry, name: str, found: Performance) -> list[str]:
    """Return one row of `monitor performance`."""
    window, unit = entry.window, unit_of(found, name)
    return [
        named(window),
        f"{window.model} v{window.version}",
        number(window.rows),
        share(window.labelled_share, 0),
        ends(entry.measured.get(name), unit),
        ends(entry.estimated.get(name), unit),
        ends(entry.held_out.get(name), unit),
        money(entry.money.per_day.value, found.currency) if entry.money else number(None),
        (entry.money.basis + (", bad" if entry.money.bad else "")) if entry.money else "",
    ]


def named(window: Window) -> str:
    """Return when a window starts, with the time where it is shorter than a day."""
    return iso_utc(window.starts)[: 10 if window.ends - window.starts >= DAY_MS else 16].replace("T", " ")


def say_stale(found: list[Stale]) -> None:
    """Print every model that is stale, with what was stated when it was trained and what is stated now."""
    for line in stale_lines(found):
        say(line)


def performance_document(entry: Entry) -> dict[str, Any]:
    """Return one window of `monitor performance --json`. Any: JSON values."""
    window = entry.window
    facts = msgspec.to_builtins(window)
    named = ("endpoint", "model", "version", "rows", "labelled", "log_loss", "brier", "value_per_1000")
    more = ("mean_absolute_error", "label_share", "predicted_share", "prediction_mean")
    names = [name for name in METRICS if name in entry.measured or name in entry.estimated]
    parts = {"measured": entry.measured, "estimated": entry.estimated, "held_out": entry.held_out}
    worth = entry.money
    return {
        "start": iso_utc(window.starts),
        "end": iso_utc(window.ends),
        "auc": window.roc_auc,
        "auc_error": window.roc_auc_error,
        "settled": window.closed and window.labels_settled,
        **{name: facts[name] for name in (*named, *more)},
        "reference": {
            "auc": window.reference_auc,
            "log_loss": window.reference_log_loss,
            "label_share": window.reference_share,
        },
        "figures": {name: {part: figures.get(name) for part, figures in parts.items()} for name in names},
        "intervals_over": entry.blocks,
        "calibration_error": entry.calibration_error,
        "money": worth
        and {
            "basis": worth.basis,
            "per_1000": worth.per_1000,
            "reference": worth.reference,
            "per_day": worth.per_day,
            "bad": worth.bad,
        },
    }


def endpoint_document(found: Performance) -> dict[str, Any]:
    """Return one endpoint of `monitor performance --json`. Any: JSON values."""
    held, total, concept = found.assumption, found.total, found.concept
    return {
        "endpoint": found.endpoint,
        "currency": found.currency,
        "label_lag_days": None if found.lag_ms is None else found.lag_ms / DAY_MS,
        "why_no_estimate": found.why,
        "record": found.record,
        "assumption": held
        and {
            "window": iso_utc(held.starts),
            "calibration_error": held.error,
            "allowed": held.allowed,
            "holds": held.holds,
        },
        "concept": concept
        and {
            "state": concept.state,
            "since": None if concept.since is None else iso_utc(concept.since),
            "rows": concept.rows,
            "up_to": iso_utc(concept.event_at),
            "waits_days": concept.waits_ms / DAY_MS,
            "late": concept.late,
            "left_out": concept.left_out,
            "detections": [
                {
                    "detector": one.detector,
                    "level": one.level,
                    "event": iso_utc(one.event_at),
                    "row": one.row,
                    "before": one.before,
                    "after": one.after,
                }
                for one in concept.detections
            ],
        },
        "since_first_bad": total and msgspec.to_builtins(total) | {"since": iso_utc(total.since)},
    }


def stale_document(one: Stale) -> dict[str, Any]:
    """Return one stale model. Any: JSON values."""
    return {
        "model": one.model,
        "version": one.version,
        "run_id": one.run_id,
        "differences": [{"key": d.key, "was": d.before, "is": d.after} for d in one.differences],
        "found_by_time": one.by_time,
        "changed_at": one.changed_at,
        "changed_by": one.changed_by,
        "reason": one.reason,
        "waived": one.waived,
    }
