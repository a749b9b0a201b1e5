"""Results of verification: kept and read, SQLite only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.evaluate.gates import Gate
from lemnis.engine.evaluate.records import Evaluation, Explanation, Importance
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

PARTS = ("train", "validation", "test")


def list_evaluations(store: Store, run_id: int) -> list[Evaluation]:
    """Return a run's evaluations of its latest evaluated version: train, validation, test."""
    rows = store.rows(
        """select detail from evaluations where run_id = :run and version_id =
             (select version_id from evaluations where run_id = :run order by created_at desc, id desc limit 1)""",
        {"run": run_id},
    )
    found = [msgspec.json.decode(row["detail"], type=Evaluation) for row in rows]
    return sorted(found, key=lambda one: PARTS.index(one.part) if one.part in PARTS else len(PARTS))


def evaluated_runs(store: Store) -> list[int]:
    """Return the ids of the runs that were evaluated, the latest evaluation first."""
    rows = store.rows("select run_id from evaluations group by run_id order by max(created_at) desc, run_id desc")
    return [row["run_id"] for row in rows]


def list_gates(store: Store, run_id: int) -> list[Gate]:
    """Return what the criteria made of a run, in their order; empty before it was evaluated."""
    rows = store.rows(
        """select metric, part, rule, observed, low, high, verdict, why, rows_needed
           from gates where run_id = ? order by position""",
        [run_id],
    )
    return [Gate(**dict(row)) for row in rows]


def list_importances(store: Store, run_id: int) -> list[Importance]:
    """Return what each feature does in a run's model, largest contribution first."""
    rows = store.rows(
        """select feature, gain, splits, contribution from importances where run_id = ?
           order by contribution desc nulls last, gain desc, feature""",
        [run_id],
    )
    return [Importance(**dict(row)) for row in rows]


def list_explanations(store: Store, run_id: int) -> list[Explanation]:
    """Return the rows of a run that were explained: the ones asked for first, then those picked by evaluating."""
    rows = store.rows(
        "select detail from explanations where run_id = ? order by kind != 'asked', position, at desc", [run_id]
    )
    return [msgspec.json.decode(row["detail"], type=Explanation) for row in rows]


def find_explanation(store: Store, run_id: int, key: str) -> Explanation | None:
    """Return a row's explanation if there is one."""
    row = store.row("select detail from explanations where run_id = ? and row_key = ?", [run_id, key])
    return msgspec.json.decode(row["detail"], type=Explanation) if row is not None else None


def save_results(
    store: Store,
    run_id: int,
    evaluations: list[Evaluation],
    gates: list[Gate],
    importances: list[Importance],
    explanations: list[Explanation],
    job_id: int | None,
) -> None:
    """Keep one evaluation of a run in place of its earlier one."""
    at = now_ms()
    with store.write() as db:
        for table in ("evaluations", "gates", "importances", "explanations"):
            db.execute(f"delete from {table} where run_id = ?", [run_id])
        note_measured(db, run_id, evaluations, importances, job_id)
        for position, gate in enumerate(gates):
            fields = {name: getattr(gate, name) for name in Gate.__struct_fields__}
            db.table("gates").insert(fields | {"run_id": run_id, "position": position, "at": at})
        for position, explanation in enumerate(explanations):
            save_explanation(store, explanation, position)


def note_measured(
    db: "Database",
    run_id: int,
    evaluations: Sequence[Evaluation],
    importances: Sequence[Importance],
    job_id: int | None = None,
) -> None:
    """Write down what was measured of a run of which nothing is kept."""
    db.table("evaluations").insert_all(
        {
            "run_id": run_id,
            "version_id": one.version_id,
            "part": one.part,
            "rows": one.rows,
            "metrics": msgspec.json.encode(one.metrics).decode(),
            "detail": msgspec.json.encode(one).decode(),
            "created_at": one.created_at,
            "job_id": job_id,
        }
        for one in evaluations
    )
    for one in importances:
        fields = {name: getattr(one, name) for name in Importance.__struct_fields__}
        db.table("importances").insert(fields | {"run_id": run_id})


def save_explanation(store: Store, explanation: Explanation, position: int = -1) -> None:
    """Keep one row's explanation."""
    with store.write() as db:
        db.table("explanations").insert(
            {
                "run_id": explanation.run_id,
                "row_key": explanation.key,
                "position": position,
                "kind": explanation.kind,
                "detail": msgspec.json.encode(explanation).decode(),
                "at": now_ms(),
            },
            replace=True,
        )
