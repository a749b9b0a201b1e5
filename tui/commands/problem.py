"""`lemnis problem`: the question, its value in money, its criteria, the plan of its data, and every change."""

import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.engine import LemnisError
from lemnis.engine.config import Problem
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.problem import Change, Confusion, break_even, money
from lemnis.tui import format as shown
from lemnis.tui import planned
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of

app = group("The question, its value in money, its history.")
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the history.")]


@app.command()
def show(context: typer.Context) -> None:
    """State the problem.

    With --json: {"problem": {"title", "question", "task", "target", "unit", "decided", "owner", "currency",
    "threshold", "value": {}, "criteria": [], "acquisition": []}, "sha256", "break_even"}.
    """
    session = session_of(context)
    problem = session.engine.problem.statement()
    if session.json:
        sha256 = session.engine.problem.problem_sha256()
        print_json({"problem": problem, "sha256": sha256, "break_even": break_even(problem.value)})
        return
    facts = [(name, str(getattr(problem, name))) for name in ("title", "question", "task", "target", "unit")]
    facts += [("decided", problem.decided), ("owner", problem.owner)]
    print_facts([(name, value or shown.MISSING) for name, value in facts])
    say()
    print_value(problem)
    if problem.criteria:
        say()
        rows = [(c.metric, bound(c.min, c.max), c.on, c.why) for c in problem.criteria]
        print_table(["criterion", "bound", "on", "why"], rows)


@app.command()
def edit(context: typer.Context, why: Why = "edited by hand") -> None:
    """Edit lemnis.toml in $EDITOR. What would not be accepted is refused, and your text is kept beside it.

    With --json: {"changed"}.
    """
    from lemnis.tui.declaration import editor

    session = session_of(context)
    room, workspace = session.engine.problem, session.engine.workspace
    before = room.text()
    with tempfile.NamedTemporaryFile("w", dir=workspace.hidden, prefix="draft.", suffix=".toml", delete=False) as file:
        file.write(before)
    draft = Path(file.name)
    code = subprocess.run([*editor(), str(draft)], check=False).returncode
    if code:
        draft.unlink()
        raise BadInput(f"The editor ended with exit code {code}; nothing was changed.", "Set $EDITOR.")
    try:
        changed = room.edit(draft.read_text("utf-8"), user_name(), why, expected=before)
    except LemnisError as error:
        error.remedy = f"{error.remedy} Your text is kept in {draft}."
        raise
    draft.unlink()
    if session.json:
        print_json({"changed": changed})
    else:
        say("The change is recorded." if changed else "Nothing was changed.")


@app.command("set")
def set_key(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Such as threshold, value.true_positive or criteria[0].min.")],
    value: Annotated[str, typer.Argument(help="A TOML value; text needs no quotes.")],
    why: Why = "",
) -> None:
    """Set one key of lemnis.toml. Comments stay, and a value that is not accepted changes nothing.

    With --json: {"changed"}.
    """
    from lemnis.engine.problem.statement import value_of

    session = session_of(context)
    changed = session.engine.problem.set(key, value_of(value), user_name(), why or f"{key} set")
    if session.json:
        print_json({"changed": changed})
    else:
        say(f"{key} is {value} now." if changed else f"{key} was {value} already.")


@app.command()
def history(
    context: typer.Context, limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 50
) -> None:
    """List every change. Who, when, why, and what it changed in the problem.

    With --json: {"changes": [{"id", "at", "who", "why", "sha256", "problem_sha256", "elsewhere",
    "differences": [{"key", "before", "after"}]}]}.
    """
    session = session_of(context)
    changes = session.engine.problem.history(limit)
    if session.json:
        print_json({"changes": changes})
        return
    for change in changes:
        say(f"{change.id:>4}  {shown.when(change.at)}  {change.who or shown.MISSING}  {change.why}")
        for line in difference_lines(change):
            say(f"      {line}")


@app.command()
def value(
    context: typer.Context,
    tp: Annotated[int, typer.Option(help="True positives.", min=0)] = 0,
    fp: Annotated[int, typer.Option(help="False positives.", min=0)] = 0,
    fn: Annotated[int, typer.Option(help="False negatives.", min=0)] = 0,
    tn: Annotated[int, typer.Option(help="True negatives.", min=0)] = 0,
) -> None:
    """Show what answers are worth. With counts, what those answers are worth together.

    With --json: {"currency", "value": {}, "threshold", "break_even", "counts": {}, "money"}; money is null
    without counts.
    """
    session = session_of(context)
    problem = session.engine.problem.statement()
    counts = Confusion(true_positive=tp, false_positive=fp, false_negative=fn, true_negative=tn)
    worth = money(counts, problem.value) if counts.rows else None
    if session.json:
        document: dict[str, Any] = {"currency": problem.currency, "value": problem.value}
        document |= {"threshold": problem.threshold, "break_even": break_even(problem.value)}
        print_json(document | {"counts": counts, "money": worth})
        return
    print_value(problem)
    if worth is not None:
        per = worth / counts.rows * 1000
        say()
        say(f"{counts.rows:,} answers are worth {shown.money(worth, problem.currency)}, "
            f"{shown.money(per, problem.currency)} per 1,000.")  # fmt: skip


@app.command()
def plan(context: typer.Context) -> None:
    """Show what data was planned, each line with what arrived, and what infrastructure the volume needs.

    With --json: {"plan": [{"source", "cadence", "expected_rows", "owner", "note", "rows", "arrived_at", "due_at",
    "state", "why"}], "infrastructure": as `lemnis resources plan`}; state is waiting, arrived, short or late.
    """
    session = session_of(context)
    arrivals, needed = session.engine.data.arrivals(), session.engine.resources.plan()
    if session.json:
        print_json({"plan": arrivals, "infrastructure": needed})
        return
    headers = ["source", "cadence", "expected", "arrived", "state", "why", "owner"]
    rows = [
        (a.source, a.cadence or shown.MISSING, shown.number(a.expected_rows or None), shown.number(a.rows),
         shown.verdict(a.state).text, a.why, a.owner)
        for a in arrivals
    ]  # fmt: skip
    print_table(headers, rows, right={"expected", "arrived"})
    say()
    print_facts(planned.facts(needed))
    for problem in needed.problems:
        say(f"▲ {problem}")


def print_value(problem: Problem) -> None:
    """Print the value matrix and the threshold it suggests."""
    amount = problem.value
    said = {
        "said yes": (amount.true_positive, amount.false_positive),
        "said no": (amount.false_negative, amount.true_negative),
    }
    rows = [(word, *(shown.money(part, problem.currency) for part in parts)) for word, parts in said.items()]
    target = problem.target or "target"
    print_table(["", target, f"not {target}"], rows, right={target, f"not {target}"})
    even = break_even(amount)
    say(f"threshold {problem.threshold:g}; a yes pays from a probability of {shown.number(even, 2)}")


def bound(low: float | None, high: float | None) -> str:
    """Return a criterion's bound as it is written: ``≥ 0.68``."""
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}"


def difference_lines(change: Change) -> list[str]:
    """Return one line for each key of the problem that a change moved."""
    if change.elsewhere:
        return ["(other sections)"]
    return [f"{d.key}: {d.before or shown.MISSING} → {d.after or shown.MISSING}" for d in change.differences]
