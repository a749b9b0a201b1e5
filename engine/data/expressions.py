"""SQL expressions typed by people: one expression over known columns, and nothing that could do more."""

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.duck import first_row
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_CHARACTERS = 16_000
PARTS = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
CLAUSES = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")

# Each answers the same for the same row, and none makes a value much larger than what it was given.
FUNCTION_NAMES = """
    + - * / // % ** ^ & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ ^@ like_escape not_like_escape ilike_escape not_ilike_escape
    abs acos asin atan atan2 bit_count cbrt ceil ceiling cos cot degrees even exp floor fmod gcd greatest
    isfinite
    isinf isnan lcm least ln log log10 log2 mod pi pow power radians round round_even sign sin sqrt tan trunc xor
    add subtract multiply divide if ifnull nullif coalesce constant_or_null
    ascii chr concat concat_ws contains ends_with hex instr lcase left length len levenshtein lower ltrim md5 ord
    position prefix regexp_extract regexp_full_match regexp_matches regexp_replace replace reverse right rtrim sha256
    split_part starts_with strip_accents strlen strpos substr substring suffix trim ucase unicode upper
    century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
    dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day
    make_date make_time make_timestamp make_timestamp_ms make_timestamptz microsecond millisecond minute month
    monthname quarter second strftime strptime time_bucket timezone to_days to_hours to_microseconds to_milliseconds
    to_minutes to_months to_seconds to_timestamp to_weeks to_years try_strptime week weekday weekofyear year yearweek
"""
FUNCTIONS = frozenset(FUNCTION_NAMES.split())


def check_expression(duck: "DuckDBPyConnection", text: str, columns: Sequence[str], place: str) -> None:
    """Refuse what is not one expression over these columns; what passes is safe between brackets in a query.

    Args:
        duck: Parses the text; nothing is run.
        text: What a person typed.
        columns: The names it may use.
        place: Where it is declared, for the message.

    Raises:
        BadInput: It doesn't parse, is more than an expression, or names a column or function that it may not.
    """
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise BadInput("This expression is empty or too long.", f"At most {MOST_CHARACTERS:,} characters.", place)
    node = _parsed(duck, text, place)
    simple = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node["select_list"][0]["alias"]
        and node["from_table"]["type"] == "EMPTY"
        and not node["cte_map"]["map"]
        and not any(node[clause] for clause in CLAUSES)
    )
    if not simple:
        raise BadInput("This is more than one expression.", "Write one value, such as arr_delay > 15.", place)
    known = {column.lower() for column in columns}
    for part in _parts(node["select_list"][0]):
        if part["class"] not in PARTS:
            word = part["class"].lower().replace("_", " ")
            raise BadInput(f"An expression may not hold a {word}.", "Use columns, functions and operators.", place)
        if part["class"] == "FUNCTION" and part["function_name"].lower() not in FUNCTIONS:
            name = part["function_name"]
            raise BadInput(f"The function {safe(name)}() is not available here.", near(name, sorted(FUNCTIONS)), place)
        if part["class"] == "COLUMN_REF" and ".".join(part["column_names"]).lower() not in known:
            name = ".".join(part["column_names"])
            raise BadInput(f"There is no column {safe(name)!r} here.", near(name, columns), place)


def near(name: str, known: Sequence[str]) -> str:
    """Return a remedy that names what is most like `name`."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    some = [safe(other) for other in close or known[:12]]
    return f"Did you mean {' or '.join(some)}?" if close else f"Known: {', '.join(some)} …"


# Any: a syntax tree as JSON.
def _parsed(duck: "DuckDBPyConnection", text: str, place: str) -> dict[str, Any]:
    import duckdb

    try:
        tree: dict[str, Any] = json.loads(first_row(duck, "select json_serialize_sql(?)", [f"select {text}"])[0])
    except duckdb.Error as error:
        tree = {"error": True, "error_message": str(error).splitlines()[0]}
    if tree["error"] or len(tree["statements"]) != 1:
        why = safe(tree.get("error_message", "it is not one statement"), limit=200)
        raise BadInput(f"This expression is not accepted: {why}", "Write SQL as DuckDB has it.", place)
    return tree["statements"][0]["node"]


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class" in part:
                yield part
            waiting.extend(part.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        elif isinstance(part, list):
            waiting.extend(part)  # pyright: ignore[reportUnknownArgumentType]
