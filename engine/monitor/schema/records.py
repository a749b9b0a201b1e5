"""Findings of schema drift as records: what changed of which column, how sure, since when, and what to do about it."""

from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.records import Verdict

Kind: TypeAlias = Literal[
    "removed", "renamed", "type", "unit", "nullability", "code", "range", "code gone", "added", "malformed"
]
KINDS: tuple[Kind, ...] = (  # those that break most first
    "removed", "renamed", "type", "unit", "nullability", "code", "range", "code gone", "added", "malformed",
)  # fmt: skip
REQUESTS = "requests"
Act: TypeAlias = Literal["rename", "scale", "null", "code", "nullable", "low", "high"]


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of lemnis.toml.

    Attributes:
        target: The source, or the check or code list, that it is made in.
        column: Of the source.
        texts: Of `rename` the name from here on, else codes, or texts that mean a missing value.
        numbers: A bound; of `scale` factor and offset.
    """

    act: Act
    target: str
    column: str
    texts: list[str] = []
    numbers: list[float] = []


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One difference, with its cause where that is known: a renamed column is one finding.

    Attributes:
        endpoint: Whose model the rows are meant for; of a source all of them, and empty.
        source: Where the rows come from: `requests`, or a source of the dataset.
        column: As training knew it; of an added one as it is called now.
        feature: What the dataset calls the column of a source; empty where it does not take it.
        new_name: What a renamed column is called now.
        conversion: Factor and offset that turn usual values into those that came, where the unit is another.
        was, now: In words.
        rows: Rows concerned, of `of` that were looked at; `refused`: of requests that got no answer for it.
        since: When it began, epoch ms: of rows that were answered in event time, else when it was first seen.
        until: When it was last seen.
        evidence: What a guess rests on; empty where nothing is guessed.
        examples: Values as they came.
        advice: What to do about it, in words.
        edits: What would be written into lemnis.toml; none where only the sender can mend it.
    """

    endpoint: str = ""
    model: str = ""
    version: int = 0
    source: str = REQUESTS
    feature: str = ""
    kind: Kind
    column: str
    new_name: str = ""
    conversion: list[float] = []
    was: str = ""
    now: str = ""
    rows: int = 0
    of: int = 0
    refused: bool = False
    since: int = 0
    until: int = 0
    verdict: Verdict = "watch"
    importance: float | None = None
    evidence: str = ""
    examples: list[str] = []
    advice: str = ""
    edits: list[Edit] = []
    id: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two findings of different times the same."""
        return self.endpoint, self.source, self.kind, self.column


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """When an endpoint was last looked at, epoch ms, and what stood in the way."""

    endpoint: str
    model: str
    version: int
    at: int
    problem: str


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One column of some rows, as far as another is compared with it.

    Attributes:
        holds: What its values are; `nothing` where there is none.
        quantiles: Of the finite numbers at QUANTILES, ascending; empty for others.
        codes: Rows of each text, the commonest first; `whole`: these are all.
        readable: Rows of a text that reads as a number; `strange`: the commonest other texts, with their rows.
        examples: Values as they came.
    """

    name: str
    holds: Literal["number", "truth", "text", "time", "nothing"]
    rows: int
    missing: int = 0
    quantiles: list[float] = []
    codes: dict[str, int] = {}
    whole: bool = True
    readable: int = 0
    strange: dict[str, int] = {}
    examples: list[str] = []

    @property
    def present(self) -> int:
        return self.rows - self.missing


QUANTILES = tuple(place / 20 for place in range(21))
