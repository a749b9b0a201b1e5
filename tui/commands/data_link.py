"""What `lemnis data link` does before anything is made: look at a link, propose its keys, declare it, take it out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from msgspec import Struct, field

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data import SIDES, KeyRows, LinkDraft, LinkPreview, Side, drafted, fan_out_of
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.group import print_facts, print_json, print_table, say, session_of
from lemnis.tui.stages.data import link_rows
from lemnis.tui.widgets.cells import plain

TOP = 10  # keys of each kind that are printed


class Wish(Struct, frozen=True):
    """What was asked on the command line; what is None stays as it is declared."""

    name: str = ""
    base: str = ""
    right: str = ""
    on: Sequence[str] = ()
    columns: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])  # Any: texts and truths
    export: Path | None = None
    side: Side = "left"
    why: str = ""

    @property
    def given(self) -> bool:
        """Whether anything of a link is said."""
        return bool(self.name or self.base or self.right or self.on or self.columns or self.facts or self.export)


def look(context: typer.Context, wish: Wish, *, declare: bool) -> None:
    """Print what a link would do, export keys if that was asked, and declare it if that was."""
    session = session_of(context)
    dataset = session.engine.config().dataset
    draft, was = draft_of(dataset, wish)
    if declare and dataset.base and draft.dataset.base != dataset.base:
        problem = f"The base of [dataset] is {dataset.base}, not {draft.dataset.base}."
        raise BadInput(problem, "Leave out --left, or --declare.", "dataset.base")
    with session.engine.data.link_bench() as bench:
        preview = bench.preview(draft)
        exported = bench.export(draft, wish.side, wish.export) if wish.export else None
    position = None
    if declare:
        position = session.engine.data.declare_link(draft, was=was, who=user_name(), why=wish.why)
    if session.json:
        print_json(document(draft, preview) | {"exported": exported, "declared": position})
        return
    print_preview(draft, preview)
    if wish.export:
        say(f"\n{exported:,} {SIDES[wish.side]} are in {wish.export}.")
    if position:
        say(f"\nIt is link {position} of lemnis.toml. Make a version with `lemnis data link`.")


def propose(context: typer.Context, wish: Wish) -> None:
    """Print the keys that fit a source."""
    session = session_of(context)
    dataset = session.engine.config().dataset
    draft, _ = draft_of(dataset, wish) if wish.name else (drafted(based(dataset, wish), linked(wish, None)), None)
    with session.engine.data.link_bench() as bench:
        found = bench.proposals(draft)
    if session.json:
        print_json({"source": draft.link.source, "proposals": found})
        return
    if not found:
        say(f"No columns of {draft.link.source} fit: name them with --on LEFT=RIGHT.")
        return
    rows = [[plain(cell) for cell in link_rows.proposal_row(one).cells] for one in found]
    headers = [column.label for column in link_rows.PROPOSALS]
    print_table(headers, rows, right={"matched", "unique right", "rows after"})


def remove(context: typer.Context, wish: Wish, *, yes: bool) -> None:
    """Take a declared link out of lemnis.toml; ask first when something uses its columns.

    Raises:
        BadInput: Something does, there is nobody to ask, and it was not said that this is fine.
        Abort: The answer is no.
    """
    session = session_of(context)
    position, link = declared(session.engine.config().dataset, wish.name)
    uses = session.engine.lifecycle.link_dependents(position).words
    if uses and not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"Without the link to {link.source}: {uses}.", "Change those first, or say --yes.")
        typer.confirm(f"{uses}. Take the link to {link.source} out all the same?", abort=True, err=True)
    session.engine.data.remove_link(position, link, who=user_name(), why=wish.why)
    if session.json:
        print_json({"removed": {"position": position, "source": link.source, "uses": uses}})
    else:
        say(f"The link to {link.source} is out of lemnis.toml; what it was is in `lemnis problem history`.")
        if uses:
            say(f"▲ {uses}.")


def draft_of(dataset: Dataset, wish: Wish) -> tuple[LinkDraft, Link | None]:
    """Return the link that is meant, and the declared one that it would replace.

    Raises:
        BadInput: It is not said which.
        NotFound: None is declared by that name.
    """
    if wish.name:
        position, was = declared(dataset, wish.name)
        return drafted(based(dataset, wish), linked(wish, was), position), was
    return drafted(based(dataset, wish), linked(wish, None)), None


def declared(dataset: Dataset, name: str) -> tuple[int, Link]:
    """Return the declared link of this source or number, with its position.

    Raises:
        NotFound: There is none.
        BadInput: There are several.
    """
    links = list(enumerate(dataset.links, 1))
    found = [(number, link) for number, link in links if name in (link.source, str(number))]
    known = ", ".join(f"{number} {link.source}" for number, link in links) or "none"
    if not found:
        raise NotFound(
            f"No link {name!r} is declared.", f"Declared: {known}. A new one: --right SOURCE --on LEFT=RIGHT."
        )
    if len(found) > 1:
        raise BadInput(f"{len(found)} links have the source {name}.", f"Give the number: {known}.")
    return found[0]


def based(dataset: Dataset, wish: Wish) -> Dataset:
    """Return the dataset, or that of another base without its links, for two sources as such."""
    if not wish.base or wish.base == dataset.base:
        return dataset
    return Dataset(name=dataset.name, base=wish.base, time=dataset.time)


def linked(wish: Wish, was: Link | None) -> Link:
    """Return the link with what was given, the rest as it is declared."""
    source = wish.right or (was.source if was else "")
    if not source:
        raise BadInput("No source is named.", "Name a declared link, or give --right SOURCE.")
    link = was or Link(source=source, on={})
    given = {"source": source, **wish.facts}
    if wish.on:
        given["on"] = dict(pair(text) for text in wish.on)
    if wish.columns:
        given["columns"] = list(wish.columns)
    return msgspec.structs.replace(link, **given)


def pair(text: str) -> tuple[str, str]:
    """Return left and right of ``dest=faa``; one name stands for both sides."""
    left, _, right = text.rpartition("=")
    left, right = left.strip(), right.strip()
    return left or right, right


# Any: a JSON document.
def document(draft: LinkDraft, preview: LinkPreview) -> dict[str, Any]:
    """Return a preview as its document."""
    link, report = draft.link, preview.report
    return {
        "position": draft.position,
        "base": draft.dataset.base,
        "link": link,
        "report": {name: getattr(report, name) for name in report.__struct_fields__}
        | {"match_rate": report.match_rate, "multiplies": report.multiplies},
        "fan_out": dict(fan_out_of(report.fan_out)),
        **{name: getattr(preview, name) for name in preview.__struct_fields__ if name != "report"},
        "warnings": link_rows.warnings(preview),
    }


def print_preview(draft: LinkDraft, preview: LinkPreview) -> None:
    """Print what a link would do."""
    link = draft.link
    title = f"{draft.dataset.base} ⟕ {link.source} on {link_rows.on_text(link.on, link.source)}"
    facts = [("link", title), ("takes", link_rows.kind_text(link)), ("brings", link_rows.brings_text(preview))]
    print_facts([*facts, *((label, plain(cell)) for label, cell in link_rows.facts(preview))])
    say("\nrows on the right of each row on the left")
    for label, size, words in link_rows.fan_out_bars(preview):
        print(f"  {label}  {words:>18}  {link_rows.bar((size or 0) / max(1, preview.report.rows_in), 30)}".rstrip())
    for text in link_rows.warnings(preview):
        say(f"\n▲ {text}")
    later = link_rows.travel_rows(preview)
    if later:
        say()
        print_table(["key", "decided", "later", "column"], [[plain(cell) for cell in row.cells] for row in later])
    kinds: tuple[tuple[Side, list[KeyRows]], ...] = (
        ("left", preview.orphans),
        ("right", preview.unused),
        ("duplicates", preview.duplicates),
    )
    for side, keys in kinds:
        if keys:
            say(f"\n{SIDES[side]}")
            print_table(
                ["key", "rows"], [(", ".join(one.key), shown.number(one.rows)) for one in keys[:TOP]], right={"rows"}
            )
