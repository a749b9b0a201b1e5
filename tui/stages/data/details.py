"""What Data says of one thing in full, a source, snapshot, version, link or preview: facts and a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.clock import iso_utc
from lemnis.engine.data import LinkReport, Preview, Snapshot, SourceState, TimeTravel, Version
from lemnis.engine.share import Origin
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, duration, number, share, verdict, when
from lemnis.tui.stages.data.rows import COLUMNS, FIELDS, ORPHANS, ages_text, column_rows, field_rows, orphan_rows
from lemnis.tui.widgets import Cell, Col, Row


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing in full: its title, its facts and a table."""

    title: str
    detail: str
    facts: list[tuple[str, Cell]]
    columns: Sequence[Col]
    rows: list[Row]


def plan_facts(source: SourceState, now: int) -> list[tuple[str, Cell]]:
    """Return what the acquisition plan says of a source, and when it is looked at next."""
    facts: list[tuple[str, Cell]] = []
    arrival, schedule = source.arrival, source.schedule
    if arrival is not None:
        due = f", next due {when(arrival.due_at)}" if arrival.due_at else ""
        text = f"{arrival.cadence or 'no cadence'}{due}: {arrival.why}"
        facts.append(("plan", Content.styled(safe(text), "$warn") if source.late else text))
        if arrival.owner:
            facts.append(("owner", arrival.owner))
    if schedule is not None:
        moment = "now" if schedule.next_at <= now else f"in {age(now, schedule.next_at)}"
        facts.append(("next sync", f"{moment}: {schedule.why}"))
    return facts


def source_facts(source: SourceState, now: int) -> list[tuple[str, Cell]]:
    """Return what is known of a source."""
    facts: list[tuple[str, Cell]] = [
        ("state", Content.assemble(verdict(source.state).content, f"  {safe(source.why)}")),
        ("path", source.path),
        ("synced", f"{when(source.synced_at)}  ({age(source.synced_at, now)} ago)" if source.synced_at else MISSING),
        ("kept", f"{source.snapshots} snapshot{'' if source.snapshots == 1 else 's'}"),
    ]
    facts += plan_facts(source, now)
    return facts + (snapshot_facts(source.snapshot, now) if source.snapshot else [])


def snapshot_facts(snapshot: Snapshot, now: int) -> list[tuple[str, Cell]]:
    """Return what a snapshot holds and where it came from."""
    return [
        ("snapshot", f"{snapshot.sha256[:8]}, made {when(snapshot.created_at)}, {bytes_(snapshot.bytes)}"),
        ("holds", f"{number(snapshot.rows)} rows, {len(snapshot.columns)} columns"),
        ("checked", f"{age(snapshot.checked_at, now)} ago"),
    ]


def version_facts(version: Version) -> list[tuple[str, Cell]]:
    """Return what a version holds."""
    facts: list[tuple[str, Cell]] = [
        ("id", version.short),
        ("holds", f"{number(version.rows)} rows, {len(version.columns)} columns, {bytes_(version.bytes)}"),
        ("label", label_text(version)),
    ]
    for name, part in version.split.items():
        end = iso_utc(part.end)[:10]
        facts.append((name, f"{number(part.rows)} rows, {number(part.labelled)} labelled, until {end}"))
    if version.keys:
        repeated = f"▲ {number(version.repeated_keys)} rows repeat one" if version.repeated_keys else "unique"
        facts.append(("key", f"{', '.join(version.keys)}: {repeated}"))
    facts.append(("made", when(version.created_at)))
    return facts


def label_text(version: Version) -> str:
    """Return the label with the share of each value: ``late: false 76.3%, true 23.7%``."""
    total = sum(version.label_counts.values())
    values = ", ".join(f"{value} {share(rows / total)}" for value, rows in list(version.label_counts.items())[:4])
    return f"{version.label}: {values}" if values else version.label


