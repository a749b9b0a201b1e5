"""What was measured of columns: kept and read, SQLite only."""

from lemnis.engine.data.versions import Column
from lemnis.engine.features.records import FeatureScore, Pair, Ranking
from lemnis.engine.store import Store

FIELDS = (
    "feature, kind, missing, gain, gain_share, splits, permutation, permutation_deviation, association, "
    "association_method, single, leakage, leakage_score"
)
TEXTS = ("string", "large_string", "string_view", "dictionary")


def is_candidate(column: Column) -> bool:
    """Say whether a column can be a feature: its role and its type allow it."""
    if column.role != "feature":
        return False
    return column.kind in ("numeric", "boolean") or (column.kind == "categorical" and column.type.startswith(TEXTS))


def list_scores(store: Store, version_id: str) -> list[FeatureScore]:
    """Return what is known of a version's columns, in the order of the columns; empty before it was ranked."""
    rows = store.rows(f"select {FIELDS} from feature_scores where version_id = ? order by position", [version_id])
    return [
        FeatureScore(
            name=row["feature"],
            kind=row["kind"],
            missing=row["missing"],
            gain=row["gain"],
            gain_share=row["gain_share"],
            splits=row["splits"],
            permutation=row["permutation"],
            permutation_deviation=row["permutation_deviation"],
            association=row["association"],
            method=row["association_method"],
            single=row["single"],
            leakage=row["leakage"],
            leakage_score=row["leakage_score"],
        )
        for row in rows
    ]


def find_ranking(store: Store, version_id: str) -> Ranking | None:
    """Return how a version was ranked, None if it was not."""
    row = store.row(
        """select version_id, skill, score, train_rows, judged_rows, rounds, repeats, seed, elapsed_ms, computed_at
           from feature_rankings where version_id = ?""",
        [version_id],
    )
    return Ranking(**dict(row)) if row is not None else None


def list_pairs(store: Store, version_id: str, feature: str = "", limit: int = 50) -> list[Pair]:
    """Return the most associated pairs of columns, of one column if `feature` is given, strongest first."""
    rows = store.rows(
        """select first, second, association from feature_pairs
           where version_id = :version and :feature in ('', first, second)
           order by association desc, first, second limit :limit""",
        {"version": version_id, "feature": feature, "limit": limit},
    )
    return [Pair(**dict(row)) for row in rows]


def save_ranking(
    store: Store, ranking: Ranking, scores: list[FeatureScore], pairs: list[Pair], job_id: int | None
) -> None:
    """Keep a ranking in place of the version's earlier one."""
    key = ranking.version_id
    with store.write() as db:
        for table in ("feature_rankings", "feature_scores", "feature_pairs"):
            db.execute(f"delete from {table} where version_id = ?", [key])
        db.table("feature_rankings").insert(
            {name: getattr(ranking, name) for name in Ranking.__struct_fields__} | {"job_id": job_id}
        )
        for position, score in enumerate(scores):
            fields = {name: getattr(score, name) for name in FeatureScore.__struct_fields__}
            fields["feature"], fields["association_method"] = fields.pop("name"), fields.pop("method")
            db.table("feature_scores").insert(fields | {"version_id": key, "position": position})
        db.table("feature_pairs").insert_all(
            [
                {"version_id": key, "first": pair.first, "second": pair.second, "association": pair.association}
                for pair in pairs
            ]
        )
