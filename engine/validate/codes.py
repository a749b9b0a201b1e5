"""A named code list as SQL: what is a code at the time of a row, what stands for one, and what is neither. Pure."""

from datetime import UTC, datetime

import msgspec

from lemnis.engine.clock import parse_ms
from lemnis.engine.config import Check, Code, CodeList
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.errors import BadInput
from lemnis.engine.validate.circumstances import Circumstances
from lemnis.engine.validate.compile import Compiled, Tables, coded, in_reference, of_values, the_column
from lemnis.engine.validate.words import shortened


def compile_codes(check: Check, table: str, tables: Tables, around: Circumstances) -> Compiled:
    """Return a check against a named code list.

    A code with a first or last day counts at the time of the row (the table's time column), or of the run where the
    table has none. A synonym is accepted and counted.

    Raises:
        BadInput: The list is empty, or not declared.
    """
    name = the_column(check, table, tables)
    codes = around.lists.get(check.codes)
    if codes is None or not (codes.codes or codes.reference):
        raise BadInput(f"The code list {check.codes} has no codes.", "Add some with `lemnis validate codes add`.")
    kind = tables[table][name]
    good = [condition for entries in (undated(codes), *([entry] for entry in dated(codes)))
            if (condition := _is_code(name, kind, entries, moment_of(table, tables, around)))]  # fmt: skip
    if codes.reference:
        good.append(in_reference(check, name, codes.reference, kind, tables))
    noted = ""
    if codes.synonyms:
        value, synonyms = coded(name, kind, list(codes.synonyms))
        noted = f"({quote(name)} is not null and {value} in ({synonyms}))"
        good.append(f"({value} in ({synonyms}))")
    changes = around.changes.get(check.codes, 0)
    called = f"{check.codes} v{changes}" if changes else check.codes
    found = of_values(
        check,
        table,
        name,
        rule=f"{name} is a code of {called}: {codes_text(codes)}",
        breach=f"have a {name} that is no code of {check.codes}",
        violated=f"(({' or '.join(good)}) is not true)",
    )
    timeless = not dated(codes) and not noted
    return msgspec.structs.replace(found, noted=noted, noted_text="by a synonym", by_value=timeless)


def undated(codes: CodeList) -> list[Code]:
    """Return the codes that are always valid."""
    return [entry for entry in codes.entries if not entry.start and not entry.end]


def dated(codes: CodeList) -> list[Code]:
    """Return the codes that have a first or a last day."""
    return [entry for entry in codes.entries if entry.start or entry.end]


def moment_of(table: str, tables: Tables, around: Circumstances) -> str:
    """Return the SQL of the time at which a row's code must be valid, as a timestamp without zone in UTC."""
    column = around.times.get(table, "")
    if column in tables[table]:
        zoned = "tz=" in tables[table][column]
        return f"({quote(column)} at time zone 'UTC')" if zoned else f"cast({quote(column)} as timestamp)"
    return f"timestamp {literal(datetime.fromtimestamp(around.now / 1000, UTC).strftime('%Y-%m-%d %H:%M:%S'))}"


def _is_code(name: str, kind: str, entries: list[Code], moment: str) -> str:
    """Return the condition that a value is one of these codes, which share their days."""
    if not entries:
        return ""
    value, listed = coded(name, kind, [entry.code for entry in entries])
    parts = [f"{value} in ({listed})"]
    if entries[0].start:
        parts.append(f"{moment} >= make_timestamp({parse_ms(entries[0].start) * 1000})")
    if entries[0].end:
        parts.append(f"{moment} < make_timestamp({parse_ms(entries[0].end) * 1000})")
    return f"({' and '.join(parts)})"


def codes_text(codes: CodeList) -> str:
    """Return what a list holds, in words."""
    parts = [shortened([entry.code for entry in codes.entries])] if codes.codes else []
    parts += [f"all of {codes.reference}"] if codes.reference else []
    return " and ".join(parts) + (f"; {len(codes.synonyms)} synonyms" if codes.synonyms else "")
