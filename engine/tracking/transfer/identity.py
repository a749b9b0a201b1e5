"""What a run is called outside of this workspace, and how it is known again."""

import hashlib

from lemnis.engine.experiments.runs import Run

ORIGIN = "lemnis.run"  # tag of an exported training of ours: its number and when it was made


def outside_id(run: Run) -> tuple[str, dict[str, str]]:
    """Return what a run is called outside of this workspace, and the tag by which it is known again here."""
    if run.uid is not None:
        return run.uid, {}
    origin = f"{run.id} {run.created_at}"
    return hashlib.sha256(f"{origin} {run.name}".encode()).hexdigest()[:32], {ORIGIN: origin}
