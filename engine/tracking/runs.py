"""The calls on runs: made, filled, ended, deleted, read back and searched."""

from collections.abc import Iterable

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.experiments.marks import set_deleted
from lemnis.engine.experiments.runs import Run, get_run, read_runs
from lemnis.engine.experiments.search import Search, page_of
from lemnis.engine.experiments.tracked import Announced, Logged, find_run
from lemnis.engine.query import Column, Condition, Node, Pairs, parse_query
from lemnis.engine.query.tree import Group, Term
from lemnis.engine.store import Store
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.listing import Page, Table, Wish, found, order_words, page_in, start_of, token_at
from lemnis.engine.tracking.protocol import Document
from lemnis.engine.tracking.script import adopted

VIEWS = {"ACTIVE_ONLY": "runs.deleted_at is null", "DELETED_ONLY": "runs.deleted_at is not null", "ALL": "1"}
# What MLflow calls a run's id is a text, and a run has datasets.
CLIENT_FIELDS = msgspec.structs.replace(
    FIELDS,
    columns={**FIELDS.columns, "run_id": Column("coalesce(runs.uid, printf('%032x', runs.id))")},
    pairs={**FIELDS.pairs, "dataset": Pairs("run_dataset_facts", "run_id")},
    aliases={**{k: v for k, v in FIELDS.aliases.items() if k != "run_id"}, "datasets": "dataset", "inputs": "dataset"},
)
RUNS = Table("runs", CLIENT_FIELDS, "runs.id desc")


def create_run(store: Store, asked: protocol.CreateRun) -> Document:
    """Begin a run."""
    tags = dict(protocol.checked(asked.tags, "tag", protocol.LONGEST_TAG))
    announced = Announced(
        name=asked.run_name,
        experiment_id=protocol.whole_id(asked.experiment_id),
        user=asked.user_id or tags.get("mlflow.user", ""),
        started_at=now_ms() if asked.start_time is None else asked.start_time,
        tags=tags,
    )
    run_id = adopted(store, asked.job_id, announced) if asked.job_id else None
    if run_id is None:
        run_id = tracked.announce(store, announced)
    return {"run": run_documents(store, [get_run(store, run_id)])[0]}


def get(store: Store, asked: protocol.AskRun) -> Document:
    """Return a run with its latest values."""
    return {"run": run_documents(store, [find_run(store, asked.uid)])[0]}


def update_run(store: Store, asked: protocol.UpdateRun) -> Document:
    """End a run, or give it another name."""
    run = tracked.writable(find_run(store, asked.uid))
    state = protocol.STATES[asked.status] if asked.status else None
    moved = tracked.move(store, run, state=state, ended_at=asked.end_time, name=asked.run_name)
    return {"run_info": protocol.info_document(moved)}


def delete_run(store: Store, asked: protocol.AskRun) -> Document:
    """Hide a run; one that a job of ours works on has to be stopped first."""
    run = find_run(store, asked.uid)
    if run.job_id is not None and not run.ended:
        raise BadInput(f"Run {asked.uid} is {run.state}.", f"Stop it first: lemnis jobs cancel {run.job_id}.")
    set_deleted(store, [run.id], now_ms())
    return {}


def restore_run(store: Store, asked: protocol.AskRun) -> Document:
    """Bring a run back."""
    set_deleted(store, [find_run(store, asked.uid).id], None)
    return {}


def log_metric(store: Store, asked: protocol.LogMetric) -> Document:
    """Add one value of a metric."""
    run = tracked.writable(find_run(store, asked.uid))
    log_values(store, run, [asked])
    return {}


def log_parameter(store: Store, asked: protocol.RunPair) -> Document:
    """Set a parameter, once."""
    run = tracked.writable(find_run(store, asked.uid))
    pair = protocol.Pair(key=asked.key, value=asked.value)
    tracked.log_batch(store, run, params=protocol.checked([pair], "parameter", protocol.LONGEST_PARAM))
    return {}


