"""The shape of the three databases, as ordered migrations that are never edited once released."""

from typing import TYPE_CHECKING

from lemnis.engine.store.connection import Name
from lemnis.engine.store.revisions import create_revisions
from lemnis.engine.store.schema import (
    data,
    deploy,
    evaluate,
    experiments,
    explore,
    features,
    jobs,
    monitor,
    predictions,
    problem,
    telemetry,
    validate,
)

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def migrations(name: Name) -> "Migrations":
    """Return the migrations of one database; the last one's number is `connection.SCHEMA_VERSION`."""
    from sqlite_utils import Migrations

    steps = Migrations(f"lemnis.{name}")
    rooms = {
        "state": (problem, jobs, data, explore, features, validate, experiments, evaluate, deploy, monitor),
        "metrics": (telemetry,),
        "predictions": (predictions,),
    }[name]

    @steps()
    def m001(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for room in rooms:
            for statement in room.TABLES:
                db.execute(statement)
        if name == "state":
            create_revisions(db)

    return steps


def apply_migrations(db: "Database", name: Name) -> None:
    """Bring one database up to date; each step is a transaction of its own, a failed one leaves no trace."""
    migrations(name).apply(db)
