"""What the link builder says: a link as fields, what it would do, and its keys, as cells and text. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content

from lemnis.engine.config import Link
from lemnis.engine.data import KeyProposal, KeyRows, LinkPreview, Side, TimeTravel, fan_out_of
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, duration, number, share
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.data.rows import ages_text, bar, rate_bar
from lemnis.tui.widgets import Cell, Col, Row
from lemnis.tui.widgets.cells import drawable

BAR = 12  # cells of the longest bar
BAR_COLUMN = Col("bar", "most first", flex=True)
KEYS = (Col("key", most=60), Col("rows", right=True), BAR_COLUMN)
SLIM_KEYS = (Col("key", flex=True), Col("rows", right=True))
TWICE = (
    Col("key", most=60),
    Col("rows", right=True),
    Col("asked", "asked by", right=True),
    Col("bar", "most first", flex=True),
)
PROPOSALS = (
    Col("on", "keys", most=44),
    Col("match", "matched", right=True),
    Col("unique", "unique right", right=True),
    Col("rows", "rows after", right=True),
    Col("why", flex=True),
)


class KeyList(Struct, frozen=True):
    """One kind of keys: its title with its count, what stands below it, and the keys with the most rows.

    Attributes:
        total: All keys of the kind.
        top: The most rows of any.
    """

    side: Side
    title: str
    foot: str
    keys: Sequence[KeyRows]
    total: int

    @property
    def top(self) -> int:
        return max((one.rows for one in self.keys), default=1)


def key_lists(preview: LinkPreview | None) -> list[KeyList]:
    """Return the three kinds of keys of a preview, empty lists before there is one."""
    if preview is None:
        empty: list[tuple[Side, str]] = [
            ("left", _("Orphans left")), ("right", _("Unused right")), ("duplicates", _("Repeated right"))
        ]  # fmt: skip
        return [KeyList(side, title, "", [], 0) for side, title in empty]
    report = preview.report
    lost = share(report.orphan_rows / max(1, report.rows_in))
    spare = share(preview.unused_rows / max(1, preview.right_rows))
    lost = _("{orphan_rows} rows, {lost}").format(orphan_rows=number(report.orphan_rows), lost=lost)
    spare = _("{unused_rows} rows, {spare}").format(unused_rows=number(preview.unused_rows), spare=spare)
    twice = _("{duplicate_rows} rows").format(duplicate_rows=number(preview.duplicate_rows))
    return [
        KeyList("left", _("Orphans left"), lost, preview.orphans, report.orphan_keys),
        KeyList("right", _("Unused right"), spare, preview.unused, report.unused_keys),
        KeyList("duplicates", _("Repeated right"), twice, preview.duplicates, report.duplicate_keys),
    ]


def keys_line(*keys: tuple[str, str]) -> Content:
    """Return the keys of a screen and what they do."""
    return Content.assemble(*(part for key, word in keys for part in ((f" {key} ", "$key"), f"{_(word)} ")))


def on_text(on: dict[str, str], source: str = "") -> str:
    """Return pairs of keys as they are typed: ``dest = faa, time_hour = time_hour``."""
    where = f"{source}." if source else ""
    return ", ".join(f"{left} = {where}{typed_name(right)}" for left, right in on.items())


def typed_name(name: str) -> str:
    """Return a column's name as it is typed: in double quotes where a sign in it would part it."""
    plain = name == name.strip() and not set(name) & set(",='\"()[]")
    return name if plain else '"' + name.replace('"', '""') + '"'


def kind_text(link: Link) -> str:
    """Return which rows of the source a row gets."""
    if not link.asof:
        return _("left join: every row with the key")
    when = _("before") if link.strict else _("at or before")
    return _("as-of join: the latest {asof} {when} the decision").format(asof=link.asof, when=when) + (
        _(", at most {tolerance} old").format(tolerance=link.tolerance) if link.tolerance else ""
    )


def matched_text(preview: LinkPreview) -> str:
    """Return how many rows find a partner."""
    report = preview.report
    return _("{matched} of {rows_in} rows ({match_rate})").format(
        matched=number(report.matched), rows_in=number(report.rows_in), match_rate=share(report.match_rate, 2)
    )