def log_batch(store: Store, asked: protocol.LogBatch) -> Document:
    """Add metrics, parameters and tags at once."""
    total = len(asked.metrics) + len(asked.params) + len(asked.tags)
    if total > protocol.MOST_IN_BATCH:
        raise BadInput(
            f"The batch has {total:,} entries; {protocol.MOST_IN_BATCH:,} are allowed.", "Send it in several batches."
        )
    run = find_run(store, asked.uid)
    only_tags = not asked.metrics and not asked.params
    run = tracked.standing(run) if only_tags else tracked.writable(run)
    params = protocol.checked(asked.params, "parameter", protocol.LONGEST_PARAM)
    tags = protocol.checked(asked.tags, "tag", protocol.LONGEST_TAG)
    log_values(store, run, asked.metrics, params, tags)
    return {}


def log_values(
    store: Store,
    run: Run,
    values: Iterable[protocol.Value],
    params: Iterable[tuple[str, str]] = (),
    tags: Iterable[tuple[str, str]] = (),
) -> None:
    """Write metrics of a run with what else came along; those that judge a logged model are its metrics too."""
    now = now_ms()
    metrics = [(value, protocol.logged(value, now)) for value in values]
    tracked.log_batch(store, run, metrics=[metric for _, metric in metrics], params=params, tags=tags)
    judging = [
        {
            "model_id": value.model_id,
            "run_id": run.id,
            "key": metric.key,
            "dataset_name": value.dataset_name,
            "dataset_digest": value.dataset_digest,
            "value": metric.value,
            "step": metric.step,
            "at": metric.at,
        }
        for value, metric in metrics
        if value.model_id and store.row("select 1 from logged_models where id = ?", [value.model_id]) is not None
    ]
    if judging:
        with store.write() as db:
            db.table("logged_model_metrics").insert_all(judging, replace=True)


def set_tag(store: Store, asked: protocol.RunPair) -> Document:
    """Give a run a tag."""
    run = tracked.standing(find_run(store, asked.uid))
    pair = protocol.Pair(key=asked.key, value=asked.value)
    tracked.log_batch(store, run, tags=protocol.checked([pair], "tag", protocol.LONGEST_TAG))
    return {}


def delete_tag(store: Store, asked: protocol.RunPair) -> Document:
    """Take a tag of a run away."""
    tracked.remove_tag(store, tracked.standing(find_run(store, asked.uid)), asked.key)
    return {}


def log_inputs(store: Store, asked: protocol.LogInputs) -> Document:
    """Say which datasets and logged models a run reads."""
    run = tracked.writable(find_run(store, asked.uid))
    with store.write():
        keep_datasets(store, run, asked.datasets)
        link_models(store, run, asked.models, "input")
    return {}


def keep_datasets(store: Store, run: Run, datasets: Iterable[protocol.DatasetInput]) -> None:
    """Write which datasets a run reads."""
    rows = [
        {
            **msgspec.structs.asdict(one.dataset),
            "run_id": run.id,
            "tags": msgspec.json.encode({tag.key: tag.value for tag in one.tags}).decode(),
        }
        for one in datasets
    ]
    with store.write() as db:
        db.table("run_datasets").insert_all(rows, replace=True)


def log_outputs(store: Store, asked: protocol.LogOutputs) -> Document:
    """Say which logged models a run makes."""
    run = tracked.writable(find_run(store, asked.uid))
    link_models(store, run, asked.models, "output")
    return {}


def link_models(store: Store, run: Run, models: Iterable[protocol.ModelLink], direction: str) -> None:
    """Write which logged models a run reads or makes."""
    rows = [
        {"run_id": run.id, "model_id": model.model_id, "direction": direction, "step": model.step} for model in models
    ]
    with store.write() as db:
        db.table("run_models").insert_all(rows, replace=True)


def log_model(store: Store, asked: protocol.LogModel) -> Document:
    """Keep the tag by which clients before logged models found a run's models."""
    run = tracked.writable(find_run(store, asked.uid))
    key = "mlflow.log-model.history"
    try:
        kept: list[object] = msgspec.json.decode(run.tags.get(key, "[]"), type=list[object])
        kept.append(msgspec.json.decode(asked.model_json))
    except msgspec.DecodeError:
        raise BadInput("The model is no JSON.", "Send what Model.get_tags_dict gives.") from None
    tracked.log_batch(store, run, tags=[(key, msgspec.json.encode(kept).decode())])
    return {}


