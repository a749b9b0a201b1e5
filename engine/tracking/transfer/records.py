"""What a store of MLflow's gives: experiments, runs with everything said of them, points and files."""

from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, Protocol

from msgspec import Struct

from lemnis.engine.experiments.tracked import Logged
from lemnis.engine.jobs.states import JobState
from lemnis.engine.tracking.protocol import DatasetInput, ModelLink

MODEL_STATUS = {
    0: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    1: "LOGGED_MODEL_PENDING",
    2: "LOGGED_MODEL_READY",
    3: "LOGGED_MODEL_UPLOAD_FAILED",
}


class Group(Struct, frozen=True, kw_only=True):
    """An experiment there; `key` is its id there."""

    key: str
    name: str
    tags: dict[str, str]
    created_at: int | None
    deleted: bool


class Moved(Struct, frozen=True, kw_only=True):
    """A run there; times are epoch ms."""

    uid: str
    group: str
    name: str
    user: str
    state: JobState
    started_at: int | None
    ended_at: int | None
    deleted_at: int | None
    params: dict[str, str]
    tags: dict[str, str]
    datasets: list[DatasetInput] = []
    inputs: list[ModelLink] = []
    outputs: list[ModelLink] = []
    artifact_uri: str = ""


class Judged(NamedTuple):
    """One value of a metric that judges a logged model; None is NaN."""

    run_uid: str
    key: str
    value: float | None
    step: int
    at: int
    dataset_name: str = ""
    dataset_digest: str = ""


class MovedModel(Struct, frozen=True, kw_only=True):
    """A logged model there; times are epoch ms, `status` is MLflow's word such as LOGGED_MODEL_READY."""

    id: str
    name: str
    type: str
    run_uid: str
    status: str
    created_at: int
    updated_at: int
    deleted: bool
    tags: dict[str, str]
    params: dict[str, str]
    metrics: list[Judged] = []
    artifact_uri: str = ""


class MovedVersion(Struct, frozen=True, kw_only=True):
    """A version there; times are epoch ms."""

    version: int
    source: str
    run_uid: str = ""
    run_link: str = ""
    model_id: str = ""
    description: str = ""
    stage: str = "None"
    user: str = ""
    created_at: int
    updated_at: int
    tags: dict[str, str] = {}


class MovedRegistered(Struct, frozen=True, kw_only=True):
    """A registered model there; `aliases` has the version of each, `own` says that Lemnis registered it here."""

    name: str
    description: str = ""
    created_at: int
    updated_at: int
    tags: dict[str, str] = {}
    aliases: dict[str, int] = {}
    versions: list[MovedVersion] = []
    own: bool = False


class File(NamedTuple):
    """An artifact there; its path is below the run's."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]


class Source(Protocol):
    """A store that runs are read from."""

    def groups(self) -> list[Group]:
        """Return every experiment, deleted ones too."""
        ...

    def runs(self, group: Group) -> Iterator[Moved]:
        """Return the runs of an experiment, deleted ones too."""
        ...

    def models(self, group: Group) -> Iterator[MovedModel]:
        """Return the logged models of an experiment, deleted ones too."""
        ...

    def registered(self) -> Iterator[MovedRegistered]:
        """Return the registered models, with their versions, tags and aliases."""
        ...

    def points(self, run: Moved) -> Iterator[Logged]:
        """Return every value of every metric of a run."""
        ...

    def files(self, owner: Moved | MovedModel) -> Iterator[File]:
        """Return the artifacts of a run or of a logged model.

        Raises:
            NotFound: They are not where this store can be read.
        """
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class Brought(Struct, kw_only=True):
    """What an import brought in.

    Attributes:
        runs: New runs.
        registered: New versions of registered models.
        known: Runs that were here already; what is new about them was added.
        points: Values of metrics that were read.
        missing: Runs whose artifacts are not where they could be read, with the reason.
    """

    experiments: int = 0
    runs: int = 0
    models: int = 0
    registered: int = 0
    known: int = 0
    points: int = 0
    files: int = 0
    bytes: int = 0
    missing: list[str] = []
