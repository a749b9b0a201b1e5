"""Links in the text of lemnis.toml: added, changed key by key, or taken out; comments and order stay. Pure."""

import re
import tomllib
from typing import Any

import msgspec
import tomlkit
from tomlkit.items import AoT

from lemnis.engine.config import Link
from lemnis.engine.errors import BadInput

HEADER = re.compile(r"^\s*\[\[?([A-Za-z0-9_.\s-]+)\]")


def text_with_link(text: str, link: Link, position: int | None = None) -> str:
    """Return a lemnis.toml text with a link in place of the one at `position` (from 1), or behind all others.

    Of a link that is there only the keys that differ are written, so that what stands beside the others stays.

    Raises:
        BadInput: There is no link at that position.
    """
    wanted = declared_links(text)
    facts = declared_facts(link)
    if position is None:
        wanted = [*wanted, facts]
        return checked(inserted(text, link), wanted) or sure(appended(text, facts), wanted)
    document = tomlkit.parse(text)
    table = _links(document, position)[position - 1]
    now = wanted[position - 1]
    for name in [name for name in now if name not in facts]:
        del table[name]
    for name, value in facts.items():
        if now.get(name) != value or (name == "on" and list(now["on"]) != list(value)):
            table[name] = value
    wanted[position - 1] = facts
    return sure(tomlkit.dumps(document), wanted)


def text_without_link(text: str, position: int) -> str:
    """Return a lemnis.toml text without the link at `position`, from 1.

    Raises:
        BadInput: There is none.
    """
    wanted = declared_links(text)
    document = tomlkit.parse(text)
    links = _links(document, position)
    del wanted[position - 1]
    cut = checked(cut_out(text, position), wanted)
    if cut:
        return cut
    del links[position - 1]
    if not wanted:
        del document["dataset"]["links"]  # pyright: ignore[reportIndexIssue]
    return sure(tomlkit.dumps(document), wanted)


def inserted(text: str, link: Link) -> str:
    """Return a text with a link behind the last one, or behind [dataset], before the comments of what follows.

    tomlkit would put it behind those comments. What is found here by its look only is checked by the caller.
    """
    lines, headers = looked_through(text)
    links = [n for n, name in headers.items() if name == "dataset.links" or name.startswith("dataset.links.")]
    start = max(links, default=next((n for n, name in headers.items() if name == "dataset"), -1))
    if start < 0:
        return text
    end = end_of(lines, min((number for number in headers if number > start), default=len(lines)))
    return f"{''.join(lines[:end]).rstrip()}\n\n{link_toml(link)}{''.join(lines[end:])}"


def cut_out(text: str, position: int) -> str:
    """Return a text without the lines of a link; the comments of what follows stay, which tomlkit would take along."""
    lines, headers = looked_through(text)
    links = [number for number, name in headers.items() if name == "dataset.links"]
    if position > len(links):
        return text
    start = links[position - 1]
    later = [n for n, name in headers.items() if n > start and not name.startswith("dataset.links.")]
    end = end_of(lines, min(later, default=len(lines)))
    while end < len(lines) and not lines[end].strip():
        end += 1
    return "".join(lines[:start] + lines[end:])


def looked_through(text: str) -> tuple[list[str], dict[int, str]]:
    """Return the lines of a text, and the name of the table that begins in each line that looks like it."""
    lines = text.splitlines(keepends=True)
    return lines, {number: found[1].strip() for number, line in enumerate(lines) if (found := HEADER.match(line))}


def end_of(lines: list[str], end: int) -> int:
    """Return where a table's lines end: before the comments and blanks above the next table."""
    while end and (lines[end - 1].strip() == "" or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def appended(text: str, facts: dict[str, Any]) -> str:
    """Return a text with a link as the last item of whatever holds the links."""
    document = tomlkit.parse(text)
    links = _links(document, None)
    table = tomlkit.table() if isinstance(links, AoT) else tomlkit.inline_table()
    for name, value in facts.items():
        table[name] = value
    links.append(table)
    return tomlkit.dumps(document)


def link_toml(link: Link) -> str:
    """Return a link as it is written in lemnis.toml."""
    table = tomlkit.table()
    table.update(declared_facts(link))
    return f"[[dataset.links]]\n{table.as_string()}"


def declared_links(text: str) -> list[dict[str, Any]]:
    """Return the links of a text as plain values."""
    return list(tomllib.loads(text).get("dataset", {}).get("links", []))


def checked(text: str, wanted: list[dict[str, Any]]) -> str:
    """Return a text if it declares just these links, else an empty one."""
    try:
        return text if declared_links(text) == wanted else ""
    except tomllib.TOMLDecodeError:
        return ""


def sure(text: str, wanted: list[dict[str, Any]]) -> str:
    """Return a text that declares just these links.

    Raises:
        BadInput: It does not: the links stand apart in the file, where tomlkit loses an edit.
    """
    if not checked(text, wanted):
        raise BadInput("The links are written in a way that can't be changed here.", "Edit lemnis.toml with e.")
    return text


# Any: tomlkit's tables and arrays are typed in part.
def declared_facts(link: Link) -> dict[str, Any]:
    """Return the keys of a link that are not as usual, as they are written; the pairs of keys on one line."""
    facts: dict[str, Any] = msgspec.to_builtins(link)
    usual: dict[str, Any] = msgspec.to_builtins(Link(source=link.source, on={}))
    shown = {name: value for name, value in facts.items() if name in ("source", "on") or value != usual[name]}
    on = tomlkit.inline_table()
    on.update(link.on)
    return shown | {"on": on}


def _links(document: Any, position: int | None) -> Any:
    """Return the document's links, made where there are none; refuse a position that is not there."""
    if "dataset" not in document:
        document["dataset"] = tomlkit.table()
    dataset = document["dataset"]
    if "links" not in dataset:
        dataset["links"] = tomlkit.aot()
    links = dataset["links"]
    if position is not None and not 1 <= position <= len(links):
        raise BadInput(f"There is no link {position} any more.", "Somebody changed lemnis.toml; look again.")
    return links
