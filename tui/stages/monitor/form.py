"""The lines that are filled in before a replay starts, what completes them, and what is wrong with them."""

from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor import File, Planned
from lemnis.tui.format import duration, when
from lemnis.tui.language import _
from lemnis.tui.screens.form import Line, LinesForm, Options

DAY_S = 86_400.0
SUFFIXES = (".parquet", ".csv")


def replay_form(
    endpoint: str,
    proposed: dict[str, str],
    options: dict[str, Options],
    plan: Callable[[dict[str, str]], Planned],
) -> LinesForm:
    """Return the form that asks what is replayed, says what would be sent, and is left when that was seen.

    Args:
        endpoint: Where the rows go.
        proposed: What is filled in already, by line.
        options: What completes the lines.
        plan: Returns what would be sent; blocks.
    """
    lines = (
        Line("rows", _("rows of (version or file)"), proposed.get("rows", ""), options.get("rows")),
        Line("time", _("file: column of the time"), "", options.get("time")),
        Line("key", _("file: column of the key"), "", options.get("key")),
        Line("from", _("from (UTC; empty: first)"), proposed.get("from", "")),
        Line("until", _("until (empty: last)"), proposed.get("until", "")),
        Line("sample", _("share of the rows"), "1"),
        Line("days", _("days a second (0: all)"), "2"),
    )
    note = _("Rows the endpoint has not had yet go out in order of time, their labels 30 days later.")
    return LinesForm(
        _("Replay to {endpoint}").format(endpoint=endpoint),
        note,
        lines,
        verb=_("start"),
        wrong=bad_replay,
        trial=lambda filled: planned(plan(filled)),
    )


def planned(found: Planned) -> str:
    """Return what would be sent, in words."""
    span = _("from {begins} to {ends}").format(begins=when(found.begins, UTC)[:10], ends=when(found.ends, UTC)[:10])
    takes = (
        _("as fast as it answers")
        if found.seconds is None
        else _("in {seconds}").format(seconds=duration(found.seconds))
    )
    return _("{title}: {rows:,} rows {span}, {takes}. Those it has had are left out.").format(
        title=found.title, rows=found.rows, span=span, takes=takes
    )


def replay_plan(filled: dict[str, str], root: Path) -> dict[str, Any]:
    """Return what was filled in as `start_replay` takes it; files are looked for from `root`. Any: texts, numbers."""
    speed = float(filled["days"]) * DAY_S
    source: File | str | None = filled["rows"] or None
    if names_file(filled["rows"]):
        source = File(path=root / Path(filled["rows"]).expanduser(), time=filled["time"], key=filled["key"])
    return {
        "source": source, "start": filled["from"], "end": filled["until"],
        "sample": float(filled["sample"]), "speed": speed,
    }  # fmt: skip


def names_file(text: str) -> bool:
    """Say whether a source is meant as a file."""
    return "/" in text or text.lower().endswith(SUFFIXES)


def files(root: Path, text: str) -> list[str]:
    """Return what a path that is being typed may become: folders, and files that can be replayed; reads the disk."""
    head, _, name = text.rpartition("/")
    head = f"{head}/" if "/" in text else ""
    folder = root / Path(head).expanduser()
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    shown = [one for one in entries if one.name.startswith(name) and (name or not one.name.startswith("."))]
    return [
        f"{head}{one.name}{'/' if one.is_dir() else ''}"
        for one in shown
        if one.is_dir() or one.name.lower().endswith(SUFFIXES)
    ]


def sources(root: Path, versions: Sequence[str]) -> Options:
    """Return what completes where rows are from: dataset versions, and files from the workspace's folder on."""
    return lambda text, _: [one for one in versions if one.startswith(text)] + files(root, text)


def bad_replay(filled: dict[str, str]) -> str:
    """Return what is wrong with a replay as it was filled in."""
    try:
        moments = [parse_ms(filled[name]) for name in ("from", "until") if filled[name]]
    except ValueError:
        return _("Write the days as 2013-07-01.")
    try:
        sample, days = float(filled["sample"]), float(filled["days"])
    except ValueError:
        return _("The share and the days a second are numbers.")
    if len(moments) == 2 and moments[0] >= moments[1]:
        return _("The span ends before it starts.")
    return "" if 0 < sample <= 1 and days >= 0 else _("The share is above 0 up to 1, the days a second at least 0.")
