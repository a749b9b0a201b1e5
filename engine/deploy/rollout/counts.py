"""What a split's two versions answered, added up from the log: each request once, in the order it was logged."""

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.deploy.rollout.records import MEANING, Arm, Bound, Measure, Reference, Split, Standing
from lemnis.engine.deploy.rollout.sequential import standing
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

PAGE = 5_000  # requests that are added at once
LEAST = 100  # requests of the champion that say what it was like
MOST = 2_000  # of them, and of their rows, that are looked at
QUANTILES = 200


class Sums(Struct, kw_only=True):
    """What one version's answers add up to.

    Attributes:
        timed, slow: Requests whose latency was compared, and those of them that were slow.
        scored, ranks: Requests whose scores were compared, and the sum of their mean ranks, each in [0, 1].
    """

    requests: int = 0
    errors: int = 0
    timed: int = 0
    slow: int = 0
    scored: int = 0
    ranks: float = 0.0

    def arm(self, measure: Measure) -> Arm:
        """Return the sums that one measure is judged by."""
        if measure == "errors":
            return Arm(self.requests, float(self.errors))
        return Arm(self.timed, float(self.slow)) if measure == "latency" else Arm(self.scored, self.ranks)


def begin(store: Store, split_id: int, versions: tuple[int, int]) -> None:
    """Let the counting of a split begin after what is logged now."""
    with store.write("predictions") as db:
        db.execute(
            """insert or ignore into split_cursors (split_id, request_id, prediction_id)
               select ?, (select coalesce(max(id), 0) from requests), (select coalesce(max(id), 0) from predictions)""",
            [split_id],
        )
        for version in versions:
            db.execute("insert or ignore into split_counts (split_id, version) values (?, ?)", [split_id, version])


def sums_of(store: Store, split_id: int) -> dict[int, Sums]:
    """Return what each version's answers add up to."""
    rows = store.rows("select * from split_counts where split_id = ?", [split_id], name="predictions")
    return {row["version"]: Sums(**{name: row[name] for name in Sums.__struct_fields__}) for row in rows}


def add(db: "Database", split_id: int, sums: dict[int, Sums]) -> None:
    """Add sums inside the caller's transaction."""
    names = Sums.__struct_fields__
    changes = ", ".join(f"{name} = {name} + :{name}" for name in names)
    for version, more in sums.items():
        db.execute(
            f"update split_counts set {changes} where split_id = :split and version = :version",
            {"split": split_id, "version": version, **msgspec.structs.asdict(more)},
        )


def standings(store: Store, split: Split) -> list[Standing]:
    """Return where the test of each measure stands.

    Each measure gets the same part of the split's alpha, so that all together keep it.
    """
    sums = sums_of(store, split.id)
    champion, challenger = sums.get(split.champion, Sums()), sums.get(split.challenger, Sums())
    return [
        judged(split, measure, bound, champion.arm(measure), challenger.arm(measure))
        for measure, bound in split.bounds.items()
    ]


def judged(split: Split, measure: Measure, bound: Bound, champion: Arm, challenger: Arm) -> Standing:
    """Return where one measure stands, or why it is not judged."""
    found = standing(measure, champion, challenger, bound, split.alpha / len(split.bounds))
    if measure == "latency" and split.mode == "shadow":
        return msgspec.structs.replace(found, judged=False, why="a shadow answers nobody, so it keeps nobody waiting")
    known = split.reference.slow_us is not None if measure == "latency" else bool(split.reference.scores)
    if measure != "errors" and not known:
        why = f"waits for {LEAST} answers of the champion to compare with"
        return msgspec.structs.replace(found, judged=False, why=why)
    return found


def verdict(split: Split, found: list[Standing]) -> str:
    """Say what shows that the challenger is worse than allowed; empty when nothing does."""
    worse = [entry for entry in found if entry.worse]
    return "; ".join(
        f"{entry.measure}: {MEANING[entry.measure]} is {entry.challenger.mean:.3g} for version {split.challenger} "
        f"({entry.challenger.n:,} answers) and {entry.champion.mean:.3g} for version {split.champion} "
        f"({entry.champion.n:,}), {entry.allowed:g} apart is allowed"
        for entry in worse
    )


def reference_of(store: Store, split: Split) -> Reference | None:
    """Return what the champion's answers were like since a split began; None while there are fewer than LEAST.

    Earlier ones may have been of another kind: whole batches, another time of the day.
    """
    rows = store.rows(
        """select id, latency_us from requests
           where endpoint = ? and at >= ? and version = ? and status < 400 order by at limit ?""",
        [split.endpoint, split.started_at, split.champion, MOST],
        name="predictions",
    )
    if len(rows) < LEAST:
        return None
    waits = sorted(row["latency_us"] for row in rows)
    scores = store.rows(
        """select score from predictions
           where request_id between ? and ? and endpoint = ? and version = ? and score is not null limit ?""",
        [min(row["id"] for row in rows), max(row["id"] for row in rows), split.endpoint, split.champion, MOST],
        name="predictions",
    )
    ordered = sorted(row["score"] for row in scores)
    places = [round(place * (len(ordered) - 1) / (QUANTILES - 1)) for place in range(QUANTILES)] if ordered else []
    return Reference(slow_us=waits[int(0.95 * (len(waits) - 1))], scores=[ordered[place] for place in places])


def rank(scores: list[float], score: float) -> float:
    """Return where a score stands among ascending ones, 0 below all and 1 above; ties are halved."""
    return (bisect_left(scores, score) + bisect_right(scores, score)) / (2 * len(scores))
