"""`lemnis explore labels` and `lemnis explore label`: questions, queues, answers, agreement, files."""

from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine.config import Labels
from lemnis.engine.errors import BadInput
from lemnis.engine.explore.labels import KINDS, Answer, AnswerKind, Queue
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.commands.session import Session

app = group("Questions that people answer row by row: queues, agreement, label errors, export, import, apply.")
Name = Annotated[str, typer.Argument(help="Which labels: the name below [labels] in lemnis.toml.")]
Who = Annotated[str, typer.Option("--as", help="Who says it; you if nobody is named.", metavar="WHO")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")]


def labeller(who: str) -> str:
    """Return who labels: the one named, else the user of this machine."""
    return who or user_name() or "somebody"


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the questions: rows labelled, split, unsure, the balance and who labelled.

    With --json: {"labels": [{"name", "column", "question", "key_of": {class: key}, "show", "balance": {class: rows},
    "labelled", "audit", "split", "unsure", "labellers": {who: rows}}]}.
    """
    session = session_of(context)
    sets = session.engine.explore.labels.sets()
    if session.json:
        print_json({"labels": sets})
        return
    if not sets:
        say(
            "No labels are declared; declare some with `lemnis explore labels add NAME --column C --class A --class B`."
        )
        return
    rows = [
        [
            found.name,
            found.column,
            *(shown.number(n) for n in (found.labelled, found.split, found.unsure)),
            ", ".join(f"{who} {n:,}" for who, n in found.labellers.items()),
            ", ".join(f"{key} {name} {found.balance[name]:,}" for name, key in found.key_of.items()),
        ]
        for found in sets
    ]
    headers = ["name", "column", "labelled", "split", "unsure", "labellers", "key, class and rows"]
    print_table(headers, rows, right={"labelled", "split", "unsure"})


@app.command()
def add(
    context: typer.Context,
    name: Name,
    column: Annotated[str, typer.Option(help="The column that the labels fill.")],
    classes: Annotated[list[str], typer.Option("--class", help="One class; give two or more.")],
    key: Annotated[list[str] | None, typer.Option(help="A key of your own: CLASS=k.")] = None,
    show: Annotated[list[str] | None, typer.Option(help="A column of the card; all but the label if none.")] = None,
    question: Annotated[str, typer.Option(help="What a labeller is asked.")] = "",
    who: Who = "",
) -> None:
    """Declare a question in lemnis.toml, comments kept. Each class gets a key of the home row.

    With --json: {"name", "column", "classes", "keys", "show", "question", "key_of": {class: key}}.
    """
    session = session_of(context)
    keys: dict[str, str] = {}
    for pair in key or []:
        text, sign, letter = pair.rpartition("=")
        if not sign:
            raise BadInput(f"--key {pair!r} names no key.", "Write CLASS=k.")
        keys[text] = letter
    labels = Labels(column=column, classes=classes, keys=keys, show=show or [], question=question)
    found = session.engine.explore.labels.declare(name, labels, who=labeller(who))
    if session.json:
        facts = {field: getattr(found, field) for field in Labels.__struct_fields__}
        print_json({"name": name, **facts, "key_of": found.key_of})
        return
    say(f"Labels {name}: {', '.join(f'{letter} {text}' for text, letter in found.key_of.items())}")


@app.command()
def queue(
    context: typer.Context,
    name: Name,
    kind: Annotated[str, typer.Option(help=f"Which rows: {', '.join(KINDS)}.")] = "order",
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="The longest it gets.")] = 300,
    overlap: Annotated[float, typer.Option(min=0, max=1, help="Share of rows that two people are asked about.")] = 0.0,
    model: Annotated[
        str, typer.Option(help="A run, MODEL@ALIAS, or `labels`: a quick model of the labels so far.")
    ] = "",
    by: Annotated[str, typer.Option(help="How unsure a model is: entropy or margin.")] = "entropy",
    seed: Annotated[int, typer.Option(help="Of what is left to chance.")] = 1,
    again: Annotated[bool, typer.Option("--again", help="Also rows that are labelled already.")] = False,
    who: Who = "",
    wait: Wait = True,
) -> None:
    """Make a queue over the latest version; the rows, their scores and reasons are kept until they are answered.

    Kinds: order (rows without a label), audit (a random slice, kept apart), uncertainty, disagreement (champion against
    challenger), drift (where the data moved most from training), split (labellers differ), errors (labels that are
    probably wrong, by cross-validated confidence).

    With --json: {"job", "queue": {"id", "labels", "kind", "version_id", "recipe", "overlap", "resolves", "created_at",
    "created_by", "job_id", "rows", "done"}}; queue is null without waiting.
    """
    session = session_of(context)
    job = session.engine.labelling.start_queue(
        name, kind, labeller(who), rows=rows, overlap=overlap, model=model, by=by, seed=seed, again=again
    )
    made = made_queue(session, job) if wait else None
    if session.json:
        print_json({"job": job, "queue": made})
    elif made is None:
        say(f"Job {job} makes the queue; follow it with `lemnis jobs show {job}`.")
    else:
        say(f"Queue {made.id}: {made.rows:,} rows; {made.recipe}")
        say(
            "Label it in the console: Explore (3), L. By command: `lemnis explore labels next`, `lemnis explore label`."
        )


def made_queue(session: Session, job: int) -> Queue | None:
    """Wait for the job that makes a queue and return the queue."""
    follow(session, job)
    return next((found for found in session.engine.explore.labels.queues() if found.job_id == job), None)


@app.command()
def errors(
    context: typer.Context,
    name: Name,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="The longest the queue gets.")] = 300,
    who: Who = "",
) -> None:
    """Find labels that are probably wrong and make the queue that reviews them one at a time; nothing is changed.

    With --json: {"queue": as of `labels queue`, "errors": [{"row_key", "given", "suggested", "suggested_share",
    "score", "reason"}]}, the most certain first.
    """
    session = session_of(context)
    room = session.engine.explore.labels
    made = made_queue(session, session.engine.labelling.start_queue(name, "errors", labeller(who), rows=rows))
    items = room.items(made.id) if made else []
    if session.json:
        fields = ("row_key", "given", "suggested", "suggested_share", "score", "reason")
        print_json({"queue": made, "errors": [{field: getattr(item, field) for field in fields} for item in items]})
        return
    cells = [[item.row_key, item.given or "", item.suggested or "", item.reason] for item in items]
    print_table(["row", "label now", "suggested", "why"], cells)
    if made is not None:
        say(f"Queue {made.id} reviews them: Explore (3), L.")


@app.command()
def queues(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Of which labels; all if none.")] = ""
) -> None:
    """List the queues, newest first.

    With --json: {"queues": [as of `labels queue`]}.
    """
    session = session_of(context)
    found = session.engine.explore.labels.queues(name)
    if session.json:
        print_json({"queues": found})
        return
    cells = [
        [str(q.id), q.labels, q.kind, f"{q.done:,}", f"{q.rows:,}", shown.share(q.overlap, 0), q.recipe] for q in found
    ]
    headers = ["id", "labels", "kind", "done", "rows", "overlap", "how its rows were chosen"]
    print_table(headers, cells, right={"id", "done", "rows", "overlap"})


@app.command("next")
def next_(
    context: typer.Context,
    queue_id: Annotated[int, typer.Argument(metavar="QUEUE", help="The queue's id.")],
    who: Who = "",
) -> None:
    """Take the next row of a queue and print its card.

    With --json: {"task": {"queue_id", "item": {"place", "row_key", "row_number", "score", "reason", "given",
    "suggested", "suggested_share", "suggested_by", "wanted"}, "cells": {column: text}, "mine", "notes"}}; task is null
    when nothing is left.
    """
    session = session_of(context)
    task = session.engine.explore.labels.next(queue_id, labeller(who))
    if session.json:
        print_json({"task": task})
    elif task is None:
        say("Nothing is left in this queue.")
    else:
        say(f"{task.item.row_key}")
        for column, value in task.cells.items():
            say(f"  {column}: {shown.MISSING if value is None else value}")


@app.command()
def agreement(context: typer.Context, name: Name) -> None:
    """Say how far the labellers agree: Krippendorff's alpha, Cohen's kappa and the confusion of each pair.

    With --json: {"labels", "alpha": {"value", "low", "high", "n", "agreed"}, "pairs": [{"first", "second", "kappa",
    "confusion": {class: {class: rows}}}], "audit": [rows, right, low, high]}; audit is the share of the audit slice
    that a model got right with its 95 % interval, null without one.
    """
    session = session_of(context)
    room = session.engine.explore.labels
    found = room.agreement(name)
    if session.json:
        print_json(found)
        return
    from lemnis.tui.screens.card import agreement_text

    say(agreement_text(found, room.declared(name).classes))


@app.command()
def history(
    context: typer.Context,
    name: Name,
    row: Annotated[str, typer.Option(help="Of one row: its key.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
) -> None:
    """List what was said, newest first: every label, undo, skip and decision with who, when and what was suggested.

    With --json: {"events": [{"id", "labels", "row_key", "labeller", "kind", "value", "note", "queue_id", "place",
    "suggested", "suggested_share", "suggested_by", "suggestion_shown", "took_ms", "target_id", "at", "origin"}]}.
    """
    session = session_of(context)
    events = session.engine.explore.labels.history(name, row, limit)
    if session.json:
        print_json({"events": events})
        return
    cells = [
        [str(e.id), shown.when(e.at), e.labeller, e.kind, e.row_key, e.value or e.note, e.suggested or ""]
        for e in events
    ]
    print_table(["id", "at", "who", "kind", "row", "what", "suggested"], cells, right={"id"})


@app.command()
def export(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file.")],
    every: Annotated[bool, typer.Option("--every", help="Each labeller's vote, not the class that stands.")] = False,
) -> None:
    """Write the labels that stand to a file.

    With --json: {"file", "rows"}.
    """
    session = session_of(context)
    rows = session.engine.explore.labels.export(name, file, every=every)
    if session.json:
        print_json({"file": str(file), "rows": rows})
    else:
        say(f"{rows:,} labels are in {file}")


@app.command("import")
def import_(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file with row_key and value.")],
    who: Who = "",
) -> None:
    """Take labels in from a file, all or none; columns row_key, value, labeller, unsure, note.

    With --json: {"file", "taken"}: what a labeller has said already is not taken again.
    """
    session = session_of(context)
    taken = session.engine.explore.labels.take_in(name, file, labeller(who))
    if session.json:
        print_json({"file": str(file), "taken": taken})
    else:
        say(f"{taken:,} labels were taken in.")


@app.command()
def apply(
    context: typer.Context,
    name: Name,
    audit: Annotated[bool, typer.Option("--audit", help="The audit slice too; it is no longer unbiased then.")] = False,
    who: Who = "",
    wait: Wait = True,
) -> None:
    """Make a dataset version with the labels that stand: a declared source, linked by the key like any other.

    With --json: {"job", "version", "applied": {"labels", "through_event", "rows", "kept_apart", "split", "sha256",
    "who", "at"}}; the last two are null without waiting.
    """
    session = session_of(context)
    room = session.engine.explore.labels
    job = room.start_apply(name, labeller(who), audit=audit)
    applied, version = None, None
    if wait:
        follow(session, job)
        applied, version = room.applied(name)[0], session.engine.data.version()
    if session.json:
        print_json({"job": job, "version": version.id if version else None, "applied": applied})
    elif applied is None or version is None:
        say(f"Job {job} makes the version; follow it with `lemnis jobs show {job}`.")
    else:
        left = f"; {applied.kept_apart:,} audit rows kept apart" if applied.kept_apart else ""
        split = f"; {applied.split:,} split rows left out" if applied.split else ""
        say(f"{version.title} has {applied.rows:,} labels of {name}{left}{split}")


def label(
    context: typer.Context,
    name: Name,
    row: Annotated[str, typer.Argument(help="The row's key; several key columns are joined by |.")],
    value: Annotated[str, typer.Argument(metavar="CLASS", help="The class; leave out with --unsure or --note.")] = "",
    queue: Annotated[int | None, typer.Option(help="The queue it was asked from.")] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="You can't say.")] = False,
    note: Annotated[str, typer.Option(help="A note on the row.")] = "",
    gold: Annotated[bool, typer.Option("--gold", help="Decide, whatever the votes say.")] = False,
    who: Who = "",
) -> None:
    """Say what a row is. Nothing is overwritten: every answer is an event, the latest of each labeller counts.

    With --json: {"event": id}.
    """
    session = session_of(context)
    room, me = session.engine.explore.labels, labeller(who)
    kind: AnswerKind = "unsure" if unsure else "note" if note and not value else "label"
    answer = Answer(kind=kind, value=value or None, note=note)
    if queue is None:
        event = room.say(name, row, answer, me, gold=gold)
    else:
        event = room.answer(queue, room.place_of(queue, row), answer, me)
    if session.json:
        print_json({"event": event})
    else:
        say(f"{row}: {value or kind}, said by {me}")
