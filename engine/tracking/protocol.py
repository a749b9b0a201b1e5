"""MLflow's REST on the tracking side: what its clients send, and our records as they read them. Pure."""

import math
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.groups import Experiment
from lemnis.engine.experiments.runs import Run
from lemnis.engine.experiments.tracked import Logged, uid_of
from lemnis.engine.jobs.states import JobState
from lemnis.engine.text import safe

Document: TypeAlias = dict[str, Any]  # Any: JSON values
Whole: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Moment: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]  # epoch ms
Status: TypeAlias = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
ViewType: TypeAlias = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]

LONGEST_KEY, LONGEST_PARAM, LONGEST_TAG = 250, 6000, 8000  # characters, MLflow's own
MOST_IN_BATCH = 1000
KEY = re.compile(r"[/\w.\- :]*")
STATES: dict[Status, JobState] = {
    "RUNNING": "running",
    "SCHEDULED": "queued",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "cancelled",
}
STATUSES: dict[JobState, Status] = {
    **{state: status for status, state in STATES.items()},
    "preparing": "SCHEDULED",
    "lost": "FAILED",
}


class Asked(Struct, kw_only=True):
    """What every request is one of."""


class Pair(Struct, kw_only=True):
    """A tag or a parameter."""

    key: str
    value: str = ""


class Value(Struct, kw_only=True):
    """One value of a metric; what is no finite number comes as text. A model id says which logged model it judges."""

    key: str
    value: float | str
    timestamp: Moment = 0
    step: Whole = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class CreateExperiment(Asked, kw_only=True):
    """A new experiment."""

    name: str
    artifact_location: str = ""
    tags: list[Pair] = []


class AskExperiment(Asked, kw_only=True):
    """An experiment by id."""

    experiment_id: str


class AskExperimentByName(Asked, kw_only=True):
    """An experiment by name."""

    experiment_name: str


class UpdateExperiment(Asked, kw_only=True):
    """Another name for an experiment."""

    experiment_id: str
    new_name: str = ""


class ExperimentTag(Asked, kw_only=True):
    """A tag of an experiment."""

    experiment_id: str
    key: str
    value: str = ""


class Search(Asked, kw_only=True):
    """What every search is one of."""

    filter: str = ""
    order_by: list[str] = []
    max_results: Annotated[int, Meta(ge=1)] = 1000
    page_token: str = ""


class SearchExperiments(Search, kw_only=True):
    """A search of experiments."""

    view_type: ViewType = "ACTIVE_ONLY"


class SearchRuns(Search, kw_only=True):
    """A search of runs."""

    experiment_ids: list[str] = []
    run_view_type: ViewType = "ACTIVE_ONLY"


class CreateRun(Asked, kw_only=True):
    """A new run; `job_id` is the address's, of a command that runs here."""

    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Moment | None = None
    tags: list[Pair] = []
    job_id: int = 0


class AskRun(Asked, kw_only=True):
    """A run by either of its two names."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def uid(self) -> str:
        return self.run_id or self.run_uuid


class UpdateRun(AskRun, kw_only=True):
    """Another state or name of a run."""

    status: Status | None = None
    end_time: Moment | None = None
    run_name: str = ""


class LogMetric(Value, kw_only=True):
    """One value of a metric of a run."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def uid(self) -> str:
        return self.run_id or self.run_uuid


class RunPair(AskRun, kw_only=True):
    """A tag or parameter of a run."""

    key: str
    value: str = ""


class LogBatch(AskRun, kw_only=True):
    """Metrics, parameters and tags of a run."""

    metrics: list[Value] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class Dataset(Struct, kw_only=True):
    """A dataset as its client describes it."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInput(Struct, kw_only=True):
    """A dataset that a run reads, and how."""

    dataset: Dataset
    tags: list[Pair] = []


class ModelLink(Struct, kw_only=True):
    """A logged model that a run reads or makes."""

    model_id: str
    step: Whole = 0


class LogInputs(AskRun, kw_only=True):
    """What a run reads."""

    datasets: list[DatasetInput] = []
    models: list[ModelLink] = []


class LogOutputs(AskRun, kw_only=True):
    """What a run makes."""

    models: list[ModelLink] = []


class LogModel(AskRun, kw_only=True):
    """A model of a run, as clients before MLflow 3 say it."""

    model_json: str = ""


class AskHistory(AskRun, kw_only=True):
    """A page of all values of a metric."""

    metric_key: str
    max_results: Annotated[int, Meta(ge=1)] = 25_000
    page_token: str = ""


class AskArtifacts(AskRun, kw_only=True):
    """A folder of a run's artifacts."""

    path: str = ""
    page_token: str = ""


