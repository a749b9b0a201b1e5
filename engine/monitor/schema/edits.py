"""Edits of findings made in the text of lemnis.toml, comments kept. Pure."""

# tomlkit's items answer to whatever their value does: Any, here alone.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

import difflib
from collections.abc import Callable, Sequence
from typing import Any

import tomlkit

from lemnis.engine.monitor.schema.records import Act, Edit


def migrated(text: str, edits: Sequence[Edit]) -> str:
    """Return a lemnis.toml text with edits made, comments and order kept; what stands there already stays."""
    document = tomlkit.parse(text)
    for edit in edits:
        WRITERS[edit.act](document, edit)
    return tomlkit.dumps(document)


def diff_of(text: str, edits: Sequence[Edit]) -> str:
    """Return what edits would change, as a unified diff; empty when it stands there already."""
    lines = (text.splitlines(), migrated(text, edits).splitlines())
    return "\n".join(difflib.unified_diff(*lines, "lemnis.toml", "lemnis.toml", lineterm="", n=2))


def entries_in(source: Any, name: str) -> Any:
    """Return a table within a source's table, made in one line when it is missing."""
    if name not in source:
        source[name] = tomlkit.inline_table()
    return source[name]


def write_rename(document: Any, edit: Edit) -> None:
    """Give a source's column the name it has from here on."""
    entries_in(document["sources"][edit.target], "rename")[edit.column] = edit.texts[0]


def write_scale(document: Any, edit: Edit) -> None:
    """Convert a source's column when it is read."""
    factor, offset = edit.numbers
    entry = tomlkit.inline_table()
    entry.update({"factor": factor} | ({"offset": offset} if offset else {}))
    entries_in(document["sources"][edit.target], "scale")[edit.column] = entry


def write_null(document: Any, edit: Edit) -> None:
    """Let texts mean that a value is missing."""
    source = document["sources"][edit.target]
    if "null" not in source:
        source["null"] = [""]
    for text in edit.texts:
        if text not in source["null"]:
            source["null"].append(text)


def check_in(document: Any, name: str) -> Any:
    """Return a check by its name; an empty table where it was taken out meanwhile."""
    return next((check for check in document.get("checks", []) if check.get("name") == name), tomlkit.table())


def write_code(document: Any, edit: Edit) -> None:
    """Add codes to a check's list, or to the code list it names."""
    check = check_in(document, edit.target)
    codes = document["code_lists"][check["codes"]]["codes"] if "codes" in check else check.get("values", [])
    known = {str(entry["code"]) if isinstance(entry, dict) else str(entry) for entry in codes}
    for code in edit.texts:
        if code not in known:
            codes.append(code)


def write_nullable(document: Any, edit: Edit) -> None:
    """Let a column be missing: a check that looks at no other goes."""
    check = check_in(document, edit.target)
    if edit.column in check.get("columns", []):
        check["columns"].remove(edit.column)
    if check.get("column") == edit.column:
        del check["column"]
    if check and not check.get("column") and not check.get("columns"):
        checks = document["checks"]
        del checks[next(place for place, one in enumerate(checks) if one.get("name") == edit.target)]


def write_bound(document: Any, edit: Edit) -> None:
    """Widen a range to a bound."""
    value = edit.numbers[0]
    check = check_in(document, edit.target)
    if check:
        check["min" if edit.act == "low" else "max"] = int(value) if value.is_integer() else value


WRITERS: dict[Act, Callable[[Any, Edit], None]] = {
    "rename": write_rename,
    "scale": write_scale,
    "null": write_null,
    "code": write_code,
    "nullable": write_nullable,
    "low": write_bound,
    "high": write_bound,
}
