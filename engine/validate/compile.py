"""Turns a declared check into SQL: what breaks it, what it speaks of, and how its failing rows are listed. Pure."""

import difflib
from collections.abc import Callable, Mapping

from msgspec import Struct

from lemnis.engine.clock import parse_ms
from lemnis.engine.config import Check
from lemnis.engine.data import Column
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.validate.circumstances import Circumstances
from lemnis.engine.validate.records import DATASET
from lemnis.engine.validate.words import bounded, bounds_text, is_number, listed, shortened

Tables = Mapping[str, Mapping[str, str]]  # Arrow type by column, by table


class Compiled(Struct, frozen=True, kw_only=True):
    """A check as SQL over views named like the tables.

    Attributes:
        table: The view it reads.
        rule: What must hold, in words.
        breach: The words between a count of rows and the value that breaks it, for the message.
        applies: Condition of the rows the check speaks of.
        violated: Condition of a failing row; empty where counting needs more than one row at a time.
        noted: Condition of rows that are fine but worth saying, and `noted_text` what is said of them.
        columns: The columns it judges.
        key: Columns that must be unique together.
        value: Expression of the offending value, as text; empty where it means nothing.
        listing: The query of the failing rows, checked columns first; a person's own for a SQL check.
        order: What the failing rows are listed by; empty for the order of the file.
        typed: What a person wrote of it, as a query of its own; then all of it runs in the sandbox.
        by_value: Whether it depends on the value of its one column alone, so that each value is judged once.
    """

    check: Check
    table: str
    rule: str
    breach: str = ""
    applies: str = "true"
    violated: str = ""
    noted: str = ""
    noted_text: str = ""
    columns: list[str] = []
    key: list[str] = []
    value: str = ""
    listing: str = ""
    order: str = ""
    typed: str = ""
    by_value: bool = False

    @property
    def query(self) -> str:
        """The listing in its order."""
        return f"{self.listing} order by {self.order}" if self.order else self.listing


Compiler = Callable[[Check, str, Tables], Compiled]


def compile_check(check: Check, tables: Tables, around: Circumstances) -> Compiled:
    """Return a check as SQL.

    Raises:
        NotFound: Its table or a column is not there (any more).
        BadInput: It lacks what its kind needs, or a column has a type its kind can't judge.
    """
    from lemnis.engine.validate.codes import compile_codes

    table = check.source or DATASET
    columns_of(table, tables)
    if check.kind == "code_list" and check.codes:
        return compile_codes(check, table, tables, around)
    kinds: dict[str, Compiler] = {
        "row_count": _row_count,
        "not_null": _not_null,
        "unique": _unique,
        "code_list": _code_list,
        "reference": _reference,
        "range": _range,
        "regex": _regex,
        "condition": _condition,
        "freshness": _freshness,
        "sql": _sql,
    }
    return kinds[check.kind](check, table, tables)


def columns_of(table: str, tables: Tables) -> Mapping[str, str]:
    """Return the columns of a table, or say that it is missing."""
    if table not in tables:
        raise NotFound(f"The source {table} has no snapshot.", "Bring it in with `lemnis data sync`.")
    return tables[table]


def checked_columns(check: Check, table: str, tables: Tables) -> list[str]:
    """Return the columns a check names, all of them there."""
    names = check.columns or ([check.column] if check.column else [])
    if not names:
        raise BadInput(f"The check names no column; {check.kind} needs one.", "Add column = … to the check.")
    for name in names:
        known = columns_of(table, tables)
        if name not in known:
            close = difflib.get_close_matches(name, list(known), n=1)
            place = "the dataset" if table == DATASET else table
            raise NotFound(
                f"The column {name} is not in {place}; {close[0]} is."
                if close
                else f"The column {name} is not in {place}.",
                "Change the check, or bring the column back.",
            )
    return names


def the_column(check: Check, table: str, tables: Tables) -> str:
    """Return the one column a check names."""
    names = checked_columns(check, table, tables)
    if len(names) > 1:
        raise BadInput(f"A {check.kind} check judges one column, this names {len(names)}.", "Write one check each.")
    return names[0]


def listing_of(table: str, columns: list[str], violated: str) -> str:
    """Return the query of failing rows, the checked columns before the others."""
    first = ", ".join(quote(name) for name in dict.fromkeys(columns))
    return f"select {first}, * exclude ({first}) from {quote(table)} where {violated}"


