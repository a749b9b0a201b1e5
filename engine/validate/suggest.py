"""Proposes checks from a profile: what holds today and would be worth knowing if it stopped. Pure."""

import math

import msgspec
import tomlkit

from lemnis.engine.config import Check
from lemnis.engine.explore import Profile

CODES = 20  # a column with more values is no code list
ROOM = 0.1  # share of rows that a table may grow or shrink before somebody should look
WORD = str.maketrans({char: "_" for char in " .-/"})


def suggested_checks(profiles: list[Profile], key: list[str], declared: list[Check]) -> list[Check]:
    """Return checks that hold for the profiled rows and are not declared yet.

    Args:
        profiles: Every column of one version.
        key: The columns that identify a row.
        declared: What lemnis.toml says already.
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
            return [Check(name=f"{word}_range", kind="range", column=profile.name, min=low, max=high, severity="warn")]
    return []


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
