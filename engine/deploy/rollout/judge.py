"""The judge's process: watches an endpoint's split and ends it when the challenger is shown to be worse.

`python -m lemnis.engine.deploy.rollout.judge --workspace W --endpoint NAME`. It reads the log that the workers write,
so that no request waits for it; a shadow's scores are made here too, from the rows that the champion was asked.
"""

import argparse
import os
import signal
import sys
import threading
from collections import defaultdict
from pathlib import Path

from lemnis.engine.deploy.rollout import counts, shadow, splits
from lemnis.engine.deploy.rollout.counts import Sums
from lemnis.engine.deploy.rollout.records import Split
from lemnis.engine.errors import LemnisError
from lemnis.engine.jobs.processes import step_back
from lemnis.engine.store import Row, Store
from lemnis.engine.workspace import Workspace

LOOK_S = 0.25
NICE = 5  # what is asked now goes before what is compared
WHO = "lemnis"


class Judge:
    """Adds what was answered to the split's sums, and ends the split when they say so."""

    def __init__(self, store: Store, endpoint: str) -> None:
        self.store, self.endpoint = store, endpoint
        self._shadow: shadow.Shadow | None = None

    def look(self) -> bool:
        """Count what was logged since the last look; return whether a split still runs."""
        split = splits.running(self.store, self.endpoint)
        if split is None:
            return False
        split = self._with_reference(split)
        if split.mode == "shadow" and not self._prepared(split):
            return False
        while self._count(split):
            pass
        found = counts.standings(self.store, split)
        worse = counts.verdict(split, found)
        if worse:
            splits.end(self.store, split.id, "aborted", who=WHO, why=worse)
        return not worse

    def _prepared(self, split: Split) -> bool:
        """Load the challenger of a shadow once; end the split when it is not fit."""
        if self._shadow is not None and self._shadow.split_id == split.id:
            return True
        try:
            self._shadow = shadow.Shadow(self.store, split)
        except LemnisError as error:
            why = f"version {split.challenger} is not fit to serve: {error.problem}"
            splits.end(self.store, split.id, "aborted", who=WHO, why=why)
            return False
        return True

    def _with_reference(self, split: Split) -> Split:
        """Freeze what the champion was like, once enough is known; what it is known from is not compared."""
        if split.reference.slow_us is not None:
            return split
        found = counts.reference_of(self.store, split)
        if found is None:
            return split
        while self._count(split):
            pass
        return splits.keep_reference(self.store, split, found)

    def _count(self, split: Split) -> bool:
        """Add one page of requests; return whether there may be more."""
        cursor = self.store.row("select * from split_cursors where split_id = ?", [split.id], name="predictions")
        if cursor is None:
            counts.begin(self.store, split.id, (split.champion, split.challenger))
            return False
        first, last = cursor["request_id"], cursor["prediction_id"]
        asked = self.store.rows(
            """select id, version, latency_us, status, endpoint from requests where id > ? order by id limit ?""",
            [first, counts.PAGE],
            name="predictions",
        )
        if not asked:
            return False
        newest = asked[-1]["id"]
        answered = self.store.rows(
            """select id, request_id, version, row_key, event_at, features, score from predictions
               where id > ? and request_id <= ? and +endpoint = ? order by id""",
            [last, newest, self.endpoint],
            name="predictions",
        )
        requests = [row for row in asked if row["endpoint"] == self.endpoint]
        sums = self._sums(split, requests, answered)
        shadowed = shadow.Shadowed()
        if self._shadow is not None and split.mode == "shadow":
            shadowed = self._shadow.score(split, answered, behind=self._behind(newest))
            sums[split.challenger] = shadowed.sums
        with self.store.write("predictions") as db:
            db.execute(
                """update split_cursors set request_id = ?, prediction_id = max(prediction_id, ?), skipped = skipped + ?
                   where split_id = ?""",
                [newest, answered[-1]["id"] if answered else last, shadowed.skipped, split.id],
            )
            counts.add(db, split.id, sums)
            shadow.write(db, split, self.endpoint, shadowed)
        return len(asked) == counts.PAGE

    def _behind(self, newest: int) -> int:
        """Return how many requests are logged after one."""
        return int(self.store.value("select coalesce(max(id), 0) from requests", name="predictions")) - newest

    def _sums(self, split: Split, requests: list[Row], answered: list[Row]) -> dict[int, Sums]:
        """Return what a page of requests adds to each version."""
        sums = {split.champion: Sums(), split.challenger: Sums()}
        slow, scores = split.reference.slow_us, split.reference.scores
        ranks: dict[int, list[float]] = defaultdict(list)
        for row in answered if scores else ():
            if row["score"] is not None:
                ranks[row["request_id"]].append(counts.rank(scores, row["score"]))
        for row in requests:
            one = sums.get(row["version"])
            if one is None:
                continue
            one.requests += 1
            one.errors += row["status"] >= 400
            if slow is not None and row["status"] < 400:
                one.timed += 1
                one.slow += row["latency_us"] > slow
            if row["id"] in ranks:
                one.scored += 1
                one.ranks += sum(ranks[row["id"]]) / len(ranks[row["id"]])
        return sums


def main() -> int:
    """Judge the split of one endpoint until it ends or SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    options = parser.parse_args()
    os.umask(0o077)
    step_back(NICE)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    judge = Judge(Store(Workspace(options.workspace)), options.endpoint)
    while not stop.is_set():
        try:
            if not judge.look():
                break
        except LemnisError as error:  # the store may be locked or the disk full: the next look tries again
            print(f"{error.problem} {error.remedy}", file=sys.stderr, flush=True)
        stop.wait(LOOK_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
