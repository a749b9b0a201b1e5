"""Ablation: the same training without one or some of its features, tracked like any run and measured against it."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.runs import Run, get_run
from lemnis.engine.experiments.start import NAME_LENGTH, REPEATED, queue_run
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store
from lemnis.engine.text import safe

TAG, PARENT = "ablation", "parent"  # tags of a run: what was left out, and of which run
KIND = "evaluate.ablation"


def find_parent(store: Store, features: Sequence[str], version: str | int | None) -> Run | None:
    """Return the run to leave features out of: the baseline if it fits, else the latest of the version that has them.

    A run that still waits or trains fits too; the difference is measured when both have a model.
    """
    found = find_version(store, version)
    rows = store.rows(
        """select id from runs where version_id = ? and deleted_at is null
             and (model_sha256 is not null or state in ('queued', 'preparing', 'running'))
             and not exists (select 1 from run_tags where run_id = runs.id and key = ?)
           order by pinned desc, model_sha256 is null, id desc""",
        [found.id, TAG],
    )
    runs = (get_run(store, int(row["id"])) for row in rows)
    return next((run for run in runs if set(features) <= set(run.features) and len(run.features) > len(features)), None)


def ablate_run(store: Store, parent: Run, features: Sequence[str], *, user: str, threshold: float) -> int:
    """Queue the training of `parent` without some of its features and return the new run's id.

    Everything else is as it was: data version, preset, parameters, seed, split, cores.

    Raises:
        NotFound: The run has not trained with one of them.
        BadInput: No feature is named, or none would be left.
    """
    left_out = list(dict.fromkeys(features))
    for name in left_out:
        if name not in parent.features:
            known = ", ".join(parent.features)
            raise NotFound(
                f"Run {parent.id} was trained without {name!r}.", f"Its features: {known}.", f"run {parent.id}"
            )
    kept = [name for name in parent.features if name not in left_out]
    if not left_out or not kept:
        raise BadInput("An ablation leaves out at least one feature and keeps at least one.", "Name other features.")
    said = ", ".join(left_out)
    row: dict[str, object] = {name: getattr(parent, name) for name in REPEATED}
    row |= {
        "name": safe(f"{parent.name} without {said}", limit=NAME_LENGTH),
        "features": msgspec.json.encode(kept).decode(),
        "feature_set": "",
        "feature_set_revision": None,
        "user": user,
    }
    tags = {TAG: safe(said, limit=1000), PARENT: str(parent.id)}
    return queue_run(store, row, parent.params, threshold=threshold, tags=tags)


def measure_ablations(store: Store, run_id: int) -> list[int]:
    """Queue the measuring of every ablation that this run, now trained, completes; return the jobs' ids.

    The run may be the one without the feature, or the one that others were made of.
    """
    rows = store.rows(
        """select child.id as child, parent.id as parent
           from runs child
             join run_tags left_out on left_out.run_id = child.id and left_out.key = :tag
             join run_tags of on of.run_id = child.id and of.key = :parent
             join runs parent on parent.id = cast(of.value as integer)
           where :run in (child.id, parent.id) and child.model_sha256 is not null and parent.model_sha256 is not null
             and child.deleted_at is null""",
        {"tag": TAG, "parent": PARENT, "run": run_id},
    )
    jobs = JobsRoom(store)
    return [
        jobs.submit(
            KIND, f"Run {row['child']} against run {row['parent']}", {"run": row["child"], "parent": row["parent"]}
        )
        for row in rows
    ]
