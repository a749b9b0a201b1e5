"""Bringing runs of another store in: each once, whole, and what is new about a known one added."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import LemnisError, NotFound
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.groups import create_experiment, experiment_named, tag_experiment
from lemnis.engine.experiments.runs import Run, as_number, get_run
from lemnis.engine.experiments.tracked import Announced, Logged
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import artifacts
from lemnis.engine.tracking.runs import keep_datasets, link_models
from lemnis.engine.tracking.transfer.identity import ORIGIN
from lemnis.engine.tracking.transfer.records import Brought, File, Group, Moved, MovedModel, Source
from lemnis.engine.tracking.transfer.registered import bring_registered

BATCH = 10_000  # points of one transaction
CHUNK = 1 << 20
MOST_MISSING = 20  # that are named


def bring_in(store: Store, source: Source, tell: Callable[[Brought], None] = lambda _: None) -> Brought:
    """Read every run of a store and return what came in.

    A run that was imported before is known by its id: it is brought up to date, and is there once. What was changed
    here, such as a deletion, stays.

    Args:
        store: The workspace's.
        source: Where runs are read from.
        tell: Called after every run.

    Raises:
        BadInput: The store holds what can't be read; what came before it is in.
    """
    done = Brought()
    for group in source.groups():
        experiment_id = experiment_for(store, group, done)
        for moved in source.runs(group):
            bring_run(store, source, moved, experiment_id, done)
            tell(done)
        for model in source.models(group):
            bring_model(store, source, model, experiment_id, done)
    for registered in source.registered():
        bring_registered(store, registered, done)
    return done


def experiment_for(store: Store, group: Group, done: Brought) -> int:
    """Return the experiment of the same name, made if there is none."""
    try:
        found = experiment_named(store, group.name)
    except NotFound:
        number = create_experiment(store, group.name, group.tags, group.created_at)
        done.experiments += 1
        if group.deleted:
            with store.write() as db:
                db.execute("update experiments set deleted_at = ? where id = ?", [now_ms(), number])
        return number
    tag_experiment(store, found.id, {key: value for key, value in group.tags.items() if key not in found.tags})
    return found.id


def bring_run(store: Store, source: Source, moved: Moved, experiment_id: int, done: Brought) -> None:
    """Bring one run in, or up to date."""
    known = known_run(store, moved)
    if known is not None and known.uid is None:
        done.known += 1  # a training of this very workspace
        return
    if known is None:
        announced = Announced(
            uid=moved.uid,
            name=moved.name,
            experiment_id=experiment_id,
            user=moved.user,
            state=moved.state,
            started_at=moved.started_at,
            ended_at=moved.ended_at,
            deleted_at=moved.deleted_at,
            params=moved.params,
            tags=moved.tags,
        )
        with store.write() as db:
            number = tracked.insert(db, announced)
        run = get_run(store, number)
        done.runs += 1
    else:
        run = tracked.move(store, known, state=moved.state, ended_at=moved.ended_at)
        params = {key: value for key, value in moved.params.items() if key not in run.params}
        tracked.log_batch(store, run, params=params.items(), tags=moved.tags.items())
        done.known += 1
    for points in batches(source.points(moved)):
        tracked.log_batch(store, run, metrics=points)
        done.points += len(points)
    keep_datasets(store, run, moved.datasets)
    link_models(store, run, moved.inputs, "input")
    link_models(store, run, moved.outputs, "output")
    bring_files(source, moved, artifacts.run_folder(store, run), done)


def bring_model(store: Store, source: Source, model: MovedModel, experiment_id: int, done: Brought) -> None:
    """Bring one logged model in, with its files; one that is here already only gets files that it lacks."""
    known: int | None = store.value("select experiment_id from logged_models where id = ?", [model.id])
    if known is None:
        row = {
            "id": model.id,
            "experiment_id": experiment_id,
            "name": model.name,
            "type": model.type,
            "run_id": store.value("select id from runs where uid = ?", [model.run_uid]),
            "status": model.status,
            "created_at": model.created_at,
            "updated_at": model.updated_at,
            "deleted_at": now_ms() if model.deleted else None,
        }
        with store.write() as db:
            db.table("logged_models").insert(row)
            for table, values in (("logged_model_tags", model.tags), ("logged_model_params", model.params)):
                pairs = [
                    {"model_id": model.id, "key": key, "value": value, "number": as_number(value)}
                    for key, value in values.items()
                ]
                db.table(table).insert_all(pairs)
            db.conn.executemany(
                """insert or replace into logged_model_metrics
                     (model_id, run_id, key, value, step, at, dataset_name, dataset_digest)
                   select ?, id, ?, ?, ?, ?, ?, ? from runs where uid = ?""",
                [(model.id, *one[1:], one.run_uid) for one in model.metrics],
            )
        done.models += 1
    bring_files(source, model, artifacts.model_folder(store, experiment_id if known is None else known, model.id), done)


def known_run(store: Store, moved: Moved) -> Run | None:
    """Return the run that this one is here, None if it is new."""
    origin = moved.tags.get(ORIGIN, "").split()
    if len(origin) == 2 and all(word.isdecimal() and len(word) < 18 for word in origin):
        number: int | None = store.value(
            "select id from runs where id = ? and created_at = ? and uid is null", [int(word) for word in origin]
        )
        if number is not None:
            return get_run(store, number)
    number = store.value("select id from runs where uid = ?", [moved.uid])
    return None if number is None else get_run(store, number)


def batches(points: Iterator[Logged]) -> Iterator[Sequence[Logged]]:
    """Return points in batches."""
    while batch := list(islice(points, BATCH)):
        yield batch


def bring_files(source: Source, owner: Moved | MovedModel, folder: Path, done: Brought) -> None:
    """Copy artifacts; one that is here with its size is not copied again."""
    try:
        for file in source.files(owner):
            path = artifacts.below(folder, artifacts.parts_of(file.path))
            if not path.is_file() or path.stat().st_size != file.size:
                copy(file, artifacts.Incoming(path, file.size))
                done.files += 1
                done.bytes += file.size
    except (LemnisError, OSError) as error:
        if len(done.missing) < MOST_MISSING:
            why = error.problem if isinstance(error, LemnisError) else error.strerror or str(error)
            done.missing.append(f"{safe(owner.name, limit=60)}: {why}")


def copy(file: File, incoming: artifacts.Incoming) -> None:
    """Copy one file, whole or not at all."""
    try:
        with file.open() as content:
            while data := content.read(CHUNK):
                incoming.write(data)
        incoming.keep()
    finally:
        incoming.drop()
