"""What was measured of columns: kept and read, SQLite only."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.features.records import FeatureScore, Ranking, Spread
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Column

TEXTS = ("string", "large_string", "string_view", "dictionary")


def is_candidate(column: "Column") -> bool:
    """Say whether a column can be a feature: its role and its type allow it."""
    if column.role != "feature":
        return False
    return column.kind in ("numeric", "boolean") or (column.kind == "categorical" and column.type.startswith(TEXTS))


def list_scores(store: Store, version_id: str) -> list[FeatureScore]:
    """Return what is known of a version's columns, in the order of the columns; empty before it was ranked."""
    return [score_in(row) for row in store.rows(SCORES, [version_id])]


SCORES = "select * from feature_scores where version_id = ? order by position"


def score_in(row: Row) -> FeatureScore:
    """Return the score of one row; one that was kept without its detail has means of one model only."""
    if row["detail"] is not None:
        return msgspec.json.decode(row["detail"], type=FeatureScore)
    known = {"gain": row["gain_share"], "permutation": row["permutation"]}
    return FeatureScore(
        name=row["feature"],
        kind=row["kind"],
        missing=row["missing"],
        importance={name: Spread(mean=mean, low=mean, high=mean) for name, mean in known.items() if mean is not None},
        association=row["association"],
        method=row["association_method"],
        single=row["single"],
        leakage=row["leakage"],
        leakage_score=row["leakage_score"],
    )


def find_ranking(store: Store, version_id: str) -> Ranking | None:
    """Return how a version was ranked, None if it was not."""
    row = store.row("select * from feature_rankings where version_id = ?", [version_id])
    if row is None:
        return None
    if row["detail"] is not None:
        return msgspec.json.decode(row["detail"], type=Ranking)
    known = {name: row[name] for name in row.keys() if name in Ranking.__struct_fields__}  # noqa: SIM118 - a sqlite row
    return Ranking(**known)


def save_ranking(store: Store, ranking: Ranking, scores: list[FeatureScore], job_id: int | None) -> None:
    """Keep a ranking in place of the version's earlier one."""
    key = ranking.version_id
    kept = (
        *("version_id", "skill", "score", "train_rows", "judged_rows", "rounds", "repeats", "seed", "elapsed_ms"),
        "computed_at",
    )
    with store.write() as db:
        for table in ("feature_rankings", "feature_scores"):
            db.execute(f"delete from {table} where version_id = ?", [key])
        db.table("feature_rankings").insert(
            {name: getattr(ranking, name) for name in kept}
            | {"job_id": job_id, "detail": msgspec.json.encode(ranking).decode()}
        )
        for position, score in enumerate(scores):
            db.table("feature_scores").insert(
                {
                    "version_id": key,
                    "position": position,
                    "feature": score.name,
                    "kind": score.kind,
                    "missing": score.missing,
                    "gain_share": score.mean("gain"),
                    "permutation": score.mean("permutation"),
                    "association": score.association,
                    "association_method": score.method,
                    "single": score.single,
                    "leakage": score.leakage,
                    "leakage_score": score.leakage_score,
                    "detail": msgspec.json.encode(score).decode(),
                }
            )
