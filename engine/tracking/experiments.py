"""The calls on experiments."""

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import groups
from lemnis.engine.query import Column, Condition, Fields, Pairs
from lemnis.engine.store import Store
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.listing import Table, Wish, found
from lemnis.engine.tracking.protocol import Document

EXPERIMENTS = Table(
    "experiments",
    Fields(
        id="experiments.id",
        bare="experiments.name",
        columns={
            "experiment_id": Column("experiments.id", "number"),
            "name": Column("experiments.name"),
            "creation_time": Column("experiments.created_at", "time"),
            "last_update_time": Column("experiments.updated_at", "time"),
        },
        pairs={"tags": Pairs("experiment_tags", "experiment_id")},
        aliases={"tag": "tags", "attributes": "", "attribute": "", "attr": "", "experiment": ""},
    ),
    "experiments.updated_at desc, experiments.id desc",
)
VIEWS = {"ACTIVE_ONLY": "deleted_at is null", "DELETED_ONLY": "deleted_at is not null", "ALL": "1"}
OURS = "mlflow-artifacts:"


def create(store: Store, asked: protocol.CreateExperiment) -> Document:
    """Make an experiment."""
    if asked.artifact_location and not asked.artifact_location.startswith(OURS):
        raise BadInput("Artifacts are kept by this server alone.", "Leave artifact_location out.")
    tags = dict(protocol.checked(asked.tags, "tag", protocol.LONGEST_TAG))
    return {"experiment_id": str(groups.create_experiment(store, asked.name, tags))}


def get(store: Store, asked: protocol.AskExperiment) -> Document:
    """Return an experiment by its id."""
    return {"experiment": protocol.experiment_document(experiment(store, asked.experiment_id))}


def get_by_name(store: Store, asked: protocol.AskExperimentByName) -> Document:
    """Return an experiment by its name."""
    return {"experiment": protocol.experiment_document(groups.experiment_named(store, asked.experiment_name))}


def search(store: Store, asked: protocol.SearchExperiments) -> Document:
    """Return a page of experiments."""
    wish = Wish(asked.filter, asked.order_by, asked.max_results, asked.page_token)
    page = found(store, EXPERIMENTS, wish, Condition(VIEWS[asked.view_type]))
    document: Document = {
        "experiments": [protocol.experiment_document(one) for one in groups.read_experiments(store, page.ids)]
    }
    if page.token:
        document["next_page_token"] = page.token
    return document


def update(store: Store, asked: protocol.UpdateExperiment) -> Document:
    """Give an experiment another name."""
    groups.rename_experiment(store, experiment(store, asked.experiment_id).id, asked.new_name)
    return {}


def delete(store: Store, asked: protocol.AskExperiment) -> Document:
    """Hide an experiment and its runs."""
    groups.delete_experiment(store, protocol.whole_id(asked.experiment_id))
    return {}


def restore(store: Store, asked: protocol.AskExperiment) -> Document:
    """Bring an experiment and its runs back."""
    groups.restore_experiment(store, protocol.whole_id(asked.experiment_id))
    return {}


def set_tag(store: Store, asked: protocol.ExperimentTag) -> Document:
    """Give an experiment a tag."""
    pair = protocol.Pair(key=asked.key, value=asked.value)
    tags = dict(protocol.checked([pair], "tag", protocol.LONGEST_TAG))
    groups.tag_experiment(store, experiment(store, asked.experiment_id).id, tags)
    return {}


def delete_tag(store: Store, asked: protocol.ExperimentTag) -> Document:
    """Take a tag of an experiment away."""
    groups.untag_experiment(store, protocol.whole_id(asked.experiment_id), asked.key)
    return {}


def experiment(store: Store, text: str) -> groups.Experiment:
    """Return the experiment of an id as clients write it; raises NotFound, BadInput."""
    return groups.experiment_of(store, protocol.whole_id(text))