def checked_key(key: str) -> str:
    """Return a name of a metric, parameter or tag that MLflow would accept too; an export makes it a file's name.

    Raises:
        BadInput: It is none.
    """
    if not key or len(key) > LONGEST_KEY or not KEY.fullmatch(key):
        raise BadInput(
            f"{safe(key, limit=80)!r} can't be a name of a metric, parameter or tag.",
            f"Use 1 to {LONGEST_KEY} letters, digits, spaces and _ - . : /",
        )
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise BadInput(f"{safe(key, limit=80)!r} can't be a name: it reads as a path out of its place.", "Rename it.")
    return key


def checked(pairs: Iterable[Pair], what: str, longest: int) -> list[tuple[str, str]]:
    """Return pairs whose names and lengths are right; raises BadInput."""
    found = [(checked_key(pair.key), pair.value) for pair in pairs]
    for key, value in found:
        if len(value) > longest:
            raise BadInput(
                f"The {what} {key} has {len(value):,} characters; {longest:,} are allowed.",
                "Shorten it, or log it as an artifact.",
            )
    return found


def logged(value: Value, now_ms: int) -> Logged:
    """Return a value of a metric as we keep it; raises BadInput if it is no number."""
    return Logged(checked_key(value.key), value.step, value.timestamp or now_ms, number(value.value))


def number(value: float | str) -> float | None:
    """Return a JSON number, which may be the text NaN, Infinity or -Infinity; NaN is None. Raises BadInput."""
    try:
        found = float(value)
    except ValueError:
        raise BadInput(f"{safe(str(value), limit=40)!r} is no number.", "Send a number, NaN or Infinity.") from None
    return None if math.isnan(found) else found


def json_number(value: float | None) -> float | str:
    """Return a number as protobuf's JSON has it."""
    if value is None:
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def whole_id(text: str) -> int:
    """Return an experiment's number; raises BadInput."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise BadInput(f"{safe(text, limit=40)!r} is no experiment's id.", "Ids are numbers, as a search gives them.")
    return int(text)


def pair_documents(pairs: Mapping[str, str]) -> list[Document]:
    """Return tags or parameters."""
    return [{"key": key, "value": value} for key, value in pairs.items()]


def experiment_document(experiment: Experiment) -> Document:
    """Return an experiment."""
    return {
        "experiment_id": str(experiment.id),
        "name": experiment.name,
        "artifact_location": f"mlflow-artifacts:/{experiment.id}",
        "lifecycle_stage": stage_of(experiment.deleted_at),
        "creation_time": experiment.created_at,
        "last_update_time": experiment.updated_at,
        "tags": pair_documents(experiment.tags),
    }


def stage_of(deleted_at: int | None) -> str:
    """Return MLflow's lifecycle stage."""
    return "active" if deleted_at is None else "deleted"


def info_document(run: Run) -> Document:
    """Return who a run is and how it stands."""
    uid = uid_of(run)
    found: Document = {
        "run_id": uid,
        "run_uuid": uid,
        "run_name": run.name,
        "experiment_id": str(run.experiment_id),
        "user_id": run.user,
        "status": STATUSES[run.state],
        "start_time": run.started_at if run.started_at is not None else run.created_at,
        "artifact_uri": artifact_uri(run),
        "lifecycle_stage": stage_of(run.deleted_at),
    }
    if run.ended_at is not None and run.ended:
        found["end_time"] = run.ended_at
    return found


def artifact_uri(run: Run) -> str:
    """Return where a client sends and finds a run's artifacts."""
    return f"mlflow-artifacts:/{run.experiment_id}/{uid_of(run)}/artifacts"


def metric_document(metric: Logged) -> Document:
    """Return one value of a metric."""
    return {"key": metric.key, "value": json_number(metric.value), "timestamp": metric.at, "step": metric.step}


def entry_document(path: str, is_dir: bool, size: int) -> Document:
    """Return a file or folder among artifacts."""
    return {"path": path, "is_dir": is_dir, **({} if is_dir else {"file_size": size})}


def dataset_document(dataset: Dataset, tags: Mapping[str, str]) -> Document:
    """Return a dataset that a run read."""
    return {"dataset": msgspec.structs.asdict(dataset), "tags": pair_documents(tags)}
