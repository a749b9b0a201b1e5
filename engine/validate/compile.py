"""Turns a declared check into SQL: what breaks it, what it speaks of, and how its failing rows are listed. Pure."""

import difflib
from collections.abc import Mapping

from msgspec import Struct

from lemnis.engine.config import Check
from lemnis.engine.data import Column
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.validate.records import DATASET

Tables = Mapping[str, Mapping[str, str]]  # Arrow type by column, by table


class Compiled(Struct, frozen=True, kw_only=True):
    """A check as SQL over views named like the tables.

    Attributes:
        table: The view it reads.
        rule: What must hold, in words.
        breach: The words between a count of rows and the value that breaks it, for the message.
        applies: Condition of the rows the check speaks of.
        violated: Condition of a failing row; empty where counting needs more than one row at a time.
        columns: The columns it judges.
        key: Columns that must be unique together.
        value: Expression of the offending value, as text; empty where it means nothing.
        listing: The query of the failing rows, checked columns first; a person's own for a SQL check.
        order: What the failing rows are listed by; empty for the order of the file.
    """

    check: Check
    table: str
    rule: str
    breach: str = ""
    applies: str = "true"
    violated: str = ""
    columns: list[str] = []
    key: list[str] = []
    value: str = ""
    listing: str = ""
    order: str = ""

    @property
    def query(self) -> str:
        """The listing in its order."""
        return f"{self.listing} order by {self.order}" if self.order else self.listing


def compile_check(check: Check, tables: Tables) -> Compiled:
    """Return a check as SQL.

    Raises:
        NotFound: Its table or a column is not there (any more).
        BadInput: It lacks what its kind needs, or a column has a type its kind can't judge.
    """
    table = check.source or DATASET
    columns_of(table, tables)
    return {
        "row_count": _row_count,
        "not_null": _not_null,
        "unique": _unique,
        "code_list": _code_list,
        "reference": _reference,
        "range": _range,
        "sql": _sql,
    }[check.kind](check, table, tables)


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
                f"The column {name} is not in {place}" + (f"; {close[0]} is." if close else "."),
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
    if check.min is None and check.max is None:
        raise BadInput("A row_count check needs min, max or both.", "Add min = … to the check.")
    rule = f"{bounds_text(check)} rows"
    return Compiled(check=check, table=table, rule=rule, listing=f"select count(*) as rows from {quote(table)}")


def _not_null(check: Check, table: str, tables: Tables) -> Compiled:
    names = checked_columns(check, table, tables)
    violated = " or ".join(f"{quote(name)} is null" for name in names)
    return Compiled(
        check=check,
        table=table,
        rule=f"{listed(names)} {'is' if len(names) == 1 else 'are'} never missing",
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
        rule=f"{listed(names)} {'is' if len(names) == 1 else 'together are'} unique",
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
        raise BadInput("A code_list check needs values.", 'Add values = ["…"], or use a reference check.')
    numeric = Column(name=name, type=tables[table][name]).kind == "numeric" and all(map(is_number, check.values))
    codes = ", ".join(str(float(code)) if numeric else literal(code) for code in check.values)
    value = quote(name) if numeric else f"cast({quote(name)} as varchar)"
    return _of_values(
        check,
        table,
        name,
        rule=f"{name} is one of {shortened(check.values)}",
        breach=f"have a {name} outside the list",
        violated=f"{value} not in ({codes})",
    )


def _reference(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    other, _, key = check.reference.partition(".")
    if not key:
        raise BadInput("A reference check needs reference = SOURCE.COLUMN.", "Write for example planes.tailnum.")
    checked_columns(Check(name=check.name, kind="reference", column=key), other, tables)
    ours, theirs = quote(name), quote(key)
    if tables[table][name] != tables[other][key]:
        ours, theirs = f"cast({ours} as varchar)", f"cast({theirs} as varchar)"
    return _of_values(
        check,
        table,
        name,
        rule=f"{name} is in {check.reference}",
        breach=f"have a {name} that {check.reference} lacks",
        violated=f"{ours} not in (select {theirs} from {quote(other)} where {quote(key)} is not null)",
    )


def _range(check: Check, table: str, tables: Tables) -> Compiled:
    name = the_column(check, table, tables)
    if check.min is None and check.max is None:
        raise BadInput("A range check needs min, max or both.", "Add min = … to the check.")
    kind = tables[table][name]
    if Column(name=name, type=kind).kind != "numeric":
        raise BadInput(f"The column {name} holds {kind}, no numbers.", "Use code_list or sql for it.")
    ends = [f"{quote(name)} < {check.min!r}"] if check.min is not None else []
    ends += [f"{quote(name)} > {check.max!r}"] if check.max is not None else []
    ends += [f"isnan({quote(name)})"] if kind in ("float", "double", "halffloat") else []
    return _of_values(
        check,
        table,
        name,
        rule=f"{name} is {bounds_text(check)}",
        breach=f"have a {name} outside {bounds_text(check)}",
        violated=f"({' or '.join(ends)})",
    )


def _sql(check: Check, table: str, tables: Tables) -> Compiled:
    if not check.query.strip():
        raise BadInput("A sql check needs a query that lists the failing rows.", 'Add query = "select …".')
    rule = check.why or "the query lists no row"
    return Compiled(check=check, table=table, rule=rule, breach="are listed by the query", listing=check.query.strip())


def _of_values(check: Check, table: str, name: str, *, rule: str, breach: str, violated: str) -> Compiled:
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
    )


def declared_text(check: Check) -> str:
    """Return what a check is about, for one that can't be compiled."""
    names = check.columns or [check.column or check.source or DATASET]
    return f"{check.kind.replace('_', ' ')} of {listed(names)}"


def bounds_text(check: Check) -> str:
    """Return `min` and `max` in words."""
    low, high = (None if end is None else plain_number(end) for end in (check.min, check.max))
    if low and high:
        return f"{low} to {high}"
    return f"{low} or more" if low else f"{high} or less"


def plain_number(value: float) -> str:
    """Return a number with thousands separators and no needless fraction."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,g}"


def is_number(text: str) -> bool:
    """Say whether a text is a finite number as SQL writes it."""
    try:
        return abs(float(text)) < float("inf") and "_" not in text
    except ValueError:
        return False


def listed(names: list[str], word: str = "and") -> str:
    """Return names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def shortened(values: list[str], most: int = 6) -> str:
    """Return a code list in words, a long one cut."""
    return ", ".join(values[:most]) + (f" … ({len(values)} codes)" if len(values) > most else "")
