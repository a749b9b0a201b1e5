"""Importance over folds and seeds: one model each, kept as soon as it is measured, so that nothing is done twice."""

import hashlib
import importlib.metadata
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.features.folds import Fold, drawn
from lemnis.engine.features.importance import IMPORTANCES, PARAMETERS, Sample, Worth, worth
from lemnis.engine.features.records import Spread
from lemnis.engine.features.signature import Signature
from lemnis.engine.features.stability import agreement, spreads
from lemnis.engine.store import Store

FOLDS, SEEDS = 4, (1, 2)
LEARN_ROWS, JUDGE_ROWS = 20_000, 10_000  # of one model
ROUNDS, REPEATS = 40, 1  # folds and seeds repeat the shuffling
RULES = "1"  # raised when the same conditions would give another result


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: rows with a target in order, encoded by one signature, their folds, and the columns.

    Attributes:
        matrix, target: Shapes (rows, columns) and (rows,).
        places: Columns of the matrix that are ranked.
    """

    version_id: str
    signature: Signature
    matrix: NDArray[np.float64]
    target: NDArray[np.float64]
    folds: list[Fold]
    places: list[int]

    def sample(self, fold: int, seed: int) -> Sample:
        """Return the rows that one model learns from and is judged by; the seed draws them."""
        learn = drawn(self.folds[fold].learn, LEARN_ROWS, seed)
        judge = drawn(self.folds[fold].judge, JUDGE_ROWS, seed)
        return Sample(
            signature=self.signature,
            learn=self.matrix[learn],
            learn_target=self.target[learn],
            judge=self.matrix[judge],
            judge_target=self.target[judge],
        )

    @property
    def conditions(self) -> str:
        """Everything that decides the result, as a hash; the version's id stands for its rows."""
        told = [
            [self.signature.names[place] for place in self.places],
            *(self.signature.target, self.signature.task, [fold.name for fold in self.folds], self.target.size),
            *(PARAMETERS, SEEDS, ROUNDS, REPEATS, LEARN_ROWS, JUDGE_ROWS, RULES),
            *(importlib.metadata.version(name) for name in ("lightgbm", "numpy", "scikit-learn")),
        ]
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def measure(store: Store, plan: Plan, *, threads: int, told: Callable[[float, str], None]) -> tuple[list[Worth], int]:
    """Return what each model says, all seeds of the first fold, then of the second …, and how many were kept before.

    Args:
        store: Where finished models' answers are kept and looked for.
        plan: What to measure.
        threads: Of LightGBM.
        told: Called with the share of the work done and words with the time left; what it raises ends the work, and
            what is finished by then stays.
    """
    conditions = plan.conditions
    kept = finished(store, plan.version_id, conditions)
    found: list[Worth] = []
    trained, started = 0, monotonic_s()
    total = len(plan.folds) * len(SEEDS)
    for fold in range(len(plan.folds)):
        for seed in SEEDS:
            if (fold, seed) in kept:
                found.append(kept[fold, seed])
                continue

            words = f"fold {fold + 1} of {len(plan.folds)}, seed {seed}"

            def tell(share: float, done: int = len(found), passed: int = trained, words: str = words) -> None:
                left = remaining(monotonic_s() - started, passed + share, total - len(kept))
                told((done + share) / total, words + left)

            tell(0.0)
            sample = plan.sample(fold, seed)
            measured = worth(sample, plan.places, rounds=ROUNDS, repeats=REPEATS, seed=seed, threads=threads, told=tell)
            keep(store, plan.version_id, conditions, fold, seed, measured)
            found.append(measured)
            trained += 1
    return found, len(kept)


def remaining(elapsed_s: float, done: float, total: float) -> str:
    """Return the time that is left in words once a third of a model tells it; empty before."""
    return f", about {max(1, round(elapsed_s / done * (total - done)))} s left" if done > 0.3 else ""


def finished(store: Store, version_id: str, conditions: str) -> dict[tuple[int, int], Worth]:
    """Return what models under the same conditions have said, by fold and seed."""
    rows = store.rows(
        "select fold, seed, detail from feature_folds where version_id = ? and conditions = ?", [version_id, conditions]
    )
    return {(row["fold"], row["seed"]): msgspec.json.decode(row["detail"], type=Worth) for row in rows}


def keep(store: Store, version_id: str, conditions: str, fold: int, seed: int, measured: Worth) -> None:
    """Keep what one model says."""
    row = {"version_id": version_id, "conditions": conditions, "fold": fold, "seed": seed, "at": now_ms()}
    with store.write() as db:
        detail = msgspec.json.encode(measured).decode()
        db.table("feature_folds").insert(row | {"detail": detail}, replace=True)


def forget_others(store: Store, version_id: str, conditions: str) -> None:
    """Drop what models under other conditions have said of a version."""
    with store.write() as db:
        db.execute("delete from feature_folds where version_id = ? and conditions != ?", [version_id, conditions])


def table_of(worths: Sequence[Worth], importance: str) -> NDArray[np.float64]:
    """Return one importance by model and column, shape (models, columns)."""
    return np.array([getattr(one, importance) for one in worths], dtype=np.float64)


def spread_of(worths: Sequence[Worth]) -> list[dict[str, Spread]]:
    """Return by column the spread of every importance."""
    by_name = {name: spreads(table_of(worths, name)) for name in IMPORTANCES}
    return [{name: each[place] for name, each in by_name.items()} for place in range(len(worths[0].gain))]


def agreements(worths: Sequence[Worth]) -> dict[str, float]:
    """Return by importance how far the models agree on the order of the columns; left out where it is not defined."""
    found = {name: agreement(table_of(worths, name)) for name in IMPORTANCES}
    return {name: value for name, value in found.items() if not np.isnan(value)}
