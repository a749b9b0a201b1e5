"""A link as the lines of a form: what each field says, and what was typed into it as a link again. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from textual.content import Content

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data import Snapshot, left_columns
from lemnis.engine.errors import BadInput
from lemnis.tui.language import N_, _
from lemnis.tui.stages.data.link_rows import on_text
from lemnis.tui.widgets import Cell, Col, Row

KEYS = (
    ("enter", "edit"), ("p", "keys"), ("a", "as-of"), ("w", "write"), ("u", "undo"), ("d", "remove"),
    ("[ ]", "link"), ("?", "help"), ("esc", ""),
)  # fmt: skip
FORM = (Col("field"), Col("value", flex=True))
TYPED = {  # the fields that are typed, each with an example
    "on": "dest = faa, time_hour = time_hour",
    "prefix": "plane_",
    "tolerance": "2h, 30 min or 1.5d",
}
FLAGS = ("strict", "overwrite")
LABELS = {"on": N_("keys"), "columns": N_("brings"), "asof": N_("as of"), "time": N_("known at")}


class Built(Struct, frozen=True):
    """What came of the builder: a link was written or removed."""

    done: Literal["written", "removed"]
    source: str


class Desk(Struct, frozen=True):
    """What a link is built from: the dataset as it is declared, and what each source held last."""

    dataset: Dataset
    snapshots: dict[str, Snapshot | None]


def form_rows(link: Link) -> list[Row]:
    """Return the fields of a link that mean something in it."""
    names = ["source", "on", "columns", "prefix", "asof"]
    names += ["tolerance", "strict"] if link.asof else ["time", "overwrite"]
    return [Row(name, [_(LABELS.get(name, name)), field_cell(link, name)]) for name in names]


def field_cell(link: Link, name: str) -> Cell:
    """Return what a field says, muted where nothing is declared."""
    if name == "on" and link.on:
        return on_text(link.on)
    if name == "columns" and link.columns:
        return ", ".join(link.columns)
    value = getattr(link, name)
    if name in FLAGS:
        words = {"strict": (_("only rows before the decision"), _("the decision's own moment counts"))}
        words |= {"overwrite": (_("takes the place of columns of the same name"), _("no"))}
        return words[name][0] if value else Content.styled(words[name][1], "$muted")
    if value and name not in ("on", "columns"):
        return str(value)
    unset = {
        "source": _("enter chooses one"),
        "on": _("p proposes some"),
        "columns": _("all but the keys"),
        "prefix": _("none"),
        "asof": _("no: every row with the key"),
        "tolerance": _("any age"),
        "time": _("every column of times is compared"),
    }
    return Content.styled(unset[name], "$muted")


def typed_value(link: Link, name: str) -> str:
    """Return what stands in the prompt when a field is to be typed."""
    return on_text(link.on) if name == "on" else str(getattr(link, name))


def with_typed(link: Link, name: str, text: str) -> Link:
    """Return a link with what was typed into a field.

    Raises:
        BadInput: Keys are not written as pairs.
    """
    if name == "on":
        return msgspec.structs.replace(link, on=pairs_of(text))
    return msgspec.structs.replace(link, **{name: text.strip() if name == "tolerance" else text})


def with_asof(link: Link, column: str) -> Link:
    """Return a link that takes the latest row by a column of times, or every row when it is empty.

    A time that was among the keys leaves them, unless it is the only one; what belongs to the other kind goes.
    """
    if not column:
        return msgspec.structs.replace(link, asof="", tolerance="", strict=False)
    rest = {left: right for left, right in link.on.items() if right != column}
    return msgspec.structs.replace(link, asof=column, on=rest or link.on, time="")


def pairs_of(text: str) -> dict[str, str]:
    """Return pairs of keys as they are typed: expressions on the left, columns of the source on the right.

    Commas part the pairs, except in brackets and quotes; one name stands for both sides; a right side in double
    quotes is taken as it is.

    Raises:
        BadInput: A side is empty.
    """
    pairs: dict[str, str] = {}
    for part in parted(text, ","):
        *lefts, right = parted(part, "=", keep=True)
        left = "=".join(lefts).strip()
        if not right.strip() or (lefts and not left):
            raise BadInput("A key needs two sides.", "Write LEFT = RIGHT, parted by commas.")
        pairs[left or right.strip()] = unquoted(right.strip())
    return pairs


def unquoted(name: str) -> str:
    """Return a column's name without the double quotes around it."""
    return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name


def parted(text: str, sign: str, *, keep: bool = False) -> list[str]:
    """Return what stands between the signs that are in no brackets and no quotes; empty parts only with `keep`."""
    parts, depth, quoted = [""], 0, ""
    for char in text:
        if quoted:
            quoted = "" if char == quoted else quoted
        elif char in "'\"":
            quoted = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == sign and depth <= 0:
            parts.append("")
            continue
        parts[-1] += char
    return parts if keep else [part.strip() for part in parts if part.strip()]


def with_prefix(desk: Desk, link: Link, position: int) -> Link:
    """Return a new link with the prefix that it needs, so that what it brings meets no column that is there."""
    shapes = {name: [field.name for field in one.columns] for name, one in desk.snapshots.items() if one is not None}
    taken = left_columns(desk.dataset, position, shapes)
    brings = [name for name in shapes.get(link.source, []) if name not in link.on.values()]
    return msgspec.structs.replace(link, prefix=usual_prefix(link.source, taken, brings))


def title_of(desk: Desk, position: int, *, edited: bool) -> tuple[str, str]:
    """Return which link of the dataset is edited, from 1 and 0 before that is known, and how it differs."""
    of = _("edited") if edited else _("as it is declared")
    if position > len(desk.dataset.links) or not position:
        of = _("new")
    return (
        _("Link {position} of {name}").format(position=position, name=desk.dataset.name) if position else _("Link")
    ), of


def usual_prefix(source: str, taken: Sequence[str], right: Sequence[str]) -> str:
    """Return the prefix a new link begins with: none, unless a column of the source has a name that is taken."""
    return f"{source}_" if set(taken) & set(right) else ""


HELP = """\
A link is a left join: every row on the left stays. What it does is counted on the newest snapshots by the steps that
link, and nothing is written before w.

enter  edit the field; in a list: all of its keys
tab    the next list
p      keys that fit both sides, counted
a      as-of join: the latest row in time
w      write the link into lemnis.toml
u      take the edit back
d      take the link out of lemnis.toml
[ ]    the link before, the link after
y      copy what the cursor is on
esc    leave without a change

Orphans: keys on the left that no row on the right has.
Unused: keys on the right that nobody asks for.
Repeated: keys that stand more than once on the right; each
multiplies the rows that ask for it.
A time later than dataset.time was not known when the row was decided: what learns from it fails in production."""


def lost_words(uses: str, refusal: str) -> str:
    """Return what is lost with a link: what uses its columns, and why the rest would be refused."""
    return "; ".join(
        filter(None, [uses, refusal and _("without it the rest is refused: {refusal}").format(refusal=refusal)])
    )
