"""What the Features tab shows, read from the engine at once."""

from msgspec import Struct

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.evaluate import Ablation
from lemnis.engine.features import FeatureScore, FeatureSet, Matrix, Pair, Ranking
from lemnis.engine.features.matrices import strongest
from lemnis.engine.jobs import Job

WORKING = ("queued", "preparing", "running")
JOBS = ("features.rank", "features.associate")


class FeaturesView(Struct, frozen=True):
    """The latest version's columns, the sets to choose from, and a ranking under way."""

    version: Version | None
    candidates: list[str]
    scores: dict[str, FeatureScore]
    ranking: Ranking | None
    matrix: Matrix | None
    pairs: list[Pair]
    sets: list[FeatureSet]
    choices: list[FeatureSet]
    ablations: dict[str, Ablation]
    job: Job | None


def read_view(engine: Engine) -> FeaturesView:
    """Return what the tab shows; for a thread."""
    room = engine.features
    version = next(iter(engine.data.versions()), None)
    if version is None:
        return FeaturesView(None, [], {}, None, None, [], [], [], {}, None)
    sets = room.sets()
    declared = room.feature_set()
    if declared.name not in {one.name for one in sets}:
        sets.append(declared)
    sets.sort(key=lambda one: one.name != declared.name)
    tried = engine.evaluate.ablations(version.id)
    return FeaturesView(
        version=version,
        candidates=room.candidates(version.id),
        scores={score.name: score for score in room.scores(version.id)},
        ranking=room.ranking(version.id),
        matrix=(matrix := room.matrix(version.id)),
        pairs=[] if matrix is None else strongest(matrix, limit=len(matrix.names) ** 2),
        sets=sets,
        choices=room.sets(history=True),
        ablations={one.features[0]: one for one in reversed(tried) if len(one.features) == 1},
        job=job_of(engine, version.id),
    )


def job_of(engine: Engine, version_id: str) -> Job | None:
    """Return the job that measures this version now."""
    jobs = engine.jobs.jobs(states=WORKING, limit=50)
    return next((job for job in jobs if job.kind in JOBS and job.arguments.get("version") == version_id), None)
