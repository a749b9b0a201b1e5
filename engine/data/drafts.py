"""A link before it is declared: the draft, what it would do, and which keys would match nothing. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data.reports import LinkReport

Side: TypeAlias = Literal["left", "right", "duplicates"]
SIDES: dict[Side, str] = {
    "left": "keys that no row on the right has",
    "right": "keys on the right that no row asks for",
    "duplicates": "keys that stand more than once on the right",
}
FAN_OUT = ((0, 0, "0"), (1, 1, "1"), (2, 2, "2"), (3, 9, "3–9"), (10, None, "10+"))  # from, to, as it is written


class LinkDraft(Struct, frozen=True, kw_only=True):
    """A dataset with one of its links as it is being edited; `position` is that link's number, from 1."""

    dataset: Dataset
    position: int

    @property
    def link(self) -> Link:
        return self.dataset.links[self.position - 1]


class KeyRows(Struct, frozen=True, kw_only=True):
    """One key: the rows that have it on its own side, and how many rows on the left ask for it."""

    key: list[str]
    rows: int
    asked: int = 0


class KeyPage(Struct, frozen=True, kw_only=True):
    """Consecutive keys of one side, those with the most rows first; `total` counts them all."""

    total: int
    rows: list[KeyRows]


class NearMiss(Struct, frozen=True, kw_only=True):
    """Orphan keys that would be found if the left side was written as the right side is."""

    on: dict[str, str]
    keys: int
    rows: int


class LinkPreview(Struct, frozen=True, kw_only=True):
    """What a draft would do, counted on the current snapshots by the very code that links.

    Attributes:
        report: What the version would keep of the join.
        types: Per key the DuckDB types of its left and its right side.
        brings: The columns it adds, right name → name in the dataset.
        left_keys, right_keys: Distinct keys on each side, without null.
        right_rows: Rows of the source.
        right_null_rows: Rows of the source without a key (or, in an as-of join, without a time).
        unused_rows: Rows of the source whose key nobody asks for.
        duplicate_rows: Rows of the source that share their key with another one.
        orphans, unused, duplicates: The keys with the most rows of each kind; `LinkBench.keys` has them all.
        near: The writing of the left keys by which most orphans would be found; None when none would.
        decided: What a joined time is compared with, `dataset.time`; empty when it is not known at this link.
        times: The source's columns of times.
        rest: What else of the declaration would be refused with this link in it; empty when nothing is.
        seconds: How long the look took.
    """

    report: LinkReport
    types: list[tuple[str, str]]
    brings: dict[str, str]
    left_keys: int
    right_keys: int
    right_rows: int
    right_null_rows: int
    unused_rows: int
    duplicate_rows: int
    orphans: list[KeyRows]
    unused: list[KeyRows]
    duplicates: list[KeyRows]
    near: NearMiss | None = None
    decided: str
    times: list[str]
    rest: str
    seconds: float

    @property
    def later(self) -> list[str]:
        """The columns of times that are later than the decision in some row, the worst first."""
        worst = sorted(self.report.travel, key=lambda one: one.rows, reverse=True)
        return [one.column for one in worst if one.rows]


class KeyProposal(Struct, frozen=True, kw_only=True):
    """Keys that two sources may be linked by, with what they were measured to do.

    Attributes:
        on: Left column → right column.
        asof: The column of times of an as-of link; empty for a plain one.
        match_rate: Share of left rows with a partner.
        unique: Share of the right side's keys that stand once.
        rows_out: Rows after the join.
        why: What speaks for it, in words.
    """

    on: dict[str, str]
    asof: str = ""
    match_rate: float
    unique: float
    rows_in: int
    rows_out: int
    why: str


def drafted(dataset: Dataset, link: Link, position: int | None = None) -> LinkDraft:
    """Return the draft of a link in place of the one at `position` (from 1), or behind all others."""
    links = list(dataset.links)
    at = len(links) + 1 if position is None else position
    links[at - 1 : at] = [link]
    return LinkDraft(dataset=msgspec.structs.replace(dataset, links=links), position=at)


def without(dataset: Dataset, position: int) -> Dataset:
    """Return a dataset without one of its links, numbered from 1."""
    links = [link for number, link in enumerate(dataset.links, 1) if number != position]
    return msgspec.structs.replace(dataset, links=links)


def brought(link: Link, names: Sequence[str]) -> dict[str, str]:
    """Return the columns a link brings of those its source has, as right name → name in the dataset.

    All but the keys when none are named; a column that is named but not there is among them all the same.
    """
    chosen = link.columns or [name for name in names if name not in link.on.values()]
    return {name: f"{link.prefix}{name}" for name in chosen}


def left_columns(dataset: Dataset, position: int, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns that are there before a link; `columns` are those of each source that was synced."""
    found = list(columns.get(dataset.base, ()))
    for link in dataset.links[: position - 1]:
        found += brought(link, columns.get(link.source, ())).values()
    return found


def fan_out_of(fan_out: Mapping[int, int]) -> list[tuple[str, int]]:
    """Return a report's fan-out as a histogram: label and left rows of 0, 1, 2, 3–9 and 10 or more partners."""
    histogram: list[tuple[str, int]] = []
    for low, high, label in FAN_OUT:
        within = [rows for partners, rows in fan_out.items() if low <= partners <= (partners if high is None else high)]
        histogram.append((label, sum(within)))
    return histogram
