"""What is at both ends of sharing, as rows and sentences. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content

from lemnis.engine.share import Item, Origin, Overview
from lemnis.tui.format import MISSING, age, bytes_, when
from lemnis.tui.language import N_, _
from lemnis.tui.widgets import Cell, Col, Row

COLUMNS = (Col("name", most=30), Col("where"), Col("size", right=True), Col("made", right=True), Col("from", flex=True))
WIDE_COLUMNS = (
    *(Col("name", most=30), Col("kind"), Col("title", most=34), Col("where"), Col("size", right=True)),
    *(Col("made", right=True), Col("id"), Col("from", "from workspace", flex=True)),
)
DECLARE = N_(
    'No remote is declared: leave with esc, press {app.edit}, and add [remotes.team] with url = "s3://bucket/prefix", '
    '"sftp://host/folder" or a folder. Bundles need none: b writes one, i takes one in.'
)
EMPTY = N_("Nothing to share yet. Link a version (n) or train a run, or take a bundle in (i).")


class ShareView(Struct, frozen=True):
    """What is where, read at one moment; `url` is empty where no remote is declared or it was not reached."""

    at: int
    remotes: list[str]
    remote: str
    found: Overview
    origins: dict[str, Origin]


def newest_first(items: Sequence[Item]) -> list[Item]:
    """Return things by when they were made."""
    return sorted(items, key=lambda item: -item.created_at)


def keys_line(read_only: bool) -> Content:
    """Return the screen's keys."""
    keys = [("r", _("next remote")), ("R", _("look again")), ("esc", "back")]
    if not read_only:
        keys = [("u", "push"), ("d", "pull"), ("b", "bundle"), ("i", "import"), ("x", "stop"), ("r", "remote")]
        keys = [("space", "mark"), *keys, ("esc", "back")]
    return Content("").join([Content.assemble((f" {key}", "$key"), f" {_(does)} ") for key, does in keys])


def title_text(view: ShareView) -> str:
    """Return which remote it is and how both sides differ."""
    items = view.found.items
    if not view.remote:
        return _("{items} here, no remote").format(items=len(items))
    if not view.found.url:
        return _("{remote} did not answer").format(remote=view.remote)
    ahead = sum(item.here and not item.there for item in items)
    behind = sum(item.there and not item.here for item in items)
    both = len(items) - ahead - behind
    return _("{remote}: {ahead} here only, {behind} there only, {both} both · {url}").format(
        remote=view.remote, ahead=ahead, behind=behind, both=both, url=view.found.url
    )


def note_text(view: ShareView) -> str:
    """Return what a person has to know before anything else; empty for nothing."""
    if not view.remotes:
        return _(DECLARE)
    faults = view.found.faults
    more = (" " + _("(and {faults} more)").format(faults=len(faults) - 1)) if len(faults) > 1 else ""
    return f"▲ {faults[0]}{more}" if faults else ""


def where_cell(item: Item, remote: str) -> Cell:
    """Return where a thing is, in glyph and words."""
    if item.here and item.there:
        return Content.styled(_("● both"), "$ok")
    if item.there:
        return Content.styled(_("↓ {remote} only").format(remote=remote), "$warn")
    return Content.styled(_("↑ here only"), "$busy") if remote else Content(_("here"))


def thing_row(item: Item, view: ShareView, *, wide: bool) -> Row:
    """Return the cells of one thing."""
    origin = view.origins.get(item.id)
    source = origin.workspace_name if origin is not None else "" if item.here else item.maker
    came = _("{source}, {local} here").format(source=source, local=item.local) if item.local and source else source
    size = bytes_(item.bytes) if item.bytes else MISSING
    made = age(item.created_at, view.at)
    where = where_cell(item, view.remote)
    if not wide:
        return Row(item.id, (item.ref, where, size, made, came or MISSING))
    return Row(item.id, (item.ref, item.kind, item.title, where, size, made, item.short, came or MISSING))


def thing_text(item: Item, origin: Origin | None) -> str:
    """Return all that is known of one thing."""
    lines = [
        _("{kind} {ref}, made {created_at}").format(kind=item.kind, ref=item.ref, created_at=when(item.created_at)),
        f"id {item.id}",
        f"{bytes_(item.bytes)}" if item.bytes else _("its files have not been measured"),
    ]
    if origin is not None:
        checks = (" " + _("Its checks there: {checks}.").format(checks=origin.checks)) if origin.checks else ""
        lines.append(_("It came {at} from {text}.{checks}").format(at=when(origin.at), text=origin.text, checks=checks))
    elif item.maker and not item.here:
        lines.append(_("It was made in workspace {maker}.").format(maker=item.maker))
    else:
        lines.append(_("It was made here."))
    return "\n".join(lines)


def things(ids: Sequence[str]) -> str:
    """Return how many things, in words."""
    return _("1 thing") if len(ids) == 1 else _("{ids} things").format(ids=len(ids))