def history(store: Store, asked: protocol.AskHistory) -> Document:
    """Return a page of all values of one metric."""
    run, start = find_run(store, asked.uid), start_of(asked.page_token)
    most = min(asked.max_results, 25_000)
    rows = store.rows(
        "select step, at, value from metric_points where run_id = ? and key = ? order by step, at, n limit ? offset ?",
        [run.id, asked.metric_key, most + 1, start],
        name="metrics",
    )
    points = [Logged(asked.metric_key, row["step"], row["at"], row["value"]) for row in rows[:most]]
    document: Document = {"metrics": [protocol.metric_document(point) for point in points]}
    if len(rows) > most:
        document["next_page_token"] = token_at(start + most)
    return document


def search_runs(store: Store, asked: protocol.SearchRuns) -> Document:
    """Return a page of runs."""
    page = page_of_runs(store, asked)
    document: Document = {"runs": run_documents(store, read_runs(store, page.ids))}
    if page.token:
        document["next_page_token"] = page.token
    return document


def page_of_runs(store: Store, asked: protocol.SearchRuns) -> Page:
    """Return the numbers of the runs of a page: along an index where there is one order, and one view."""
    experiments = [protocol.whole_id(text) for text in asked.experiment_ids]
    if not experiments:
        return Page([], "")
    within = f"runs.experiment_id in ({', '.join('?' * len(experiments))})"
    wish = Wish(asked.filter, asked.order_by, asked.max_results, asked.page_token)
    if asked.run_view_type != "ACTIVE_ONLY" or len(asked.order_by) > 1:
        view = VIEWS[asked.run_view_type]
        return found(store, RUNS, wish, Condition(f"{within} and {view}", tuple(experiments)))
    field, descending = order_words(asked.order_by[0]) if asked.order_by else ("", True)
    wanted: Node = parse_query(asked.filter, CLIENT_FIELDS, now_ms=now_ms())
    everywhere = Group("and", (Term(within, tuple(experiments)), wanted))
    start, most = start_of(asked.page_token), min(asked.max_results, 5000)
    if field and field.partition(".")[0].lower() in ("dataset", "datasets", "inputs"):
        return found(store, RUNS, wish, Condition(f"{within} and {VIEWS['ACTIVE_ONLY']}", tuple(experiments)))
    known = "id" if field.lower().removeprefix("attributes.") == "run_id" else field
    ids = page_of(store, Search(everywhere, known, descending), most + 1, start)
    return page_in(ids, start, most)


def run_documents(store: Store, runs: list[Run]) -> list[Document]:
    """Return runs with their latest metrics, parameters, tags, inputs and outputs."""
    ids = [run.id for run in runs]
    marks = ", ".join("?" * len(ids))
    metrics: dict[int, list[Document]] = {number: [] for number in ids}
    inputs: dict[int, list[Document]] = {number: [] for number in ids}
    links: dict[tuple[int, str], list[Document]] = {(n, way): [] for n in ids for way in ("input", "output")}
    ended = {run.id: run.ended_at or run.created_at for run in runs}
    for run_id, key, value, step, at in store.rows(
        f"select run_id, key, value, step, at from run_metrics where run_id in ({marks})", ids
    ):
        latest = Logged(key, step, ended[run_id] if at is None else at, value)
        metrics[run_id].append(protocol.metric_document(latest))
    for row in store.rows(f"select * from run_datasets where run_id in ({marks})", ids):
        dataset = protocol.Dataset(**{name: row[name] for name in protocol.Dataset.__struct_fields__})
        tags = msgspec.json.decode(row["tags"], type=dict[str, str])
        inputs[row["run_id"]].append(protocol.dataset_document(dataset, tags))
    for row in store.rows(f"select * from run_models where run_id in ({marks})", ids):
        links[row["run_id"], row["direction"]].append({"model_id": row["model_id"], "step": row["step"]})
    return [
        {
            "info": protocol.info_document(run),
            "data": {
                "metrics": metrics[run.id],
                "params": protocol.pair_documents(run.params),
                "tags": protocol.pair_documents(tags_of(run)),
            },
            "inputs": {
                "dataset_inputs": inputs[run.id],
                "model_inputs": [{"model_id": link["model_id"]} for link in links[run.id, "input"]],
            },
            "outputs": {"model_outputs": links[run.id, "output"]},
        }
        for run in runs
    ]


def tags_of(run: Run) -> dict[str, str]:
    """Return a run's tags as clients know them: its name and its note are among them."""
    note = {tracked.NOTE: run.note} if run.note else {}
    return {**run.tags, **note, tracked.RUN_NAME: run.name}
