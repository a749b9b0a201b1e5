"""`lemnis demo`: the whole loop on the NYC flights of 2013, in front of the user."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.commands.session import Session
from lemnis.tui.format import number, share

app = single()

WIDTH = 12


@app.command()
def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo's workspace is made.")] = Path("demo"),
    headless: Annotated[
        bool, typer.Option("--headless", help="Run the loop to its end and report, without the console.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs, fewer rounds, a fifth of the traffic.")] = False,
    tour: Annotated[bool, typer.Option("--tour", help="Begin with the tour that leads through the ten tabs.")] = False,
) -> None:
    """Take the flights of 2013 from a stated problem to a monitored endpoint, then open the console.

    Without a terminal, or with --headless, it replays July to December as fast as the endpoint answers and ends in a
    report. Run again, it goes on where it stopped. With --json: {"rows", "dataset_version", "checks": {"passed",
    "warned", "failed", "not_evaluated"}, "orphans": {"planes", "airports"} (rows), "orphan_keys", "runs": [{"id",
    "name", "preset", "metrics"}], "champion": {"run", "metrics"}, "endpoint": {"url", "requests", "errors"}, "drift":
    [{"window", "rows", "verdict", "max_psi", "drifted"}], "performance": [{"window", "labelled", "auc", "late_share"}],
    "alerts": [{"rule", "state", "severity", "message"}]}.
    """
    from lemnis.engine.demo import Demo, open_demo, report

    session = session_of(context)
    engine = open_demo(session.workspace or folder)
    watched = not headless and not session.json and sys.stdin.isatty() and sys.stdout.isatty()
    teller = Teller(moving=sys.stderr.isatty())
    work = Demo(engine, teller, quick=quick)
    work.build()
    if watched:
        from lemnis.tui.commands.console import open_console

        work.replay(paced=True)
        raise typer.Exit(open_console(Session(workspace=engine.workspace.root), stage="monitor", tour=tour))
    work.watch()
    document = report(engine)
    if session.json:
        print_json(document)
    else:
        print_report(document, engine.workspace.root, teller.seconds())


class Teller:
    """Prints the demo's steps on stderr: one line a stage, and a moving line for work in progress on a terminal."""

    def __init__(self, *, moving: bool) -> None:
        self.moving = moving
        self._started = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._started

    # Any: lemnis.engine.demo.Step, whose module is imported only when the demo runs.
    def __call__(self, step: Any) -> None:
        from lemnis.engine.text import safe

        if step.done:
            self._write(f"{self.seconds():6.1f} s  {step.stage:<{WIDTH}} {safe(step.text)}\n")
        elif self.moving:
            part = f"{step.share:4.0%}" if step.share is not None else "   …"
            self._write(f"{self.seconds():6.1f} s  {step.stage:<{WIDTH}} {part}  {safe(step.text, limit=80)}")

    def _write(self, line: str) -> None:
        sys.stderr.write(("\r\x1b[K" if self.moving else "") + line)
        sys.stderr.flush()


# Any: the report's JSON values.
def print_report(document: dict[str, Any], root: Path, seconds: float) -> None:
    """Print the report for people."""
    checks, champion, endpoint = document["checks"], document["champion"], document["endpoint"]
    metrics = champion["metrics"]
    say()
    say(f"{document['rows']:,} flights, dataset version {document['dataset_version'][:12]}")
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in checks.items())
    say(f"Checks: {counts}")
    orphans, keys = document["orphans"], document["orphan_keys"]
    say(
        "Orphans: "
        + ", ".join(f"{rows:,} rows of {keys[name]:,} keys without {name}" for name, rows in orphans.items())
    )
    auc, loss = number(metrics.get("roc_auc"), 4), number(metrics.get("log_loss"), 4)
    say(f"Champion: run {champion['run']} of {len(document['runs'])}; on the test month ROC AUC {auc}, log loss {loss}")
    say(f"Endpoint: {endpoint['url']} answered {endpoint['requests']:,} requests, {endpoint['errors']:,} errors")
    say()
    rows = [
        (
            drift["window"],
            f"{drift['rows']:,}",
            drift["verdict"],
            number(drift["max_psi"], 3),
            number(performance["auc"], 3),
            share(performance["late_share"]),
            ", ".join(drift["drifted"][:3]) or "–",
        )
        for drift, performance in zip(document["drift"], document["performance"], strict=True)
    ]
    headers = ["window", "rows", "verdict", "max PSI", "ROC AUC", "late", "drifted"]
    print_table(headers, rows, right={"rows", "max PSI", "ROC AUC", "late"})
    say()
    for alert in document["alerts"]:
        say(f"{alert['state']}: {alert['message']} ({alert['rule']}, {alert['severity']})")
    say(f"{seconds:.0f} s. Look around: lemnis -w {root}")
