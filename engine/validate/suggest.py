"""Proposes checks from a profile: what holds today and would be worth knowing if it stopped. Pure."""

import math
import re
from collections.abc import Mapping

import msgspec
import tomlkit

from lemnis.engine.config import Check
from lemnis.engine.explore import Profile

CODES = 20  # a column with more values is no code list
ROOM = 0.1  # share of rows that a table may grow or shrink before somebody should look
FEW = 64  # a number with as many different values is a code, such as an hour: its range is exact
LEAST_VALUES = 5  # different ones from which a pattern is read
SHAPES = {"[0-9]": "[0-9]", "[A-Z]": "[A-Z]", "[a-z]": "[a-z]", "[A-Z0-9]": "[A-Z0-9]", "[a-z0-9]": "[a-z0-9]"}
WORD = str.maketrans({char: "_" for char in " .-/"})


def suggested_checks(
    profiles: list[Profile], key: list[str], declared: list[Check], *, references: Mapping[str, str] | None = None
) -> list[Check]:
    """Return checks that hold for the profiled rows and are not declared yet.

    Args:
        profiles: Every column of one version.
        key: The columns that identify a row.
        declared: What lemnis.toml says already.
        references: SOURCE.COLUMN by the column that is looked up in it.
    """
    if not profiles:
        return []
    rows = profiles[0].rows
    found = [Check(name="rows", kind="row_count", min=rounded(rows * (1 - ROOM)), max=rounded(rows * (1 + ROOM)))]
    if key:
        found.append(Check(name="key_unique", kind="unique", columns=key))
    known_whole = {name for check in declared if check.kind == "not_null" for name in (*check.columns, check.column)}
    whole = [profile.name for profile in profiles if not profile.missing and profile.role != "label"]
    whole = [name for name in whole if name not in known_whole]
    if whole:
        found.append(Check(name="complete", kind="not_null", columns=whole))
    for column, reference in (references or {}).items():
        word = column.translate(WORD)
        found.append(Check(name=f"{word}_known", kind="reference", column=column, reference=reference))
    for profile in profiles:
        found += column_checks(profile, key)
    known = {(check.kind, check.source, *check.columns, check.column) for check in declared}
    names = {check.name for check in declared}
    fresh = [check for check in found if (check.kind, check.source, *check.columns, check.column) not in known]
    return [check for check in fresh if check.name not in names]


def column_checks(profile: Profile, key: list[str]) -> list[Check]:
    """Return the checks that one column's own values suggest."""
    word = profile.name.translate(WORD)
    notes = {note.word for note in profile.notes}
    if profile.role == "label" or not profile.distinct:
        return []
    if "unique" in notes and key != [profile.name]:
        return [Check(name=f"{word}_unique", kind="unique", column=profile.name)]
    if profile.kind == "categorical" and profile.distinct <= CODES and len(profile.top) == profile.distinct:
        codes = sorted(top.value for top in profile.top)
        return [Check(name=f"{word}_codes", kind="code_list", column=profile.name, values=codes)]
    if profile.kind == "numeric" and profile.minimum is not None and profile.maximum is not None:
        low, high = float(profile.minimum), float(profile.maximum)
        if math.isfinite(low) and math.isfinite(high):
            low, high = roomy(low, high, exact=profile.distinct <= FEW)
            return [Check(name=f"{word}_range", kind="range", column=profile.name, min=low, max=high, severity="warn")]
    pattern = pattern_of([top.value for top in profile.top]) if profile.kind == "categorical" else ""
    return [Check(name=f"{word}_pattern", kind="regex", column=profile.name, pattern=pattern)] if pattern else []


def pattern_of(values: list[str]) -> str:
    """Return the pattern that values of one shape share: capitals, digits and signs of a fixed length; else nothing.

    ``["SFO", "LAX", …]`` is ``[A-Z]{3}``; the pattern still has to hold for all rows.
    """
    lengths = {len(value) for value in values}
    if len(values) < LEAST_VALUES or len(lengths) != 1 or not 1 <= max(lengths) <= 20:
        return ""
    kinds: list[str] = []
    for letters in zip(*values, strict=True):
        kind = next((kind for kind, shape in SHAPES.items() if all(re.fullmatch(shape, each) for each in letters)), "")
        if not kind and len(set(letters)) == 1:
            kind = re.escape(letters[0])
        if not kind:
            return ""
        kinds.append(kind)
    parts: list[tuple[str, int]] = []
    for kind in kinds:
        last, count = parts[-1] if parts else ("", 0)
        parts = [*parts[:-1], (kind, count + 1)] if kind == last else [*parts, (kind, 1)]
    return "".join(kind if count == 1 else f"{kind}{{{count}}}" for kind, count in parts)


def roomy(low: float, high: float, *, exact: bool) -> tuple[float, float]:
    """Return bounds with room around what was seen, outward to round numbers; zero is kept where it was the limit."""
    room = 0.0 if exact else ROOM * (high - low)
    if not room or not math.isfinite(room):
        return low, high
    step = 10.0 ** math.floor(math.log10(room))
    wider_low, wider_high = math.floor((low - room) / step) * step, math.ceil((high + room) / step) * step
    digits = max(0, -math.floor(math.log10(step)))
    return round(max(wider_low, 0.0) if low >= 0 else wider_low, digits), round(wider_high, digits)


def rounded(rows: float) -> float:
    """Return a number of rows to two digits: a bound that looks exact would be read as exact."""
    return float(f"{rows:.1e}")


def checks_toml(checks: list[Check]) -> str:
    """Return checks as they are written in lemnis.toml: what is not as usual, name and kind first."""
    tables = tomlkit.aot()
    for check in checks:
        table = tomlkit.table()
        table.update(declared_facts(check))
        tables.append(table)
    document = tomlkit.document()
    document["checks"] = tables
    return tomlkit.dumps(document)


def declared_facts(check: Check) -> dict[str, object]:
    """Return the keys of a check that are not as usual; a number without a fraction is written without one."""
    facts: dict[str, object] = msgspec.to_builtins(check)
    usual: dict[str, object] = msgspec.to_builtins(Check(name="usual", kind=check.kind))
    shown = {key: value for key, value in facts.items() if key in ("name", "kind") or value != usual[key]}
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
        for key, value in shown.items()
    }


def text_with_checks(text: str, checks: list[Check]) -> str:
    """Return a lemnis.toml text with checks added behind those it has; comments and order stay."""
    document = tomlkit.parse(text)
    for check in checks:
        table = tomlkit.table()
        table.update(declared_facts(check))
        if "checks" not in document:
            document.append("checks", tomlkit.aot())
        document["checks"].append(table)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    return tomlkit.dumps(document)