def facts(preview: LinkPreview) -> list[tuple[str, Cell]]:
    """Return what a link would do, in words."""
    report = preview.report
    total = max(1, report.rows_in)
    lost = share(report.orphan_rows / total, 2)
    found: list[tuple[str, Cell]] = [
        (_("matched"), matched_text(preview)),
        (_("rows"), rows_cell(preview)),
        (
            _("orphans"),
            _("{orphan_keys} keys, {orphan_rows} rows ({lost}) find none").format(
                orphan_keys=number(report.orphan_keys), orphan_rows=number(report.orphan_rows), lost=lost
            ),
        ),
        (_("no key"), _("{null_keys} rows").format(null_keys=number(report.null_keys))),
    ]
    if report.kind == "asof":
        late = _("{untimely_rows} rows have the key, but no row early or young enough").format(
            untimely_rows=number(report.untimely_rows)
        )
        found += [(_("in time"), late), (_("age"), ages_text(report))]
    return [
        *found,
        (
            _("right"),
            _("{right_keys} keys in {right_rows} rows").format(
                right_keys=number(preview.right_keys), right_rows=number(preview.right_rows)
            ),
        ),
        (
            _("unused"),
            _("{unused_keys} keys, {unused_rows} rows").format(
                unused_keys=number(report.unused_keys), unused_rows=number(preview.unused_rows)
            ),
        ),
        (_("repeated"), repeated_text(preview)),
        (
            _("no key"),
            _("{right_null_rows} rows of {source}").format(
                right_null_rows=number(preview.right_null_rows), source=report.source
            ),
        ),
    ]


def repeated_text(preview: LinkPreview) -> str:
    """Return how many keys stand more than once on the right."""
    count = preview.report.duplicate_keys
    if preview.report.kind == "asof":
        return _("{count} keys more than once at one moment; the last row is taken").format(count=number(count))
    return _("{count} keys, {duplicate_rows} rows").format(
        count=number(count), duplicate_rows=number(preview.duplicate_rows)
    )


def rows_cell(preview: LinkPreview) -> Cell:
    """Return the rows before and after; a join that multiplies them is marked."""
    report = preview.report
    text = f"{number(report.rows_in)} → {number(report.rows_out)}"
    if not report.multiplies:
        return _("{text}, none added").format(text=text)
    return Content.styled(f"▲ {text}, ×{number(report.rows_out / max(1, report.rows_in), 1)}", "$warn")


def match_line(preview: LinkPreview, width: int) -> Content:
    """Return the match rate as a bar of `width` cells, with its share."""
    rate = preview.report.match_rate
    return Content.assemble(rate_bar(rate, width), f" {share(rate, 2)}")


def match_content(preview: LinkPreview, width: int) -> Content:
    """Return match rate, rows and what has no key as four lines; `width` is that of the bar."""
    report = preview.report
    of = _("{matched} of {rows_in} rows").format(matched=number(report.matched), rows_in=number(report.rows_in))
    rest = _("{null_keys} without a key").format(null_keys=number(report.null_keys))
    if report.kind == "asof":
        rest += _(", {untimely_rows} not in time").format(untimely_rows=number(report.untimely_rows))
    lines = [match_line(preview, width), Content(of), drawable(rows_cell(preview)), Content(rest)]
    return Content("\n").join(lines)


def calm_words(preview: LinkPreview) -> str:
    """Return what is said where there is nothing to warn of."""
    report = preview.report
    if report.kind == "asof":
        return _("No row knows the future. Age of what is taken: {ages_text}.").format(ages_text=ages_text(report))
    if report.travel:
        names = ", ".join(one.column for one in report.travel)
        return _("No row knows the future: {names} is never later than {decided}.").format(
            names=names, decided=preview.decided
        )
    return _("{source} has no column of times that could be later than the decision; no row is added.").format(
        source=report.source
    )


def fan_out_bars(preview: LinkPreview) -> list[tuple[str, float | None, str]]:
    """Return the fan-out as bars: right rows of a left row, left rows, and both in words."""
    total = max(1, preview.report.rows_in)
    return [
        (f"{label:>3}", float(rows) if rows else None, f"{number(rows)} {share(rows / total):>6}")
        for label, rows in fan_out_of(preview.report.fan_out)
    ]


def fan_out_marks(preview: LinkPreview) -> list[str]:
    """Return the style of each bar: no partner and several are what a person has to look at."""
    return ["$warn" if label != "1" else "$ok" for label, _ in fan_out_of(preview.report.fan_out)]


