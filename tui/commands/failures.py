"""Failure types in the terminal: printed, turned into a label queue, or into a check."""

from typing import Any

import msgspec

from lemnis.engine.jobs import user_name
from lemnis.engine.validate.suggest import checks_toml
from lemnis.tui import format as shown
from lemnis.tui.commands.group import print_json, print_table, say
from lemnis.tui.commands.session import Session


def print_failures(session: Session, run: int) -> None:
    """Print the failure types of a run, and what became of those of earlier runs."""
    found = session.engine.evaluate.failures(run)
    if session.json:
        document: dict[str, Any] = {"run": run} | (msgspec.to_builtins(found) if found else {})
        for one, kind in zip(document.get("types", []), found.types if found else [], strict=True):
            one["name"] = kind.name
        print_json(document)
        return
    if found is None or found.note:
        say(found.note if found else "Nothing was computed.")
        return
    say(f"{found.errors:,} errors of {found.rows:,} {found.part} rows ({found.rule}); {found.sampled:,} were grouped")
    lines = [
        (
            str(place),
            f"{one.count:,}",
            shown.share(one.share),
            one.name,
            shown.share(one.fits),
            shown.share(one.fits_wrong),
        )
        for place, one in enumerate(found.types, 1)
    ]
    print_table(
        ["", "errors", "share", "type", "of rows", "wrong of these"], lines, right={"errors", "share", "of rows"}
    )
    for followup in found.followups:
        say()
        say(f"since run {followup.run_id} {followup.run_name}{'' if followup.same_rows else ', per 1,000 rows'}")
        print_table(
            ["before", "now", "type"],
            [(f"{one.before:,}", f"{one.now:,}", one.name) for one in followup.types],
            right={"before", "now"},
        )


def queue_type(session: Session, run: int, place: int, write: bool) -> None:
    """Make a label queue of a failure type; `write` has no part in it."""
    queue = session.engine.labelling.queue_failures(run, place, user_name() or "somebody")
    if session.json:
        print_json({"queue": queue.id, "labels": queue.labels, "rows": queue.rows})
    else:
        say(f"Queue {queue.id} of {queue.labels} has {queue.rows:,} rows. Label them in the console: Explore (3), L.")


def check_type(session: Session, run: int, place: int, write: bool) -> None:
    """Print a failure type as a check, and write it into lemnis.toml if that is wanted."""
    check = session.engine.evaluate.failure_check(run, place)
    if write:
        who = user_name() or "somebody"
        session.engine.validate.declare([check], who=who, why=f"failure type of run {run}")
    if session.json:
        print_json({"check": check, "toml": checks_toml([check]), "written": write})
    else:
        say(checks_toml([check]).rstrip())
        say(f"{check.name} is declared." if write else "Add --write to declare it.")
