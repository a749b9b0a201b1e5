"""Searching as MLflow's clients do: a filter, an order of several fields, a view, pages with a token."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.query import Condition, Fields, compile_order, parse_query
from lemnis.engine.query.tree import condition
from lemnis.engine.store import Store
from lemnis.engine.text import safe

MOST = 5000  # rows of one page; the token leads to the next
ORDER = re.compile(r"\s*(?P<field>.+?)(?:\s+(?P<way>asc|desc))?\s*", re.IGNORECASE | re.DOTALL)
TOKEN = re.compile(r"from-(\d{1,12})")


class Table(NamedTuple):
    """What is searched.

    Attributes:
        name: SQL of the table.
        fields: What a filter can ask.
        usual: SQL of the order where none is asked for, and between equals.
    """

    name: str
    fields: Fields
    usual: str


class Page(NamedTuple):
    """Keys of the rows of a page, and the token of the next one, empty when there is none."""

    ids: list[Any]  # Any: numbers or texts, as the table has them
    token: str


class Wish(NamedTuple):
    """What a client asks for."""

    filter: str = ""
    order_by: Sequence[str] = ()
    most: int = 1000
    token: str = ""


def found(store: Store, table: Table, wish: Wish, within: Condition) -> Page:
    """Return a page of what fits.

    Args:
        store: The workspace's.
        table: What is searched.
        wish: As the client asked.
        within: What must hold besides, such as the view and the experiments.

    Raises:
        QueryError: The filter can't be read, or there is no such field to order by.
        BadInput: The token is none of ours.
    """
    key = table.fields.id
    wanted = condition(parse_query(wish.filter, table.fields, now_ms=now_ms()), key, each_row=True)
    orders = [order_of(text, table.fields) for text in wish.order_by]
    order = ", ".join([*(one.sql for one in orders), table.usual])
    start, most = start_of(wish.token), min(wish.most, MOST)
    values = (*within.values, *wanted.values, *(value for one in orders for value in one.values), most + 1, start)
    rows = store.rows(
        f"select {key} as id from {table.name} where {within.sql} and {wanted.sql} order by {order} limit ? offset ?",
        values,
    )
    return page_in([row["id"] for row in rows], start, most)


def page_in(ids: list[Any], start: int, most: int) -> Page:
    """Return the page of ids that were read with one more than it holds. Any: see Page."""
    return Page(ids[:most], token_at(start + most) if len(ids) > most else "")


def token_at(start: int) -> str:
    """Return the token that leads on from a row."""
    return f"from-{start}"


def start_of(token: str) -> int:
    """Return how many rows a token leaves out; raises BadInput."""
    if not token:
        return 0
    number = TOKEN.fullmatch(token)
    if number is None:
        raise BadInput(f"{safe(token, limit=40)!r} is no page token.", "Send the one that the page before gave.")
    return int(number.group(1))


def order_of(text: str, fields: Fields) -> Condition:
    """Return one entry of order_by as SQL, such as ``metrics.`val loss` DESC``; ascending unless it says otherwise."""
    field, descending = order_words(text)
    return compile_order(field, fields, descending=descending)


def order_words(text: str) -> tuple[str, bool]:
    """Return the field of an entry of order_by, without its quotes, and whether it is descending."""
    parts = ORDER.fullmatch(text)
    if parts is None:
        raise BadInput("An order is empty.", "Write for example metrics.auc DESC.")
    field = re.sub(r"""[`"]([^`"]+)[`"]$""", r"\1", parts["field"])
    return field, (parts["way"] or "").lower() == "desc"
