"""What Data says of one thing in full, a source, snapshot, version, link or preview: facts and a table. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.clock import iso_utc
from lemnis.engine.data import LinkReport, Preview, Snapshot, SourceState, TimeTravel, Version
from lemnis.engine.share import Origin
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, bytes_, duration, number, share, verdict, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.data.rows import COLUMNS, FIELDS, ORPHANS, ages_text, column_rows, field_rows, orphan_rows
from lemnis.tui.widgets import Cell, Col, Row


class Detail(Struct, frozen=True):
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
        due = _(", next due {due_at}").format(due_at=when(arrival.due_at)) if arrival.due_at else ""
        text = f"{arrival.cadence or _('no cadence')}{due}: {told(arrival.why)}"
        facts.append((_("plan"), Content.styled(safe(text), "$warn") if source.late else text))
        if arrival.owner:
            facts.append((_("owner"), arrival.owner))
    if schedule is not None:
        moment = _("now") if schedule.next_at <= now else _("in {now}").format(now=age(now, schedule.next_at))
        facts.append((_("next sync"), f"{moment}: {told(schedule.why)}"))
    return facts


def source_facts(source: SourceState, now: int) -> list[tuple[str, Cell]]:
    """Return what is known of a source."""
    facts: list[tuple[str, Cell]] = [
        (_("state"), Content.assemble(verdict(source.state).content, f"  {safe(told(source.why))}")),
        (_("path"), source.path),
        (
            _("synced"),
            _("{synced_at}  ({synced_at2} ago)").format(
                synced_at=when(source.synced_at), synced_at2=age(source.synced_at, now)
            )
            if source.synced_at
            else MISSING,
        ),
        (_("kept"), _("1 snapshot") if source.snapshots == 1 else _("{n} snapshots").format(n=source.snapshots)),
    ]
    facts += plan_facts(source, now)
    return facts + (snapshot_facts(source.snapshot, now) if source.snapshot else [])


def snapshot_facts(snapshot: Snapshot, now: int) -> list[tuple[str, Cell]]:
    """Return what a snapshot holds and where it came from."""
    return [
        (
            _("snapshot"),
            _("{sha256}, made {created_at}, {bytes}").format(
                sha256=snapshot.sha256[:8], created_at=when(snapshot.created_at), bytes=bytes_(snapshot.bytes)
            ),
        ),
        (
            _("holds"),
            _("{rows} rows, {columns} columns").format(rows=number(snapshot.rows), columns=len(snapshot.columns)),
        ),
        (_("checked"), _("{checked_at} ago").format(checked_at=age(snapshot.checked_at, now))),
    ]


def version_facts(version: Version) -> list[tuple[str, Cell]]:
    """Return what a version holds."""
    facts: list[tuple[str, Cell]] = [
        (_("id"), version.short),
        (
            _("holds"),
            _("{rows} rows, {columns} columns, {bytes}").format(
                rows=number(version.rows), columns=len(version.columns), bytes=bytes_(version.bytes)
            ),
        ),
        (_("label"), label_text(version)),
    ]
    for name, part in version.split.items():
        end = iso_utc(part.end)[:10]
        facts.append(
            (
                name,
                _("{rows} rows, {labelled} labelled, until {end}").format(
                    rows=number(part.rows), labelled=number(part.labelled), end=end
                ),
            )
        )
    if version.keys:
        repeated = (
            _("▲ {repeated_keys} rows repeat one").format(repeated_keys=number(version.repeated_keys))
            if version.repeated_keys
            else _("unique")
        )
        facts.append((_("key"), f"{', '.join(version.keys)}: {repeated}"))
    facts.append((_("made"), when(version.created_at)))
    return facts


def label_text(version: Version) -> str:
    """Return the label with the share of each value: ``late: false 76.3%, true 23.7%``."""
    total = sum(version.label_counts.values())
    values = ", ".join(f"{value} {share(rows / total)}" for value, rows in list(version.label_counts.items())[:4])
    return f"{version.label}: {values}" if values else version.label


def link_facts(report: LinkReport) -> list[tuple[str, Cell]]:
    """Return how a join went, in words."""
    on = f" {_('and')} ".join(f"{left} = {report.source}.{right}" for left, right in report.keys.items())
    on += _(", the latest in time") if report.kind == "asof" else ""
    total = max(1, report.rows_in)
    fan_out = [f"{n}: {number(rows)} ({share(rows / total)})" for n, rows in sorted(report.fan_out.items())[:4]]
    facts: list[tuple[str, Cell]] = [
        (_("on"), on),
        (
            _("matched"),
            _("{matched} of {rows_in} rows ({match_rate})").format(
                matched=number(report.matched), rows_in=number(report.rows_in), match_rate=share(report.match_rate, 2)
            ),
        ),
        (_("partners"), ", ".join(fan_out)),
        (
            _("orphans"),
            _("{orphan_rows} rows ask for {orphan_keys} keys nobody has").format(
                orphan_rows=number(report.orphan_rows), orphan_keys=number(report.orphan_keys)
            ),
        ),
        (_("null"), _("{null_keys} rows have no key").format(null_keys=number(report.null_keys))),
        (
            _("right"),
            _("{unused_keys} keys unused, {duplicate_keys} stand more than once").format(
                unused_keys=number(report.unused_keys), duplicate_keys=number(report.duplicate_keys)
            ),
        ),
    ]
    if report.kind == "asof":
        late = _("{untimely_rows} rows have the key, but no row early or young enough").format(
            untimely_rows=number(report.untimely_rows)
        )
        facts[3:3] = [(_("in time"), late), (_("age"), ages_text(report))]
    facts += [(_("▲ future"), Content.styled(travel_text(one), "$warn")) for one in report.travel if one.rows]
    if report.multiplies:
        more = number(report.rows_out - report.rows_in)
        facts.append(
            (
                _("▲ rows"),
                Content.styled(_("the join added {more} rows: a key stands more than once").format(more=more), "$warn"),
            )
        )
    return facts


def travel_text(travel: TimeTravel) -> str:
    """Return how many joined rows know the future, by how much, and what to do about it."""
    many = _("{rows} of {of} joined rows ({share})").format(
        rows=number(travel.rows), of=number(travel.of), share=share(travel.share)
    )
    return _("{column} is later than the decision in {many}, by up to {most_seconds}").format(
        column=travel.column, many=many, most_seconds=duration(travel.most_seconds)
    )


def source_detail(source: SourceState, now: int) -> Detail:
    """Return a source in full, with the columns of its newest snapshot."""
    return Detail(source.name, source.format, source_facts(source, now), FIELDS, field_rows(source.snapshot))


def snapshot_detail(snapshot: Snapshot, now: int) -> Detail:
    """Return a snapshot in full, with its columns."""
    facts: list[tuple[str, Cell]] = [(_("from"), snapshot.origin), *snapshot_facts(snapshot, now)]
    return Detail(snapshot.source, "snapshot", facts, FIELDS, field_rows(snapshot))


def link_detail(report: LinkReport) -> Detail:
    """Return a join in full, with the keys that found no partner."""
    return Detail(
        report.source,
        _("link {position}").format(position=report.position),
        link_facts(report),
        ORPHANS,
        orphan_rows(report),
    )


def version_detail(version: Version | None, origin: Origin | None = None) -> Detail:
    """Return a version in full, with its columns and, if it was made elsewhere, where; empty when there is none."""
    if version is None:
        return Detail(_("Version"), "", [], COLUMNS, [])
    columns = _("{columns} columns").format(columns=len(version.columns))
    came: list[tuple[str, Cell]] = []
    if origin is not None and origin.here == version.id:
        came = [(_("from"), origin.text), *([(_("checks there"), origin.checks)] if origin.checks else [])]
    return Detail(version.title, columns, [*version_facts(version), *came], COLUMNS, column_rows(version))


def preview_facts(preview: Preview) -> list[tuple[str, Cell]]:
    """Return how a file seems to be written and what to look at before it is kept."""
    source = preview.source
    facts: list[tuple[str, Cell]] = [(_("format"), source.format)]
    if source.format in ("csv", "csv-zip"):
        sign = {"\t": "tab"}.get(source.delimiter, source.delimiter)
        header = _("a header") if source.header else _("no header")
        facts.append(
            (
                _("dialect"),
                _("delimiter {sign}  quote {quote}  {encoding}  {header}").format(
                    sign=sign, quote=source.quote, encoding=source.encoding, header=header
                ),
            )
        )
    if preview.why:
        facts.append((_("because"), "; ".join(map(told, preview.why))))
    if preview.refused:
        return [*facts, (_("refused"), Content.styled(safe(preview.refused), "$bad"))]
    part = "" if preview.whole else _(", the first of them")
    facts.append(
        (
            _("holds"),
            _("{rows_seen} rows{part}, {columns} columns").format(
                rows_seen=number(preview.rows_seen), part=part, columns=len(preview.columns)
            ),
        )
    )
    facts += [(_("warning"), Content.styled(safe(warning), "$warn")) for warning in preview.warnings[:5]]
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
