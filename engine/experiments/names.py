"""What there is to ask of runs: keys and values, for completion, read by jumps along the indexes."""

from typing import get_args

from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.jobs.states import JobState
from lemnis.engine.query.completion import Known, complete, value_field
from lemnis.engine.query.fields import Completion
from lemnis.engine.store import Store

MOST = 500
TABLES = {"metrics": "run_metrics", "params": "run_params", "tags": "run_tags"}
LISTED = {
    "preset": "preset",
    "user": "user",
    "device": "device",
    "task": "task",
    "target": "target",
    "features": "feature_set",
}
# Reads one entry of the index for each different value, however many rows have it.
KEYS = """with recursive found (word) as (
            select min(key) from {table}
            union all select (select min(key) from {table} where key > word) from found where word is not null limit ?)
          select word from found where word is not null"""
TEXTS = """with recursive found (word) as (
             select min(value) from {table} where key = :key and number is null
             union all select (select min(value) from {table} where key = :key and number is null and value > word)
                       from found where word is not null limit :most)
           select word from found where word is not null"""
NUMBERS = """with recursive found (number) as (
               select min(number) from {table} where key = :key and number is not null
               union all select (select min(number) from {table} where key = :key and number > found.number)
                         from found where number is not null limit :most)
             select (select min(p.value) from {table} p where p.key = :key and p.number = found.number)
             from found where number is not null"""


def keys_of(store: Store, family: str) -> list[str]:
    """Return the names of all metrics, parameters or tags that a run has, in order."""
    return [row[0] for row in store.rows(KEYS.format(table=TABLES[family]), (MOST,))]


def values_of(store: Store, field: str) -> list[str]:
    """Return values that runs have in a field, none for a metric; of a parameter texts in order, then numbers."""
    family, dot, key = field.partition(".")
    if dot and family in ("params", "tags"):
        values, table = {"key": key, "most": MOST}, TABLES[family]
        return [row[0] for sql in (TEXTS, NUMBERS) for row in store.rows(sql.format(table=table), values)][:MOST]
    if field == "state":
        return list(get_args(JobState))
    if field == "data":
        return [
            row[0] for row in store.rows("select name || ' v' || number from versions order by number desc limit 50")
        ]
    if field in LISTED:
        column = LISTED[field]
        return [
            row[0] for row in store.rows(f"select distinct {column} from runs where {column} != '' order by 1 limit 50")
        ]
    return []


def completed(store: Store, text: str) -> Completion:
    """Return what may stand at the end of a query."""
    field = value_field(text, FIELDS)
    known = Known(
        {family: keys_of(store, family) for family in TABLES}, {field: values_of(store, field)} if field else {}
    )
    return complete(text, FIELDS, known)
