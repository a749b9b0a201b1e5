"""A shadow: the challenger scores rows that the champion was asked, after the answer, where no client waits for it."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct, field

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.registry import signature_of
from lemnis.engine.deploy.rollout import counts
from lemnis.engine.deploy.rollout.counts import Sums
from lemnis.engine.deploy.rollout.records import Split
from lemnis.engine.deploy.rollout.sticky import is_challengers
from lemnis.engine.errors import LemnisError
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST_BEHIND = 20_000  # requests; a shadow that is farther behind leaves out what it can't catch up with


class Shadowed(Struct, kw_only=True):
    """What a page of requests came to.

    Attributes:
        rows: For the table of shadows: request, key, event time, score, all scores as JSON, error.
        skipped: Requests that were left out because too many waited.
    """

    sums: Sums = field(default_factory=Sums)
    rows: list[tuple[int, str, int, float | None, str, str]] = field(default_factory=list)  # pyright: ignore[reportUnknownVariableType]
    skipped: int = 0


class Shadow:
    """A challenger in memory that scores logged rows."""

    def __init__(self, store: Store, split: Split) -> None:
        """Load the challenger as a server would; raises as `load_served`."""
        from lemnis.engine.deploy.serving import load_served

        model = str(store.value("select model from endpoints where name = ?", [split.endpoint]))
        self.split_id = split.id
        self._served = load_served(store, model, split.challenger, cores=1)
        self._names = signature_of(store, model, split.champion).names

    def score(self, split: Split, answered: list[Row], *, behind: int) -> Shadowed:
        """Score the rows of a page that fall to the shadow.

        Args:
            split: Whose share decides.
            answered: Rows of `predictions`, all of a request together.
            behind: How many requests are logged after this page.
        """
        found = Shadowed()
        by_request: dict[int, list[Row]] = defaultdict(list)
        for row in answered:
            if row["version"] == split.champion and is_challengers(str(row["request_id"]), split.salt, split.share):
                by_request[row["request_id"]].append(row)
        if behind > MOST_BEHIND:
            found.skipped = len(by_request)
            return found
        for request, rows in by_request.items():
            scores, error = self._scores(rows)
            found.sums.requests += 1
            found.sums.errors += bool(error)
            ranks: list[float] = []
            for place, row in enumerate(rows):
                listed = scores[place] if scores else []
                score = None if not listed else listed[-1] if len(listed) == 1 else max(listed)
                answer = msgspec.json.encode(listed).decode() if len(listed) > 1 else ""
                found.rows.append((request, row["row_key"], row["event_at"], score, answer, error))
                if score is not None and split.reference.scores:
                    ranks.append(counts.rank(split.reference.scores, score))
            if ranks:
                found.sums.scored += 1
                found.sums.ranks += sum(ranks) / len(ranks)
        return found

    def _scores(self, rows: list[Row]) -> tuple[list[list[float]], str]:
        """Return one list of scores a row, or none and the reason."""
        sent: list[dict[str, Any]] = []  # Any: what JSON can hold
        for row in rows:
            sent.append(dict(zip(self._names, msgspec.json.decode(row["features"]), strict=True)))
        try:
            scores = self._served.predictor.many(encode_rows(sent, self._served.signature))
        except LemnisError as error:
            return [], error.problem[:300]
        return (scores.tolist(), "") if np.isfinite(scores).all() else ([], "a score is not finite")


def write(db: "Database", split: Split, endpoint: str, shadowed: Shadowed) -> None:
    """Log what a shadow scored, inside the caller's transaction."""
    now = now_ms()
    db.conn.executemany(
        """insert into shadows (split_id, request_id, endpoint, version, row_key, event_at, score, answer, error, at)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (split.id, request, endpoint, split.challenger, key, event_at, score, answer, error, now)
            for request, key, event_at, score, answer, error in shadowed.rows
        ],
    )