def file_order(listing: str, table: str, path: str) -> str:
    """Return a listing in the order of the table's file, whatever threads find its rows.

    The table's name is given to the file itself, numbered, so that the listing needs no second form.
    """
    numbered = f"with {quote(table)} as (from read_parquet({literal(path)}, file_row_number = true))"
    return f"{numbered} select * exclude (file_row_number) from ({listing}) order by file_row_number"


def _row_count(check: Check, table: str, tables: Tables) -> Compiled:
    if check.min is None and check.max is None and not check.learned:
        raise BadInput("A row_count check needs min, max or both, or learned = true.", "Add min = … to the check.")
    rule = (
        "as many rows as earlier versions let expect"
        if check.learned
        else bounded(check.min, check.max, ("{} to {} rows", "{} or more rows", "{} or less rows"))
    )
    return Compiled(check=check, table=table, rule=rule, listing=f"select count(*) as rows from {quote(table)}")


def _not_null(check: Check, table: str, tables: Tables) -> Compiled:
    names = checked_columns(check, table, tables)
    violated = " or ".join(f"{quote(name)} is null" for name in names)
    return Compiled(
        check=check,
        table=table,
        rule=f"{listed(names)} is never missing" if len(names) == 1 else f"{listed(names)} are never missing",
        breach=f"have no {listed(names, 'or')}",
        violated=f"({violated})",
        columns=names,
        listing=listing_of(table, names, violated),
    )


def _unique(check: Check, table: str, tables: Tables) -> Compiled:
    names = checked_columns(check, table, tables)
    keys = ", ".join(quote(name) for name in names)
    known = " and ".join(f"{quote(name)} is not null" for name in names)
    repeated = f"select {keys} from {quote(table)} where {known} group by {keys} having count(*) > 1"
    return Compiled(
        check=check,
        table=table,
        rule=f"{listed(names)} is unique" if len(names) == 1 else f"{listed(names)} together are unique",
        breach="share their key with another",
        applies=f"({known})",
        columns=names,
        key=names,
        value=" || ' · ' || ".join(f"cast({quote(name)} as varchar)" for name in names),
        listing=listing_of(table, names, f"({keys}) in ({repeated})"),
        order=keys,
    )


