"""The shape of the three databases, as ordered migrations that are never edited once released."""

from typing import TYPE_CHECKING

from lemnis.engine.store.connection import Name
from lemnis.engine.store.revisions import create_revisions
from lemnis.engine.store.schema import (
    cluster,
    concept,
    data,
    deploy,
    evaluate,
    experiments,
    explore,
    features,
    inspections,
    jobs,
    monitor,
    predictions,
    problem,
    retraining,
    share,
    sweeps,
    telemetry,
    tracking,
    validate,
)

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


ROOMS = {
    "state": (
        problem,
        jobs,
        data,
        explore,
        features,
        validate,
        experiments,
        evaluate,
        deploy,
        monitor,
        concept,
        inspections,
        retraining,
        share,
        sweeps,
        tracking,
        cluster,
    ),
    "metrics": (telemetry,),
    "predictions": (predictions,),
}


def migrations(name: Name) -> "Migrations":
    """Return the migrations of one database, in order of their numbers.

    The first makes every room's TABLES. What came later stands in the LATER of its room, by a name that starts with its
    number (``m002_labels``); numbers are given once over all rooms, and the highest is `connection.SCHEMA_VERSION`.
    """
    from sqlite_utils import Migrations

    steps = Migrations(f"lemnis.{name}")

    @steps()
    def m001(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for room in ROOMS[name]:
            for statement in room.TABLES:
                db.execute(statement)
        if name == "state":
            create_revisions(db)

    later = {step: sql for room in ROOMS[name] for step, sql in getattr(room, "LATER", {}).items()}
    for step in sorted(later):
        statements = later[step]

        @steps(name=step)
        def run(db: "Database", statements: tuple[str, ...] = statements) -> None:  # pyright: ignore[reportUnusedFunction]
            for statement in statements:
                db.execute(statement)

    return steps


def apply_migrations(db: "Database", name: Name) -> None:
    """Bring one database up to date; each step is a transaction of its own, a failed one leaves no trace."""
    migrations(name).apply(db)
