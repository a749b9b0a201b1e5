"""Decides by its syntax tree whether a query typed by a person may run: one SELECT over known tables, no surprises."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIMIT_BYTES = 16_384
QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
SOURCES = {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"}
TABLE_FUNCTIONS = {"range", "generate_series", "unnest"}
# Macros are judged one by one, for they may hide what they call.
MACROS = {
    "split_part",
    "nullif",
    "if",
    "date_add",
    "days_in_month",
    "fmod",
    "fdiv",
    "array_to_string",
    "wavg",
    "geomean",
}


class Refused(Exception):
    """What was typed may not run; the text says why, in words for a person."""


def screen(connection: "DuckDBPyConnection", sql: str, tables: set[str]) -> None:
    """Refuse a query that is not exactly one SELECT over `tables` with repeatable functions.

    Raises:
        Refused: It is not.
        duckdb.Error: It can't be parsed.
    """
    if len(sql.encode()) > LIMIT_BYTES:
        raise Refused(f"A query may have {LIMIT_BYTES:,} bytes, this one has {len(sql.encode()):,}.")
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise Refused(f"One query is wanted, these are {len(statements)} statements.")
    row = connection.execute("select json_serialize_sql($1)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {}
    if tree.get("error"):
        if tree.get("error_type") == "parser":
            connection.execute("explain " + sql)  # the parser's own message points at the place
        raise Refused(f"Only a SELECT can be a check or a filter, this is {statements[0].type.name}.")
    nodes = [node for node in branches(tree) if isinstance(node.get("type"), str)]
    known = tables | {entry["key"] for node in branches(tree) for entry in common_tables(node)}
    functions = repeatable_functions(connection)
    for node in nodes:
        refuse_node(node, known, functions)


def refuse_node(node: dict[str, Any], tables: set[str], functions: set[str]) -> None:
    """Refuse one node of the tree that reads, writes or asks something it must not."""
    kind: str = node["type"]
    named = ", ".join(sorted(tables))
    if kind.endswith("_NODE") and kind not in QUERIES:
        raise Refused(f"Only a SELECT can be a check or a filter, this holds {kind.removesuffix('_QUERY_NODE')}.")
    if "sample" in node and "alias" in node and kind not in SOURCES:
        raise Refused(f"A query can't read from {kind.removesuffix('_REF').lower()}; it can read {named}.")
    if node.get("sample"):
        raise Refused("A sample gives other rows each time; leave it out.")
    if kind == "BASE_TABLE" and (
        node.get("schema_name") or node.get("catalog_name") or node["table_name"] not in tables
    ):
        raise Refused(f"There is no table {node['table_name']!r}; a query can read {named}.")
    if kind == "TABLE_FUNCTION" and node["function"]["function_name"] not in TABLE_FUNCTIONS:
        raise Refused(f"{node['function']['function_name']}() can't be read from; a query can read {named}.")
    name = node.get("function_name")
    if isinstance(name, str) and name.lower() not in functions | TABLE_FUNCTIONS:
        raise Refused(f"{name}() is not allowed: the same rows must give the same answer, and nothing else.")


# Any: a value of the tree is whatever JSON has there.
def branches(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON value, outermost first."""
    waiting: list[Any] = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            branch = cast("dict[str, Any]", value)
            yield branch
            waiting.extend(branch.values())
        elif isinstance(value, list):
            waiting.extend(cast("list[Any]", value))


def common_tables(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a query's WITH."""
    found: Any = node.get("cte_map")
    return cast("list[dict[str, Any]]", found["map"]) if isinstance(found, dict) else []


def repeatable_functions(connection: "DuckDBPyConnection") -> set[str]:
    """Return the functions whose answer depends on their arguments alone, in every variant."""
    rows = connection.execute(
        """select function_name from duckdb_functions() where function_type in ('scalar', 'aggregate', 'window')
           group by 1 having bool_and(stability = 'CONSISTENT')"""
    ).fetchall()
    return {row[0] for row in rows} | MACROS
