"""Changes of code lists and quarantine rules in the text of lemnis.toml, comments kept. Pure."""

# tomlkit's items answer to whatever their value does: Any, here alone.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from typing import Any

import tomlkit

from lemnis.engine.config import Check, Code
from lemnis.engine.errors import BadInput


def promote(document: Any, check: Check) -> str:
    """Give a check that lists its values, or refers to a column, a code list of its own; return the list's name."""
    name = check.name
    if name in document.get("code_lists", {}):
        raise BadInput(
            f"There is a code list {name!r} already.", f'Write codes = "{name}" in the check.', "lemnis.toml"
        )
    table = tomlkit.table()
    if check.values:
        codes = tomlkit.array()
        codes.extend(check.values)
        table["codes"] = codes
    if check.reference:
        table["reference"] = check.reference
    if check.owner:
        table["owner"] = check.owner
    declared = next(each for each in document["checks"] if each["name"] == name)
    declared["kind"] = "code_list"
    for key in ("values", "reference"):
        declared.pop(key, None)
    declared["codes"] = name
    lists_of(document)[name] = table
    return name


def lists_of(document: Any) -> Any:
    """Return the table of code lists, made when it is missing."""
    if "code_lists" not in document:
        document["code_lists"] = tomlkit.table(is_super_table=True)
    return document["code_lists"]


def add_codes(document: Any, name: str, codes: list[Code]) -> None:
    """Add codes to a list.

    Raises:
        BadInput: One stands there already.
    """
    table = lists_of(document)[name]
    if "codes" not in table:
        table["codes"] = tomlkit.array()
    known = {code_of(entry) for entry in table["codes"]}
    for code in codes:
        if code.code in known:
            raise BadInput(f"{code.code!r} is a code of {name} already.", "Look at it: `lemnis validate codes show`.")
        table["codes"].append(written(code))
        table.get("synonyms", {}).pop(code.code, None)


def remove_codes(document: Any, name: str, codes: list[str]) -> None:
    """Take codes from a list."""
    entries = lists_of(document)[name]["codes"]
    for code in codes:
        del entries[place_of(entries, name, code)]


def replace_code(document: Any, name: str, code: Code) -> None:
    """Write a code of a list anew."""
    entries = lists_of(document)[name]["codes"]
    entries[place_of(entries, name, code.code)] = written(code)


def set_synonyms(document: Any, name: str, synonyms: list[str], target: str | None) -> None:
    """Let texts stand for a code, or for none any more."""
    table = lists_of(document)[name]
    if "synonyms" not in table:
        table["synonyms"] = tomlkit.table()
    for synonym in synonyms:
        if target is not None:
            table["synonyms"][synonym] = target
        elif table["synonyms"].pop(synonym, None) is None:
            raise BadInput(f"{synonym!r} is no synonym in {name} any more.", "Somebody changed it since.")


def quarantine(document: Any, column: str, values: list[str], why: str) -> None:
    """Add a rule that leaves rows out of the dataset."""
    if "dataset" not in document:
        document["dataset"] = tomlkit.table()
    dataset = document["dataset"]
    if "quarantine" not in dataset:
        dataset["quarantine"] = tomlkit.aot()
    rule = tomlkit.table()
    rule.update({"column": column, "values": values, "why": why})
    dataset["quarantine"].append(rule)


def release(document: Any, column: str, values: list[str]) -> None:
    """Take back a rule that leaves rows out.

    Raises:
        BadInput: It is not there as it was.
    """
    rules = document.get("dataset", {}).get("quarantine", [])
    for place, rule in enumerate(rules):
        if rule["column"] == column and list(rule["values"]) == values:
            del rules[place]
            if not len(rules):
                del document["dataset"]["quarantine"]
            return
    raise BadInput(f"The quarantine of {column} is not there as it was.", "Edit [[dataset.quarantine]] with e.")


def written(code: Code) -> Any:
    """Return a code as it is written: its text, or an inline table where there is more to say."""
    more = {key: value for key in ("start", "end", "replacement", "meaning") if (value := getattr(code, key))}
    if not more:
        return code.code
    table = tomlkit.inline_table()
    table.update({"code": code.code, **more})
    return table


def code_of(entry: Any) -> str:
    """Return the code of an entry, a text or a table."""
    return str(entry["code"]) if isinstance(entry, dict) else str(entry)


def place_of(entries: Any, name: str, code: str) -> int:
    """Return where a code stands in its list."""
    for place, entry in enumerate(entries):
        if code_of(entry) == code:
            return place
    raise BadInput(f"{code!r} is no code of {name}.", "Look at them: `lemnis validate codes show`.")