def link_facts(report: LinkReport) -> list[tuple[str, Cell]]:
    """Return how a join went, in words."""
    on = " and ".join(f"{left} = {report.source}.{right}" for left, right in report.keys.items())
    on += ", the latest in time" if report.kind == "asof" else ""
    total = max(1, report.rows_in)
    fan_out = [f"{n}: {number(rows)} ({share(rows / total)})" for n, rows in sorted(report.fan_out.items())[:4]]
    facts: list[tuple[str, Cell]] = [
        ("on", on),
        ("matched", f"{number(report.matched)} of {number(report.rows_in)} rows ({share(report.match_rate, 2)})"),
        ("partners", ", ".join(fan_out)),
        ("orphans", f"{number(report.orphan_rows)} rows ask for {number(report.orphan_keys)} keys nobody has"),
        ("null", f"{number(report.null_keys)} rows have no key"),
        ("right", f"{number(report.unused_keys)} keys unused, {number(report.duplicate_keys)} stand more than once"),
    ]
    if report.kind == "asof":
        late = f"{number(report.untimely_rows)} rows have the key, but no row early or young enough"
        facts[3:3] = [("in time", late), ("age", ages_text(report))]
    facts += [("▲ future", Content.styled(travel_text(one), "$warn")) for one in report.travel if one.rows]
    if report.multiplies:
        more = number(report.rows_out - report.rows_in)
        facts.append(("▲ rows", Content.styled(f"the join added {more} rows: a key stands more than once", "$warn")))
    return facts


def travel_text(travel: TimeTravel) -> str:
    """Return how many joined rows know the future, by how much, and what to do about it."""
    many = f"{number(travel.rows)} of {number(travel.of)} joined rows ({share(travel.share)})"
    return f"{travel.column} is later than the decision in {many}, by up to {duration(travel.most_seconds)}"


def source_detail(source: SourceState, now: int) -> Detail:
    """Return a source in full, with the columns of its newest snapshot."""
    return Detail(source.name, source.format, source_facts(source, now), FIELDS, field_rows(source.snapshot))


def snapshot_detail(snapshot: Snapshot, now: int) -> Detail:
    """Return a snapshot in full, with its columns."""
    facts: list[tuple[str, Cell]] = [("from", snapshot.origin), *snapshot_facts(snapshot, now)]
    return Detail(snapshot.source, "snapshot", facts, FIELDS, field_rows(snapshot))


def link_detail(report: LinkReport) -> Detail:
    """Return a join in full, with the keys that found no partner."""
    return Detail(report.source, f"link {report.position}", link_facts(report), ORPHANS, orphan_rows(report))


def version_detail(version: Version | None, origin: Origin | None = None) -> Detail:
    """Return a version in full, with its columns and, if it was made elsewhere, where; empty when there is none."""
    if version is None:
        return Detail("Version", "", [], COLUMNS, [])
    columns = f"{len(version.columns)} columns"
    came: list[tuple[str, Cell]] = []
    if origin is not None and origin.here == version.id:
        came = [("from", origin.text), *([("checks there", origin.checks)] if origin.checks else [])]
    return Detail(version.title, columns, [*version_facts(version), *came], COLUMNS, column_rows(version))


def preview_facts(preview: Preview) -> list[tuple[str, Cell]]:
    """Return how a file seems to be written and what to look at before it is kept."""
    source = preview.source
    facts: list[tuple[str, Cell]] = [("format", source.format)]
    if source.format in ("csv", "csv-zip"):
        sign = {"\t": "tab"}.get(source.delimiter, source.delimiter)
        header = "a header" if source.header else "no header"
        facts.append(("dialect", f"delimiter {sign}  quote {source.quote}  {source.encoding}  {header}"))
    if preview.why:
        facts.append(("because", "; ".join(preview.why)))
    if preview.refused:
        return [*facts, ("refused", Content.styled(safe(preview.refused), "$bad"))]
    part = "" if preview.whole else ", the first of them"
    facts.append(("holds", f"{number(preview.rows_seen)} rows{part}, {len(preview.columns)} columns"))
    facts += [("warning", Content.styled(safe(warning), "$warn")) for warning in preview.warnings[:5]]
    return facts


def preview_table(preview: Preview) -> tuple[list[Col], list[Row]]:
    """Return the first rows, each column headed by its name and type."""
    numbers = ("BIGINT", "DOUBLE", "INTEGER", "DECIMAL")
    cells = [[MISSING if cell is None else cell for cell in row] for row in preview.rows]
    columns: list[Col] = []
    for place, one in enumerate(preview.columns):
        label = f"{safe(one.name, limit=24)} {one.type.lower()}".strip()
        widest = max([cell_len(label), *(cell_len(row[place]) for row in cells)])
        columns.append(Col(str(place), label, right=one.type.startswith(numbers), width=min(widest, 40) + 1, data=True))
    return columns or [Col("rows")], [Row(str(place), [*row]) for place, row in enumerate(cells)]
