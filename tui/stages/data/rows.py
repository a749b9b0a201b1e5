"""What the Data stage says: sources, snapshots, versions, links and columns, as cells and text. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.data import LinkReport, Snapshot, SourceState, Verification, Version
from lemnis.engine.jobs import Job
from lemnis.tui.format import MISSING, age, bytes_, duration, number, share, verdict
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row

SOURCES = (
    Col("source"),
    Col("state"),
    Col("rows", right=True),
    Col("synced", "synced ago", right=True),
    Col("due", "next due", right=True),
    Col("format"),
    Col("why", flex=True),
)
NARROW_SOURCES = frozenset({"source", "state", "rows", "synced", "why"})
VERSIONS = (
    Col("version"),
    Col("rows", right=True),
    Col("columns", right=True),
    Col("split", flex=True),
)
LINKS = (
    Col("source", "link"),
    Col("bar", "matched", width=10),
    Col("matched", "%", right=True),
    Col("orphans", right=True),
    Col("keys", "of keys", right=True),
    Col("nulls", "null", right=True),
    Col("unused", right=True),
    Col("partners", "fan-out", right=True),
)
SNAPSHOTS = (
    Col("source"),
    Col("snapshot"),
    Col("rows", right=True),
    Col("size", right=True),
    Col("made", "made ago", right=True),
    Col("checked", "checked", right=True),
)
FIELDS = (Col("column"), Col("type"))
COLUMNS = (Col("column"), Col("role"), Col("type"), Col("source", flex=True))
ORPHANS = (Col("key", "orphan key"), Col("rows", right=True), Col("bar", "most first", flex=True))
ROLE_STYLES = {"label": "$stage-accent", "time": "$busy", "key": "$ok"}
SHARING = ("share.push", "share.pull", "share.export", "share.import")  # kinds of job


def only(columns: Sequence[Col], rows: Sequence[Row], names: frozenset[str]) -> tuple[list[Col], list[Row]]:
    """Return the columns of these names and the rows cut to them."""
    kept = [index for index, column in enumerate(columns) if column.name in names]
    cut = [Row(row.key, [row.cells[i] for i in kept], [row.values[i] for i in kept]) for row in rows]
    return [columns[index] for index in kept], cut


def source_row(source: SourceState, now: int, job: Job | None) -> Row:
    """Return one source; while a job reads it, its state says so."""
    rows = source.snapshot.rows if source.snapshot else None
    syncing = job is not None and job.state == "running" and job.progress_text.startswith(f"{source.name}:")
    word = "syncing" if syncing else source.state
    why = job.progress_text.partition(": ")[2] if job is not None and syncing else why_text(source)
    arrival = source.arrival
    cells: list[Cell] = [
        source.name,
        verdict(word).content,
        number(rows),
        age(source.synced_at, now),
        due_cell(source, now),
        source.format,
        why,
    ]
    due = arrival.due_at if arrival else None
    return Row(source.name, cells, [source.name, word, rows, source.synced_at, due, source.format, why])


def why_text(source: SourceState) -> str:
    """Return the state in words; that it is late comes first."""
    why = told(source.why)
    return f"{told(source.arrival.why)}; {why}" if source.late and source.arrival else why


def due_cell(source: SourceState, now: int) -> Cell:
    """Return when new content is due by the plan: how long until then, or how long ago, marked."""
    if source.arrival is None or source.arrival.due_at is None:
        return MISSING
    due = source.arrival.due_at
    return (
        Content.styled(_("▲ {due} ago").format(due=age(due, now)), "$warn")
        if source.late
        else _("in {now}").format(now=age(now, due))
    )


def version_row(version: Version) -> Row:
    """Return one version with its parts."""
    cells: list[Cell] = [
        version.title,
        number(version.rows),
        number(len(version.columns)),
        split_text(version),
    ]
    values = [version.number, version.rows, len(version.columns), split_text(version)]
    return Row(version.id, cells, values)


def split_text(version: Version) -> str:
    """Return the rows of each part, shortened: ``train 137,823  valid 28,231  test 29,428``."""
    names = {"validation": "valid"}
    return "  ".join(f"{names.get(name, name)} {part.rows:,}" for name, part in version.split.items()) or MISSING


def link_row(report: LinkReport) -> Row:
    """Return how one join went; a join that multiplies rows is marked."""
    partners = number(report.fan_out_max)
    cells: list[Cell] = [
        report.source,
        rate_bar(report.match_rate, 10),
        share(report.match_rate),
        count_cell(report.orphan_rows),
        count_cell(report.orphan_keys),
        count_cell(report.null_keys),
        number(report.unused_keys),
        Content.styled(f"▲ {partners}", "$warn") if report.multiplies else partners,
    ]
    values = [
        report.source,
        report.match_rate,
        report.match_rate,
        report.orphan_rows,
        report.orphan_keys,
        report.null_keys,
        report.unused_keys,
        report.fan_out_max,
    ]
    return Row(str(report.position), cells, values)


def rate_bar(rate: float, width: int) -> Content:
    """Return a bar of the rows that matched, the rest as a faint line; never full unless every row matched."""
    full = width if rate >= 1 else min(width - 1, round(rate * width))
    return Content.assemble(("━" * full, "$ok" if rate >= 1 else "$busy"), ("─" * (width - full), "$warn"))


def count_cell(count: int) -> Cell:
    """Return a count that had better be 0."""
    return Content.styled(number(count), "$warn") if count else Content.styled("0", "$muted")


def snapshot_row(snapshot: Snapshot, now: int) -> Row:
    """Return one snapshot of a source."""
    cells: list[Cell] = [
        snapshot.source,
        snapshot.sha256[:8],
        number(snapshot.rows),
        bytes_(snapshot.bytes),
        age(snapshot.created_at, now),
        age(snapshot.checked_at, now),
    ]
    values = [snapshot.source, snapshot.sha256, snapshot.rows, snapshot.bytes]
    return Row(str(snapshot.id), cells, [*values, snapshot.created_at, snapshot.checked_at])


def column_rows(version: Version) -> list[Row]:
    """Return the columns of a version: those with a role of their own first."""
    ranks = {"label": 0, "time": 1, "key": 2, "feature": 3}
    ordered = sorted(version.columns, key=lambda column: ranks[column.role])
    return [
        Row(
            column.name,
            [
                column.name,
                Content.styled(column.role, ROLE_STYLES.get(column.role, "$muted")),
                column.type,
                column.source or MISSING,
            ],
            [column.name, column.role, column.type, column.source],
        )
        for column in ordered
    ]


def orphan_rows(report: LinkReport) -> list[Row]:
    """Return the orphan keys with the most rows, each with a bar."""
    top = max((orphan.rows for orphan in report.orphan_sample), default=1)
    return [
        Row(
            "\0".join(orphan.key),
            [", ".join(orphan.key), number(orphan.rows), Content.styled(bar(orphan.rows / top, 24), "$warn")],
            [", ".join(orphan.key), orphan.rows, orphan.rows],
        )
        for orphan in report.orphan_sample
    ]


def bar(part: float, width: int) -> str:
    """Return a bar of `part` (0 to 1) of `width` cells; what is not zero is seen."""
    return "━" * max(1 if part > 0 else 0, round(part * width))


def field_rows(snapshot: Snapshot | None) -> list[Row]:
    """Return the columns of a snapshot."""
    return [Row(field.name, [field.name, field.type]) for field in snapshot.columns] if snapshot else []


def ages_text(report: LinkReport) -> str:
    """Return how old what an as-of join took is: ``median 1h 00m, 95% 2h 00m, most 3h 00m``."""
    names = {"p50": _("median"), "p95": "95%", "max": _("most")}
    known = [f"{word} {duration(report.ages[name])}" for name, word in names.items() if name in report.ages]
    return ", ".join(known) or MISSING


def job_text(job: Job) -> str:
    """Return what a running or waiting job does, in words."""
    running = job.state == "running" and job.progress_text
    return told(job.progress_text) if running else f"{_(job.state)}: {told(job.why)}"


def badge(found: tuple[int, Verification] | None, now: int) -> str:
    """Return what the list of versions says of the files: nothing before they were verified."""
    if found is None:
        return ""
    at, seen = found
    if seen.faults:
        return " " + _("· ▲ {faults} damaged or missing, press {key_of}").format(
            faults=len(seen.faults), key_of=key_of("data.storage")
        )
    return " " + _("· files whole {at} ago").format(at=age(at, now))