def warnings(preview: LinkPreview) -> list[str]:
    """Return what to think about before the link is declared, the gravest first, each with its remedy."""
    report = preview.report
    said = [travel_warning(one) for one in report.travel if one.rows and report.kind == "left"]
    if report.multiplies:
        keys = _("{duplicate_keys} keys stand more than once in {source}").format(
            duplicate_keys=number(report.duplicate_keys), source=report.source
        )
        remedy = (
            " " + _('or take the latest row in time: asof = "{times}"').format(times=preview.times[0])
            if preview.times
            else ""
        )
        said.append(
            _("The join makes {rows_out} rows of {rows_in}: {keys}. Add a key{remedy}.").format(
                rows_out=number(report.rows_out), rows_in=number(report.rows_in), keys=keys, remedy=remedy
            )
        )
    if preview.near is not None:
        near = preview.near
        said.append(
            _("{keys} orphan keys ({rows} rows) are only written differently: they are found by {on_text}.").format(
                keys=number(near.keys), rows=number(near.rows), on_text=on_text(near.on)
            )
        )
    elif report.rows_in and not report.matched:
        said.append(_("No row finds a partner: look at the orphan keys of both sides, how are they written?"))
    if preview.times and not preview.decided:
        names = ", ".join(preview.times[:3])
        said.append(
            _(
                "{source} has times ({names}), but dataset.time is not known at this link: nothing says "
                "whether they are later than the decision. Set dataset.time to a column of the base."
            ).format(source=report.source, names=names)
        )
    if preview.rest:
        said.append(_("With this link the rest is refused: {rest}").format(rest=preview.rest))
    return said


def travel_warning(travel: TimeTravel) -> str:
    """Return the warning of rows that know the future, with an example and the remedy."""
    many = _("{rows} of {of} joined rows ({share})").format(
        rows=number(travel.rows), of=number(travel.of), share=share(travel.share)
    )
    example = ""
    if travel.examples:
        key, decided, later = travel.examples[0]
        example = " " + _("{key}: decided {short_time}, {column} {short_time2}.").format(
            key=", ".join(key), short_time=short_time(decided), column=travel.column, short_time2=short_time(later)
        )
    return _(
        "{column} is later than the decision in {many}, by up to {most_seconds}: the join knows "
        'the future.{example} Use an as-of join: asof = "{column}".'
    ).format(column=travel.column, many=many, most_seconds=duration(travel.most_seconds), example=example)


def short_time(text: str) -> str:
    """Return a moment as DuckDB writes it without the zone, which is UTC, and without seconds that are 0."""
    return text.removesuffix("+00").removesuffix(":00")


def travel_rows(preview: LinkPreview) -> list[Row]:
    """Return the rows that know the future, as examples."""
    rows: list[Row] = []
    for one in preview.report.travel:
        for place, (key, decided, later) in enumerate(one.examples):
            cells = [", ".join(key), short_time(decided), short_time(later), one.column]
            rows.append(Row(f"{one.column} {place}", cells))
    return rows


def key_rows(keys: Sequence[KeyRows], top: int, *, slim: bool, asked: bool = False, offset: int = 0) -> list[Row]:
    """Return keys with their rows; `top` is the most rows of any, `asked` shows how many rows ask for each."""
    rows: list[Row] = []
    for place, one in enumerate(keys, offset):
        key = ", ".join(one.key)
        cells: list[Cell] = [key, number(one.rows)]
        values: list[str | int] = [key, one.rows]
        if not slim:
            if asked:
                cells.append(number(one.asked))
                values.append(one.asked)
            cells.append(Content.styled(bar(one.rows / max(1, top), BAR), "$warn"))
            values.append(one.rows)
        rows.append(Row(f"{place}", cells, values))
    return rows


def proposal_row(proposal: KeyProposal) -> Row:
    """Return proposed keys with what they were measured to do."""
    keys = on_text(proposal.on) + (_(", latest {asof}").format(asof=proposal.asof) if proposal.asof else "")
    after = number(proposal.rows_out)
    cells: list[Cell] = [
        keys,
        Content.assemble(rate_bar(proposal.match_rate, 6), f" {share(proposal.match_rate)}"),
        share(proposal.unique),
        Content.styled(f"▲ {after}", "$warn") if proposal.rows_out > proposal.rows_in else after,
        told(proposal.why),
    ]
    values = [keys, proposal.match_rate, proposal.unique, proposal.rows_out, proposal.why]
    return Row(keys, cells, values)


def brings_text(preview: LinkPreview) -> str:
    """Return the columns a link brings, under their names in the dataset."""
    names = list(preview.brings.values())
    return f"{len(names)}: {', '.join(safe(name, limit=40) for name in names)}" if names else MISSING
