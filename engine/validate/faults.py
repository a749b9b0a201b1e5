"""Faults that happen to data, put into a sample of it: what a proposed check is tried on. SQL as text. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lemnis.engine.config import Check
from lemnis.engine.data.duck import quote
from lemnis.engine.data.split import kind_of
from lemnis.engine.validate.records import DATASET

EVERY = 20  # one row in so many is spoiled
ROW = "#row"  # the number of a row of the sample


class Fault(Struct, frozen=True, kw_only=True):
    """One way in which data break.

    Attributes:
        name: What happened, in words.
        kinds: The kinds of columns it happens to, each column for itself; empty for whole rows.
        value: SQL of a spoiled value, with ``{}`` for the column.
        rows: SQL of a table of whole rows, from ``sample``.
    """

    name: str
    kinds: tuple[str, ...] = ()
    value: str = ""
    rows: str = ""


FAULTS = (
    Fault(name="missing values", kinds=("numeric", "categorical", "boolean", "time"), value="null"),
    Fault(name="unknown codes", kinds=("categorical",), value="'?' || {}"),
    Fault(name="another case", kinds=("categorical",), value="if({0} = lower({0}), upper({0}), lower({0}))"),
    Fault(name="blanks", kinds=("categorical",), value="''"),
    Fault(name="a unit ×1000", kinds=("numeric",), value="({} + 1) * 1000"),
    Fault(name="a wrong sign", kinds=("numeric",), value="-({}) - 1"),
    Fault(name="times a year later", kinds=("time",), value="{} + interval 366 day"),
    Fault(name="values of other rows", kinds=("numeric", "categorical", "boolean", "time"), value="#other"),
    Fault(name="duplicated rows", rows=f'from sample union all (from sample where "{ROW}" % {EVERY} = 0)'),
    Fault(name="a third of the rows dropped", rows=f'from sample where "{ROW}" % 3 <> 0'),
    Fault(name="everything delivered twice", rows="from sample union all from sample"),
)


def fault_sql(fault: Fault, columns: Mapping[str, str]) -> str:
    """Return the query of a spoiled sample: one row in EVERY, in each column the fault happens to.

    Args:
        fault: What happens.
        columns: Arrow type by column.
    """
    if fault.rows:
        return f'select * exclude ("{ROW}") from ({fault.rows})'
    shown = ", ".join(
        spoiled(fault, name, kind) if kind_of(kind) in fault.kinds else quote(name) for name, kind in columns.items()
    )
    return f"select {shown} from sample"


def spoiled(fault: Fault, name: str, kind: str) -> str:
    """Return a column of which one value in EVERY is spoiled; numbers become wide enough for it."""
    column = quote(name)
    if fault.value == "#other":
        value = f'lag({column}, 7) over (order by "{ROW}")'
    elif fault.value == "null":
        value = "null"
    else:
        wide = f"cast({column} as double)" if kind_of(kind) == "numeric" else column
        value = fault.value.format(wide)
        if kind_of(kind) == "numeric":
            column = f"cast({column} as double)"
    return f'case when "{ROW}" % {EVERY} = 0 then {value} else {column} end as {quote(name)}'


def touched(fault: Fault, check: Check, columns: Mapping[str, str]) -> bool:
    """Say whether a fault happens to what a check looks at."""
    if check.source not in ("", DATASET):
        return False
    if fault.rows:
        return check.kind in ("row_count", "unique")
    names: Sequence[str] = check.columns or [check.column]
    return any(name in columns and kind_of(columns[name]) in fault.kinds for name in names)