def _code_list(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    if not check.values:
        raise BadInput("A code_list check needs values or codes.", 'Add values = ["…"], or codes = "NAME".')
    value, codes = coded(name, tables[table][name], check.values)
    return of_values(
        check,
        table,
        name,
        rule=f"{name} is one of {shortened(check.values)}",
        breach=f"have a {name} outside the list",
        violated=f"{value} not in ({codes})",
    )


def coded(name: str, kind: str, codes: list[str]) -> tuple[str, str]:
    """Return a column and codes as SQL that compares them: as numbers where all are numbers, else as text."""
    numeric = Column(name=name, type=kind).kind == "numeric" and all(map(is_number, codes))
    listed_codes = ", ".join(str(float(code)) if numeric else literal(code) for code in codes)
    return quote(name) if numeric else f"cast({quote(name)} as varchar)", listed_codes


def _reference(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    return of_values(
        check,
        table,
        name,
        rule=f"{name} is in {check.reference}",
        breach=f"have a {name} that {check.reference} lacks",
        violated=f"not {in_reference(check, name, check.reference, tables[table][name], tables)}",
    )


def in_reference(check: Check, name: str, reference: str, kind: str, tables: Tables) -> str:
    """Return the condition that a column's value is one of SOURCE.COLUMN."""
    other, _, key = reference.partition(".")
    if not key:
        raise BadInput("A reference check needs reference = SOURCE.COLUMN.", "Write for example planes.tailnum.")
    checked_columns(Check(name=check.name, kind="reference", column=key), other, tables)
    ours, theirs = quote(name), quote(key)
    if kind != tables[other][key]:
        ours, theirs = f"cast({ours} as varchar)", f"cast({theirs} as varchar)"
    return f"({ours} in (select {theirs} from {quote(other)} where {quote(key)} is not null))"


def _range(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    if check.min is None and check.max is None:
        raise BadInput("A range check needs min, max or both.", "Add min = … to the check.")
    kind = tables[table][name]
    held = Column(name=name, type=kind).kind
    dated = any(isinstance(end, str) for end in (check.min, check.max))
    if held != ("time" if dated else "numeric"):
        wanted = "times" if dated else "numbers"
        raise BadInput(f"The column {name} holds {kind}, no {wanted}.", "Use code_list, regex or sql for it.")
    low, high = (bound_sql(end, kind) for end in (check.min, check.max))
    ends = [f"{quote(name)} < {low}"] if low else []
    ends += [f"{quote(name)} > {high}"] if high else []
    bounds = bounds_text(check.min, check.max)
    return of_values(
        check,
        table,
        name,
        rule=bounded(check.min, check.max, ("{} is {} to {}", "{} is {} or more", "{} is {} or less"), name),
        breach=f"have a {name} outside {bounds}",
        violated=f"({' or '.join(ends)})",
    )


def bound_sql(bound: float | str | None, kind: str) -> str:
    """Return a bound as SQL of a column's type; empty when there is none."""
    if bound is None:
        return ""
    if not isinstance(bound, str):
        return repr(bound)
    moment = f"make_timestamp({parse_ms(bound) * 1000})"
    return f"({moment} at time zone 'UTC')" if "tz=" in kind else moment


def _regex(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    if not check.pattern:
        raise BadInput("A regex check needs a pattern.", 'Add pattern = "[A-Z]{3}" to the check.')
    text = quote(name) if tables[table][name] == "string" else f"cast({quote(name)} as varchar)"
    return of_values(
        check,
        table,
        name,
        rule=f"{name} matches {check.pattern}",
        breach=f"have a {name} that does not match {check.pattern}",
        violated=f"not regexp_full_match({text}, {literal(check.pattern)})",
    )


def _condition(check: Check, table: str, tables: Tables) -> Compiled:
    condition = check.condition.strip()
    if not condition:
        raise BadInput("A condition check needs a condition.", 'Add condition = "arr_time > dep_time" to the check.')
    listing = f"select * from {quote(table)} where (\n{condition}\n) is false"
    return Compiled(
        check=check,
        table=table,
        rule=check.why or condition,
        breach=f"break {condition}" if not check.why else "break the condition",
        applies=f"((\n{condition}\n) is not null)",
        violated=f"((\n{condition}\n) is false)",
        listing=listing,
        typed=listing,
    )


def _freshness(check: Check, table: str, tables: Tables) -> Compiled:
    if not check.max_age:
        raise BadInput("A freshness check needs max_age.", 'Add max_age = "2d" to the check.')
    if not check.column and not check.columns:
        if table == DATASET:
            raise BadInput("A freshness check of the dataset needs a column of times.", "Add column = … to it.")
        rule = f"{table} was synced within {check.max_age}"
        return Compiled(check=check, table=table, rule=rule, listing=f"select count(*) as rows from {quote(table)}")
    name = the_column(check, table, tables)
    if Column(name=name, type=tables[table][name]).kind != "time":
        raise BadInput(f"The column {name} holds {tables[table][name]}, no times.", "Name a column of times.")
    return Compiled(
        check=check,
        table=table,
        rule=f"the newest {name} is at most {check.max_age} old",
        columns=[name],
        listing=f"select max({quote(name)}) as newest from {quote(table)}",
    )


def _sql(check: Check, table: str, tables: Tables) -> Compiled:
    if not check.query.strip():
        raise BadInput("A sql check needs a query that lists the failing rows.", 'Add query = "select …".')
    return Compiled(
        check=check,
        table=table,
        rule=check.why or "the query lists no row",
        breach="are listed by the query",
        listing=check.query.strip(),
        typed=check.query.strip(),
    )


def of_values(check: Check, table: str, name: str, *, rule: str, breach: str, violated: str) -> Compiled:
    """Return a check that judges the values of one column and says nothing of missing ones."""
    known = f"{quote(name)} is not null"
    broken = f"({known} and {violated})"
    return Compiled(
        check=check,
        table=table,
        rule=rule,
        breach=breach,
        applies=known,
        violated=broken,
        columns=[name],
        value=f"cast({quote(name)} as varchar)",
        listing=listing_of(table, [name], broken),
        by_value=True,
    )
