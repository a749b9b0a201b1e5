"""Rows that a dataset leaves out by a declared rule: a column holds one of some values; how many, it always says."""

from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.config import Dataset
from lemnis.engine.data.duck import first_row, literal, quote, refusals
from lemnis.engine.data.expressions import near
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Quarantined(Struct, frozen=True, kw_only=True):
    """How many rows one rule leaves out; a row that two rules name counts for each."""

    column: str
    values: list[str]
    why: str
    rows: int


def held_back(dataset: Dataset, columns: list[str]) -> str:
    """Return the condition that a row is left out; empty when nothing is.

    Raises:
        BadInput: A rule names a column that is not there.
    """
    for number, rule in enumerate(dataset.quarantine):
        if rule.column not in columns:
            place = f"dataset.quarantine[{number}].column"
            raise BadInput(f"There is no column {safe(rule.column)!r} here.", near(rule.column, columns), place)
    return " or ".join(rule_sql(rule.column, rule.values) for rule in dataset.quarantine if rule.values)


def rule_sql(column: str, values: list[str]) -> str:
    """Return the condition that a column holds, as text, one of some values; false where it is missing."""
    return f"coalesce(cast({quote(column)} as varchar) in ({', '.join(map(literal, values))}), false)"


def count_quarantined(duck: "DuckDBPyConnection", dataset: Dataset, rows: str) -> list[Quarantined]:
    """Return what each rule leaves out of a query's rows."""
    rules = [rule for rule in dataset.quarantine if rule.values]
    if not rules:
        return []
    counts = ", ".join(f"count(*) filter ({rule_sql(rule.column, rule.values)})" for rule in rules)
    with refusals("dataset.quarantine"):
        found = first_row(duck, f"select {counts} from ({rows})")
    return [
        Quarantined(column=rule.column, values=rule.values, why=rule.why, rows=count)
        for rule, count in zip(rules, found, strict=True)
    ]
