"""A model card as records: sections of facts, so that it can be printed, sent as JSON and compared line by line."""

from typing import TypeAlias

from msgspec import Struct

Value: TypeAlias = str | float | int | bool | None


class Fact(Struct, frozen=True, kw_only=True):
    """One line of a card: what, its value, the ends of its interval where there is one, and a remark."""

    name: str
    value: Value
    low: float | None = None
    high: float | None = None
    note: str = ""


class Section(Struct, frozen=True, kw_only=True):
    """Facts under one heading; empty sections say why by `note`."""

    title: str
    facts: list[Fact] = []
    note: str = ""


class Card(Struct, frozen=True, kw_only=True):
    """What is on record of a registered version at a moment (epoch ms)."""

    model: str
    version: int
    at: int
    sections: list[Section]


class Difference(Struct, frozen=True, kw_only=True):
    """A fact that two cards do not share; None where one does not have it."""

    section: str
    name: str
    before: str | None
    after: str | None
