"""Marks of people on runs: tags, notes, the baseline, and deleting so that it can be taken back."""

from collections.abc import Sequence

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.runs import add_pairs, get_run
from lemnis.engine.store import Store

LONGEST_KEY, LONGEST_TEXT = 250, 50_000


def tag_run(store: Store, run_id: int, key: str, value: str = "") -> None:
    """Give a run a tag, or a tag another value.

    Raises:
        BadInput: The key is empty or too long.
    """
    get_run(store, run_id)
    key = key.strip()
    if not key or len(key) > LONGEST_KEY or len(value) > LONGEST_TEXT:
        raise BadInput(
            f"A tag needs a name of 1 to {LONGEST_KEY} characters, and a value of at most {LONGEST_TEXT:,}.",
            "Write for example baseline, or team=blue.",
        )
    with store.write() as db:
        add_pairs(db, "run_tags", run_id, [(key, value)])


def untag_run(store: Store, run_id: int, key: str) -> None:
    """Take a tag away; one that is not there is fine."""
    get_run(store, run_id)
    with store.write() as db:
        db.execute("delete from run_tags where run_id = ? and key = ?", [run_id, key])


def note_run(store: Store, run_id: int, note: str) -> None:
    """Replace a run's note.

    Raises:
        BadInput: It is too long.
    """
    get_run(store, run_id)
    if len(note) > LONGEST_TEXT:
        raise BadInput(f"The note has {len(note):,} characters; {LONGEST_TEXT:,} are allowed.", "Shorten it.")
    with store.write() as db:
        db.execute("update runs set note = ? where id = ?", [note, run_id])


def pin_run(store: Store, run_id: int | None) -> None:
    """Make a run the baseline that others are compared with, instead of any other; None for none."""
    if run_id is not None:
        get_run(store, run_id)
    with store.write() as db:
        db.execute("update runs set pinned = (id = ?) where pinned or id = ?", [run_id or 0, run_id or 0])


def archive_runs(store: Store, run_ids: Sequence[int], *, archived: bool = True) -> int:
    """Put ended runs aside, or back among the others; they stay as they are. Return how many were moved.

    Raises:
        NotFound: One of them does not exist.
        BadInput: A job still works on one of them.
    """
    check_ended(store, run_ids, "archived")
    marks = ", ".join("?" * len(run_ids))
    with store.write() as db:
        done = db.execute(
            f"""update runs set archived_at = ?, pinned = pinned and ? is null
                where id in ({marks}) and (archived_at is null) = (? is not null)""",
            [now_ms() if archived else None, now_ms() if archived else None, *run_ids, 1 if archived else None],
        )
    return done.rowcount


def check_ended(store: Store, run_ids: Sequence[int], word: str) -> None:
    """Raise NotFound or BadInput unless all these runs exist and have ended."""
    for run_id in run_ids:
        run = get_run(store, run_id)
        if not run.ended and run.job_id is not None:  # without a job nobody here could end it first
            raise BadInput(f"Run {run_id} is {run.state}: it can't be {word} yet.", "Cancel it first.", f"run {run_id}")


def delete_runs(store: Store, run_ids: Sequence[int]) -> int:
    """Hide runs from every list; files and rows stay, so `restore_runs` brings them back. Return how many were hidden.

    Raises:
        NotFound: One of them does not exist.
        BadInput: One of them still trains.
    """
    check_ended(store, run_ids, "deleted")
    return set_deleted(store, run_ids, now_ms())


def restore_runs(store: Store, run_ids: Sequence[int]) -> int:
    """Bring deleted runs back and return how many were hidden."""
    for run_id in run_ids:
        get_run(store, run_id)
    return set_deleted(store, run_ids, None)


def set_deleted(store: Store, run_ids: Sequence[int], at: int | None) -> int:
    """Write when runs were deleted, None for not; return how many changed."""
    marks = ", ".join("?" * len(run_ids))
    with store.write() as db:
        done = db.execute(
            f"""update runs set deleted_at = ?, pinned = pinned and ? is null
                where id in ({marks}) and (deleted_at is null) = (? is not null)""",
            [at, at, *run_ids, at],
        )
    return done.rowcount
