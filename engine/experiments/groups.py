"""MLflow's experiments: named groups of runs, made, renamed, tagged and deleted by clients."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.runs import as_number
from lemnis.engine.store import Store, returning
from lemnis.engine.text import safe

LONGEST_NAME = 500


class Taken(BadInput):
    """A name that something else has already."""

    code = "already_exists"


class Experiment(Struct, frozen=True, kw_only=True):
    """A group of runs; times are epoch ms."""

    id: int
    name: str
    tags: dict[str, str]
    created_at: int
    updated_at: int
    deleted_at: int | None


def create_experiment(
    store: Store, name: str, tags: Mapping[str, str] | None = None, created_at: int | None = None
) -> int:
    """Make an experiment and return its number.

    Raises:
        BadInput: The name can't be one.
        Taken: There is one of this name, perhaps a deleted one.
    """
    check_name(store, name)
    now = now_ms()
    with store.write() as db:
        experiment_id = int(
            returning(
                db,
                "insert into experiments (name, created_at, updated_at) values (?, ?, ?) returning id",
                (name, now if created_at is None else created_at, now),
            )[0]["id"]
        )
        tag_experiment(store, experiment_id, tags or {})
    return experiment_id


def check_name(store: Store, name: str) -> None:
    """Raise BadInput unless an experiment may be called so, Taken if one is."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise BadInput(f"An experiment needs a name of 1 to {LONGEST_NAME} characters.", "Give another one.")
    row = store.row("select deleted_at from experiments where name = ?", [name])
    if row is not None:
        deleted = " and is deleted" if row["deleted_at"] is not None else ""
        raise Taken(f"Experiment {safe(name, limit=80)!r} exists already{deleted}.", "Use it, or another name.")


def experiment_named(store: Store, name: str, *, create: bool = False) -> Experiment:
    """Return an experiment by name, made first if it is asked for; raises NotFound."""
    number: int | None = store.value("select id from experiments where name = ?", [name])
    if number is None:
        if not create:
            raise NotFound(f"There is no experiment {safe(name, limit=80)!r}.", "Make it first.")
        number = create_experiment(store, name)
    return experiment_of(store, number)


def experiment_of(store: Store, experiment_id: int) -> Experiment:
    """Return an experiment; raises NotFound."""
    found = read_experiments(store, [experiment_id])
    if not found:
        raise NotFound(f"There is no experiment {experiment_id}.", "Search for them.")
    return found[0]


def read_experiments(store: Store, ids: Sequence[int]) -> list[Experiment]:
    """Return experiments by number, in this order; one that does not exist is left out."""
    marks = ", ".join("?" * len(ids))
    rows = {row["id"]: row for row in store.rows(f"select * from experiments where id in ({marks})", ids)}
    tags: dict[int, dict[str, str]] = {number: {} for number in ids}
    for number, key, value in store.rows(
        f"select experiment_id, key, value from experiment_tags where experiment_id in ({marks})", ids
    ):
        tags[number][key] = value
    return [Experiment(**dict(rows[number]), tags=tags[number]) for number in ids if number in rows]


def rename_experiment(store: Store, experiment_id: int, name: str) -> None:
    """Give an experiment another name; raises NotFound, BadInput, Taken."""
    if experiment_of(store, experiment_id).name == name:
        return
    check_name(store, name)
    with store.write() as db:
        db.execute("update experiments set name = ?, updated_at = ? where id = ?", [name, now_ms(), experiment_id])


def tag_experiment(store: Store, experiment_id: int, tags: Mapping[str, str]) -> None:
    """Give an experiment tags."""
    rows = [
        {"experiment_id": experiment_id, "key": key, "value": value, "number": as_number(value)}
        for key, value in tags.items()
    ]
    with store.write() as db:
        db.table("experiment_tags").insert_all(rows, replace=True)
        db.execute("update experiments set updated_at = ? where id = ?", [now_ms(), experiment_id])


def untag_experiment(store: Store, experiment_id: int, key: str) -> None:
    """Take a tag away; raises NotFound."""
    if key not in experiment_of(store, experiment_id).tags:
        raise NotFound(f"Experiment {experiment_id} has no tag {safe(key, limit=80)!r}.", "See its tags.")
    with store.write() as db:
        db.execute("delete from experiment_tags where experiment_id = ? and key = ?", [experiment_id, key])


def delete_experiment(store: Store, experiment_id: int) -> None:
    """Hide an experiment and those of its runs that are not hidden yet; `restore_experiment` brings them back.

    Raises:
        NotFound: There is none.
        BadInput: It is the one that runs without an experiment are in, or deleted already.
    """
    found = experiment_of(store, experiment_id)
    if experiment_id == 0:
        raise BadInput(f"Experiment {found.name} can't be deleted.", "Delete the runs in it.")
    if found.deleted_at is not None:
        raise BadInput(f"Experiment {found.name} is deleted already.", "Restore it to bring it back.")
    now = now_ms()
    with store.write() as db:
        db.execute("update experiments set deleted_at = ?, updated_at = ? where id = ?", [now, now, experiment_id])
        db.execute(
            "update runs set deleted_at = ?, pinned = 0 where experiment_id = ? and deleted_at is null",
            [now, experiment_id],
        )


def restore_experiment(store: Store, experiment_id: int) -> None:
    """Bring a deleted experiment back with the runs that were hidden with it; raises NotFound, BadInput."""
    found = experiment_of(store, experiment_id)
    if found.deleted_at is None:
        raise BadInput(f"Experiment {found.name} is not deleted.", "There is nothing to do.")
    with store.write() as db:
        db.execute("update experiments set deleted_at = null, updated_at = ? where id = ?", [now_ms(), experiment_id])
        db.execute(
            "update runs set deleted_at = null where experiment_id = ? and deleted_at = ?",
            [experiment_id, found.deleted_at],
        )
