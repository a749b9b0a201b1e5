"""`lemnis features sets|show|diff|select|rename|note`: the sets that models are trained and served with."""

from typing import Annotated

import typer

from lemnis.engine.features import FeatureSet
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.group import print_facts, print_json, print_table, say, session_of

Version = Annotated[
    str | None, typer.Option("--data", help="A dataset version; the latest if none.", metavar="VERSION")
]
SetName = Annotated[str, typer.Argument(help="A set, or one choice of it as NAME@REVISION.", metavar="SET")]


def select(
    context: typer.Context,
    features: Annotated[list[str], typer.Argument(help="The columns; +NAME and ^NAME change the set there is.")],
    name: Annotated[str, typer.Option(help="The set's name; the declared one if none.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the ones who read it later.")] = "",
    version: Version = None,
) -> None:
    """Choose a feature set; earlier choices of the same name stay in its history.

    `lemnis features select a b c` sets it; `select +a ^b` adds a and takes b out of the set there is.

    With --json: {"name", "features", "why", "who", "at", "revision", "renamed_from", "notes"}.
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
    print_json(kept) if session.json else say(f"Set {kept.reference}: {len(kept.features)} columns.")


def sets(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Every choice ever made, newest first.")] = False,
) -> None:
    """The feature sets, the declared one among them.

    With --json: {"sets": [{"name", "features", "why", "who", "at" (null if only declared), "revision",
    "renamed_from", "notes": [{"note", "who", "at"}]}]}.
    """
    session = session_of(context)
    room = session.engine.features
    found = room.sets(history=history)
    if room.declared().set not in {one.name for one in found} and session.engine.data.versions():
        found.append(room.feature_set())
    if session.json:
        print_json({"sets": found})
    else:
        headers = ["set", "columns", "who", "when", "why", "features"]
        print_table(headers, [set_line(one) for one in found], right={"columns"})


def set_line(one: FeatureSet) -> tuple[str, ...]:
    """Return a set as a line of a table."""
    return (one.reference, str(len(one.features)), one.who, shown.when(one.at), one.why, " ".join(one.features))


def show(context: typer.Context, name: SetName) -> None:
    """Show one set: its columns, who chose it and why, its notes, and every earlier choice with what it changed.

    With --json: {"set": as in `sets`, "revisions": [as in `sets`, newest first; empty if only declared]}.
    """
    session = session_of(context)
    room = session.engine.features
    found = room.feature_set(name)
    revisions = room.revisions(found.name) if found.revision else []
    if session.json:
        print_json({"set": found, "revisions": revisions})
        return
    notes = [("note", f"{note.note} ({note.who}, {shown.when(note.at)})") for note in found.notes]
    chosen = f"{found.who}, {shown.when(found.at)}" if found.at else f"nobody yet: {found.who} offers it"
    print_facts([("set", found.reference), ("chosen by", chosen), ("why", found.why), *notes])
    print_facts([("columns", f"{len(found.features)}: {' '.join(found.features)}")])
    earlier: list[FeatureSet | None] = [*revisions, None][1:]
    rows = [
        (one.reference, one.who, shown.when(one.at), changed_words(before, one), one.why)
        for one, before in zip(revisions, earlier, strict=True)
    ]
    if rows:
        print_table(["choice", "who", "when", "changed", "why"], rows)


def changed_words(before: FeatureSet | None, after: FeatureSet) -> str:
    """Return what a choice changed: ``+a −b``, ``renamed from x``, ``first``."""
    if before is None:
        return f"first, {len(after.features)} columns"
    added = [f"+{name}" for name in after.features if name not in before.features]
    removed = [f"−{name}" for name in before.features if name not in after.features]
    renamed = [f"renamed from {after.renamed_from}"] if after.renamed_from else []
    return " ".join([*renamed, *added, *removed]) or "nothing"


def diff(context: typer.Context, first: SetName, second: SetName, version: Version = None) -> None:
    """What the second set has more and less than the first: two sets, or two choices of one.

    With --json: {"first", "second", "added", "removed", "kept"}.
    """
    session = session_of(context)
    found = session.engine.features.compare(first, second, version)
    if session.json:
        print_json(found)
    else:
        for sign, names in (("+", found.added), ("−", found.removed)):
            for name in names:
                say(f"{sign} {name}")
        counts = f"{len(found.added)} more, {len(found.removed)} less, {len(found.kept)} kept"
        say(f"{found.first} → {found.second}: {counts}")


def rename(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    new: Annotated[str, typer.Argument(help="Its name from now on.")],
    why: Annotated[str, typer.Option(help="Why, for the ones who read it later.")] = "",
) -> None:
    """Give a set another name; its history goes with it. A set that lemnis.toml names keeps its name.

    With --json: as in `select`.
    """
    session = session_of(context)
    kept = session.engine.features.rename(name, new, user_name(), why)
    print_json(kept) if session.json else say(f"Set {name} is called {kept.name} now.")


def note(
    context: typer.Context,
    name: SetName,
    text: Annotated[str, typer.Argument(help="The remark.", metavar="NOTE")],
) -> None:
    """Add a remark to a set's latest choice, or to the one that NAME@REVISION names.

    With --json: as in `select`.
    """
    session = session_of(context)
    room = session.engine.features
    found = room.feature_set(name)
    room.note(found.revision, text, user_name())
    kept = room.feature_set(found.reference)
    print_json(kept) if session.json else say(f"Noted on {kept.reference}.")
