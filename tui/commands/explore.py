"""`lemnis explore`: what the columns of a version hold, and its rows."""

from datetime import UTC
from typing import Annotated

import typer

from lemnis.engine.data import Version
from lemnis.engine.errors import NotFound
from lemnis.engine.explore import Profile
from lemnis.engine.text import safe
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.commands.labels import app as labels_app
from lemnis.tui.commands.labels import label
from lemnis.tui.commands.rows import Ref, rows, values

app = group("Profiles, rows and labels of dataset versions.")
app.add_typer(labels_app, name="labels")
app.command()(label)
app.command()(rows)
app.command()(values)

WIDTH = 100  # cells of a column in full


@app.command()
def profile(
    context: typer.Context,
    version: Ref = None,
    again: Annotated[bool, typer.Option("--again", help="Measure every column anew.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")] = True,
) -> None:
    """Profile every column: missing, distinct, quantiles, top values, histogram by class, notes.

    Columns that were measured before are not measured again, for a version never changes.

    With --json: {"job", "version", "name", "rows", "classes": {value: rows}, "columns": [{"position", "name", "type",
    "role", "rows", "missing", "distinct", "minimum", "maximum", "mean", "deviation", "skewness", "quantiles",
    "top": [{"value", "rows"}], "histogram": {"edges", "labels", "counts", "below", "above", "by_class"},
    "notes": [{"word", "detail"}], "sample_of", "findings"}]}; sample_of is 0 for exact figures; job is null when
    nothing had to be measured; without waiting, columns are those measured so far.
    """
    session = session_of(context)
    room, found = session.engine.explore, session.engine.data.version(version)
    job = None
    if again or sum(one.exact for one in room.profiles(found.id)) < len(found.columns):
        job = room.start_profile(found.id, again=again)
        if wait:
            follow(session, job)
    profiles = room.profiles(found.id)
    if session.json:
        print_json(
            {
                "job": job,
                "version": found.id,
                "name": found.title,
                "rows": found.rows,
                "classes": found.label_counts,
                "columns": profiles,
            }
        )
        return
    if job is not None and not wait:
        say(f"Job {job} profiles {found.title}; follow it with `lemnis jobs show {job}`.")
        return
    say(f"{found.title}: {shown.number(found.rows)} rows{balance(found)}")
    headers = ["column", "type", "missing", "distinct", "min", "median or top", "max", "notes"]
    print_table(headers, [line(p) for p in profiles], right={"missing", "distinct", "min", "median or top", "max"})


@app.command()
def column(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A column.")],
    version: Ref = None,
    by: Annotated[str | None, typer.Option(help="Draw it by the classes of this column; the label if none.")] = None,
) -> None:
    """Print one column in full: notes, small histograms by class, quantiles, the farthest values and their rows' keys.

    The classes of another column are its ten most frequent values, or the quarters of a number or a time.

    With --json: {"version", "profile": as in `explore profile`, "by", "drawn": the profile by those classes, whose
    findings.classes are [{"name", "rows", "missing", "mean"}] and histogram.by_class their rows per bin, "extremes":
    [{"value", "row", "key": {column: value}}]}; row counts from 0, key is null
    where the column was profiled before keys were kept: profile the version again.
    """
    from lemnis.tui.stages.explore.detail import Closer, detail_content

    session = session_of(context)
    room, found = session.engine.explore, session.engine.data.version(version)
    found.column(name)
    known = next((one for one in room.profiles(found.id) if one.name == name), None)
    if known is None:
        raise NotFound(f"{name} of {found.title} is not profiled yet.", "Profile it with `lemnis explore profile`.")
    by = by or found.label
    own = not by or (by == found.label and bool(known.findings.classes))
    drawn = known if own else room.profile_by(found.id, name, by)
    if session.json:
        print_json(
            {"version": found.id, "profile": known, "by": by, "drawn": drawn, "extremes": known.findings.extremes}
        )
        return
    say(f"{name} of {found.title}: {known.role}, {known.type}, {shown.number(known.rows)} rows")
    say(detail_content(known, Closer(by, drawn), WIDTH).plain)


@app.command()
def missing(context: typer.Context, version: Ref = None) -> None:
    """Print which columns are missing together, the most frequent pattern first, as far as it was profiled.

    With --json: {"version", "rows", "exact", "candidates": [name], "total", "patterns": [{"columns": [name], "rows"}]}.
    """
    session = session_of(context)
    found = session.engine.data.version(version)
    known = session.engine.explore.missing(found.id)
    if known is None:
        raise NotFound(f"{found.title} is not profiled yet.", "Profile it with `lemnis explore profile`.")
    if session.json:
        print_json({"version": found.id, **{name: getattr(known, name) for name in known.__struct_fields__}})
        return
    lines = [
        (shown.number(one.rows), shown.share(one.rows / max(1, known.rows)), ", ".join(one.columns) or "nothing")
        for one in known.patterns
    ]
    print_table(["rows", "share", "missing together"], lines, right={"rows", "share"})
    of = "all rows" if known.exact else f"a sample of {shown.number(known.rows)} rows"
    say(f"{len(known.patterns)} of {shown.number(known.total)} patterns, of {of}")


def balance(version: Version) -> str:
    """Return the class balance in words."""
    labelled = sum(version.label_counts.values())
    parts = [f"{value} {shown.share(rows / labelled)}" for value, rows in version.label_counts.items()]
    return f"; {version.label}: {', '.join(parts)}" if parts else ""


def line(profile: Profile) -> tuple[str, ...]:
    """Return one column's profile as a line of the table."""
    ordered = bool(profile.quantiles)
    top = safe(profile.top[0].value, limit=24) if profile.top else shown.MISSING
    return (
        profile.name,
        profile.type.partition("[")[0],
        shown.share(profile.missing_share),
        shown.number(profile.distinct),
        (profile.minimum or shown.MISSING) if ordered else shown.MISSING,
        middle(profile) if ordered else top,
        (profile.maximum or shown.MISSING) if ordered else shown.MISSING,
        ", ".join(f"▲ {note.word}" if note.act else note.word for note in profile.notes),
    )


def middle(profile: Profile) -> str:
    """Return the median of numbers or times."""
    if profile.median is None:
        return shown.MISSING
    return shown.when(round(profile.median), UTC) if profile.kind == "time" else f"{profile.median:g}"
