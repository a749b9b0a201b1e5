"""Labels that come and go as files: CSV or JSON lines, one row a labeller and row of data."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from lemnis.engine.errors import BadInput
from lemnis.engine.explore.labels.events import add_event, resolved, votes
from lemnis.engine.explore.labels.records import Event
from lemnis.engine.files import write_atomic
from lemnis.engine.store import Store
from lemnis.engine.text import safe

FIELDS = ("row_key", "value", "labeller", "at", "unsure", "note", "suggested", "suggested_by", "took_ms")
RESOLVED_FIELDS = ("row_key", "value", "how", "votes", "at")
MOST_BYTES = 256 << 20
SUFFIXES = (".csv", ".jsonl")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One label of a file; columns that are not named here are left alone.

    Attributes:
        value: The class; empty or null where the labeller is unsure.
    """

    row_key: str
    value: str | None = None
    labeller: str = ""
    unsure: bool = False
    note: str = ""


def export_labels(store: Store, labels: str, path: Path, *, every: bool) -> int:
    """Write the labels that stand to a file, complete or not at all; return how many.

    Args:
        store: The workspace's state.
        labels: Which.
        path: ``.csv`` or ``.jsonl``.
        every: One line for each labeller's vote; otherwise one for each row's resolved class.

    Raises:
        BadInput: The file's name says neither, or its folder is missing.
    """
    check_suffix(path)
    if not path.parent.is_dir():
        raise BadInput("The folder for the labels does not exist.", "Make it first.", safe(path))
    if every:
        rows = [vote_row(event) for event in votes(store, labels)]
        fields: Sequence[str] = FIELDS
    else:
        rows = [{name: getattr(row, name) for name in RESOLVED_FIELDS} for row in resolved(store, labels) if row.value]
        fields = RESOLVED_FIELDS
    write_atomic(path, as_csv(fields, rows) if path.suffix.lower() == ".csv" else as_json_lines(rows), mode=0o644)
    return len(rows)


def vote_row(event: Event) -> dict[str, object]:
    """Return one vote as a line of a file."""
    facts = {name: getattr(event, name) for name in FIELDS if name != "unsure"}
    return {**facts, "unsure": event.kind == "unsure"}


def as_csv(fields: Sequence[str], rows: Iterable[dict[str, object]]) -> str:
    """Return rows as CSV with a header; truth values are true and false."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()})
    return out.getvalue()


def as_json_lines(rows: Iterable[dict[str, object]]) -> str:
    """Return rows as JSON lines."""
    return "".join(msgspec.json.encode(row).decode() + "\n" for row in rows)


def import_labels(store: Store, labels: str, path: Path, *, classes: Sequence[str], who: str) -> int:
    """Take the labels of a file in, all or none, as events of their labellers (of `who` where none is named).

    A label that its labeller has said already is not said again, so that a file can be imported twice.

    Raises:
        BadInput: The file can't be read, or a line has no key or a class that is not declared; `place` has the line.
    """
    lines = read_lines(path)
    for number, line in lines:
        if not line.row_key:
            raise BadInput("This line has no row_key.", "Give each label the key of its row.", f"{path.name}:{number}")
        if not line.unsure and line.value not in classes:
            raise BadInput(
                f"{safe(line.value or '', limit=60)!r} is no class of {labels}.",
                f"Classes: {', '.join(classes)}.",
                f"{path.name}:{number}",
            )
    known = {(event.row_key, event.labeller): (event.kind, event.value) for event in votes(store, labels)}
    taken = 0
    with store.write() as db:
        for _, line in lines:
            labeller = line.labeller or who
            said = ("unsure", None) if line.unsure else ("label", line.value)
            if known.get((line.row_key, labeller)) == said:
                continue
            known[line.row_key, labeller] = said
            facts = {"labels": labels, "row_key": line.row_key, "labeller": labeller}
            add_event(db, kind=said[0], value=said[1], note=line.note, origin=f"{path.name}, by {who}", **facts)
            taken += 1
    return taken


def read_lines(path: Path) -> list[tuple[int, Line]]:
    """Return the labels of a file with their line numbers.

    Raises:
        BadInput: It is not there, too large, or no such file.
    """
    check_suffix(path)
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise BadInput("There is no such file, or it is too large.", "Check the path.", safe(path))
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8 text.", "Save it as UTF-8.", safe(path)) from None
    except OSError as error:
        raise BadInput(f"{path.name} can't be read: {error.strerror}.", "Check its owner.", safe(path)) from None
    return csv_lines(text, path) if path.suffix.lower() == ".csv" else json_lines(text, path)


def csv_lines(text: str, path: Path) -> list[tuple[int, Line]]:
    """Return the labels of a CSV text."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, Line]] = []
    try:
        if "row_key" not in (reader.fieldnames or ()):
            raise BadInput("The file has no column row_key.", f"Columns that are read: {', '.join(FIELDS)}.", path.name)
        for row in reader:
            facts = {name: row.get(name) or "" for name in ("row_key", "value", "labeller", "note")}
            unsure = (row.get("unsure") or "").strip().lower() in ("true", "1", "yes")
            found.append((reader.line_num, Line(**facts, unsure=unsure)))
    except csv.Error as error:
        raise BadInput(f"This is no CSV: {error}.", "Mend the line.", f"{path.name}:{reader.line_num}") from None
    return found


def json_lines(text: str, path: Path) -> list[tuple[int, Line]]:
    """Return the labels of JSON lines."""
    found: list[tuple[int, Line]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((number, msgspec.json.decode(line, type=Line)))
        except msgspec.DecodeError as error:
            problem = f"This is no label: {safe(error, limit=200)}."
            raise BadInput(
                problem, 'Write for example {"row_key": "1", "value": "a"}.', f"{path.name}:{number}"
            ) from None
    return found


def check_suffix(path: Path) -> None:
    """Refuse a file whose name says neither CSV nor JSON lines."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{safe(path.name)} is neither CSV nor JSON lines.", "Name it .csv or .jsonl.", safe(path))
