"""Ablations: what was found of runs without some features; kept and read, SQLite only."""

import msgspec
from msgspec import Struct

from lemnis.engine.store import Store


class Difference(Struct, frozen=True, kw_only=True):
    """A run against the one that it leaves features out of, on the same rows.

    Attributes:
        metric: The task's first measure.
        part: The rows: validation if the split has them, so that the test rows stay unseen, else test or all.
        before, after: Every measure with and without the features, None where not defined.
        deltas: after - before; `intervals` its 95 % interval, drawn over `blocks` (days or rows) together.
    """

    run_id: int
    parent_id: int
    metric: str
    part: str
    rows: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    deltas: dict[str, float | None]
    intervals: dict[str, list[float]]
    blocks: str
    at: int
    smaller_is_better: bool = False


class Ablation(Struct, frozen=True, kw_only=True):
    """One ablation: what was left out, how its run does, and the difference once both models are there.

    Attributes:
        features: What was left out.
        state, why: Of the run; `waiting` while it is trained but not yet measured.
    """

    run_id: int
    parent_id: int
    features: list[str]
    state: str
    why: str
    progress_text: str
    created_at: int
    found: Difference | None

    @property
    def verdict(self) -> str:
        """``needed``, ``not needed``, ``better without``; empty while it is not measured."""
        if self.found is None or self.found.metric not in self.found.intervals:
            return ""
        low, high = self.found.intervals[self.found.metric]
        if self.found.smaller_is_better:
            low, high = -high, -low
        return "needed" if high < 0 else "better without" if low > 0 else "not needed"


def save_difference(store: Store, found: Difference) -> None:
    """Keep a difference in place of an earlier one of the same run."""
    row = {"run_id": found.run_id, "parent_id": found.parent_id, "at": found.at}
    with store.write() as db:
        detail = msgspec.json.encode(found).decode()
        db.table("ablations").insert(row | {"detail": detail}, replace=True)


def list_ablations(store: Store, version_id: str = "") -> list[Ablation]:
    """Return the ablations of a dataset version, of all if none is given; the newest first."""
    rows = store.rows(
        """select child.id as run_id, parent.id as parent_id, child.features as kept, parent.features as whole,
             child.state, child.why, child.created_at, coalesce(j.progress_text, '') as progress_text, a.detail
           from runs child
             join run_tags left_out on left_out.run_id = child.id and left_out.key = 'ablation'
             join run_tags of on of.run_id = child.id and of.key = 'parent'
             join runs parent on parent.id = cast(of.value as integer)
             left join jobs j on j.id = child.job_id
             left join ablations a on a.run_id = child.id
           where child.deleted_at is null and ? in ('', child.version_id) order by child.id desc""",
        [version_id],
    )
    found: list[Ablation] = []
    for row in rows:
        kept, whole = (msgspec.json.decode(row[name], type=list[str]) for name in ("kept", "whole"))
        detail = row["detail"]
        state = "waiting" if row["state"] == "finished" and detail is None else row["state"]
        found.append(
            Ablation(
                run_id=row["run_id"],
                parent_id=row["parent_id"],
                features=[name for name in whole if name not in kept],
                state=state,
                why="trained; waits to be measured" if state == "waiting" else row["why"],
                progress_text=row["progress_text"],
                created_at=row["created_at"],
                found=None if detail is None else msgspec.json.decode(detail, type=Difference),
            )
        )
    return found
