"""Sending runs to an MLflow server over its REST calls: each once, whole, with logged models and the registry.

A server gives runs and models ids of its own; a tag says which of ours each is, by which it is known the next time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.groups import experiment_of
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.runs import Run, read_runs
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.tracking import artifacts, models, protocol
from lemnis.engine.tracking.runs import run_documents
from lemnis.engine.tracking.transfer.identity import outside_id
from lemnis.engine.tracking.transfer.own import directory_of, own_models
from lemnis.engine.tracking.transfer.records import Brought, MovedRegistered, MovedVersion
from lemnis.engine.tracking.transfer.registered import MODEL_ID, OF_RUN, registered_models
from lemnis.engine.tracking.transfer.server import Server, pairs
from lemnis.engine.tracking.transfer.trees import files_below

BEGUN, SENT = "lemnis.sending", "lemnis.sent"  # tags there: which of ours it is, and that it is whole
AT_ONCE, METRICS, PAIRS = 200, 1000, 100  # runs; what one log-batch may have
OWN_TAGS = ("mlflow.user", "mlflow.runName")  # the server makes these of what it is told


class Sent(Struct, frozen=True, kw_only=True):
    """What is there now, by what it is called here: runs and logged models, each with id and address of its files."""

    runs: dict[str, tuple[str, str]]
    models: dict[str, tuple[str, str]]


def send_runs(store: Store, server: Server, run_ids: Sequence[int], tell: Callable[[Brought], None]) -> Brought:
    """Send runs, and return how much that was; one that is there already is left as it is.

    Raises:
        Unavailable: The server does not answer; sending again goes on.
        BadInput: The server refuses.
    """
    done, sent = Brought(), Sent(runs={}, models={})
    there = {group.name: group.key for group in server.groups() if not group.deleted}
    for start in range(0, len(run_ids), AT_ONCE):
        runs = read_runs(store, run_ids[start : start + AT_ONCE])
        for run, document in zip(runs, run_documents(store, runs), strict=True):
            experiment = experiment_of(store, run.experiment_id)
            if experiment.name not in there:
                tags = [{"key": key, "value": value} for key, value in experiment.tags.items()]
                made = server.ask("experiments/create", {}, {"name": experiment.name, "tags": tags})
                there[experiment.name] = str(made["experiment_id"])
                done.experiments += 1
            send_run(Sending(store, server, there[experiment.name], sent, done), run, document)
            tell(done)
    for model in (*registered_models(store), *own_models(store)):
        send_registered(Sending(store, server, "", sent, done), model)
    return done


class Sending:
    """Where a run goes, and what was sent so far; a registered model goes to no experiment."""

    def __init__(self, store: Store, server: Server, experiment: str, sent: Sent, done: Brought) -> None:
        self.store, self.server, self.experiment, self.sent, self.done = store, server, experiment, sent, done

    def known(self, uid: str) -> bool:
        """Say whether a run is there as a whole; one that was only begun is taken away."""
        wanted = {"experiment_ids": [self.experiment], "filter": f"tags.`{BEGUN}` = '{uid}'", "run_view_type": "ALL"}
        for found in self.server.pages("runs/search", "runs", wanted):
            info = found["info"]
            if pairs(found.get("data", {})).get(SENT) == uid:
                self.sent.runs[uid] = (info["run_id"], info.get("artifact_uri", ""))
                return True
            if info.get("lifecycle_stage") != "deleted":
                self.server.ask("runs/delete", {}, {"run_id": info["run_id"]})
        return False

    def files(self, folder: Path, address: str, name: str) -> bool:
        """Send the files of a folder and return True; where the server takes none, that is said."""
        parts = urlsplit(address)
        for file in files_below(folder):
            if parts.scheme != "mlflow-artifacts":
                self.done.missing.append(f"{safe(name, limit=60)}: the server keeps files at {safe(address, limit=80)}")
                return False
            with file.open() as content:
                self.server.put(f"{parts.path.strip('/')}/{file.path}", content, file.size)
            self.done.files, self.done.bytes = self.done.files + 1, self.done.bytes + file.size
        return True


def send_run(sending: Sending, run: Run, document: protocol.Document) -> None:
    """Send one run. Any: see Document."""
    uid, mark = outside_id(run)
    if sending.known(uid):
        sending.done.known += 1
        return
    info, data, ask = document["info"], document["data"], sending.server.ask
    begun = {
        "experiment_id": sending.experiment,
        "user_id": run.user,
        "run_name": run.name,
        "start_time": info["start_time"],
        "tags": [{"key": BEGUN, "value": uid}],
    }
    made = ask("runs/create", {}, begun)["run"]["info"]
    there = str(made["run_id"])
    sending.sent.runs[uid] = (there, str(made.get("artifact_uri", "")))
    outputs, judged = send_models(sending, run, there)
    seen = {(one["key"], one["step"], one["timestamp"]) for one in judged}
    points = [one for one in metrics_of(sending.store, run) if (one["key"], one["step"], one["timestamp"]) not in seen]
    for batch in batches([*judged, *points], METRICS):
        ask("runs/log-batch", {}, {"run_id": there, "metrics": batch})
        sending.done.points += len(batch)
    for batch in batches(data["params"], PAIRS):
        ask("runs/log-batch", {}, {"run_id": there, "params": batch})
    tags = [one for one in data["tags"] if one["key"] not in OWN_TAGS]
    for batch in batches([*tags, *({"key": key, "value": value} for key, value in mark.items())], PAIRS):
        ask("runs/log-batch", {}, {"run_id": there, "tags": batch})
    read = [renamed(one, sending.sent) for one in document["inputs"]["model_inputs"]]
    if read or document["inputs"]["dataset_inputs"]:
        given = {"datasets": document["inputs"]["dataset_inputs"], "models": read}
        ask("runs/log-inputs", {}, {"run_id": there, **given})
    written = [renamed(one, sending.sent) for one in document["outputs"]["model_outputs"]]
    named = {one["model_id"] for one in written}
    written += [one for one in outputs if one["model_id"] not in named]
    if written:
        ask("runs/outputs", {}, {"run_id": there, "models": written})
    sending.files(artifacts.run_folder(sending.store, run), sending.sent.runs[uid][1], run.name)
    ended = {"run_id": there, "status": info["status"], "end_time": info.get("end_time")}
    ask("runs/update", {}, {key: value for key, value in ended.items() if value is not None})
    ask("runs/set-tag", {}, {"run_id": there, "key": SENT, "value": uid})
    if run.deleted_at is not None:
        ask("runs/delete", {}, {"run_id": there})
    sending.done.runs += 1


def send_models(sending: Sending, run: Run, there: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Send the logged models that a run made; return the links to them, and the values that judge them. Any: JSON."""
    sql = "select id from logged_models where run_id = ? and deleted_at is null order by created_at"
    links: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    for document in models.documents(sending.store, [row["id"] for row in sending.store.rows(sql, [run.id])]):
        info, data = document["info"], document["data"]
        asked = {"name": info["name"], "model_type": info["model_type"], "tags": info["tags"], "params": data["params"]}
        begun = {"experiment_id": sending.experiment, "source_run_id": there, **asked}
        made = sending.server.ask("logged-models", {}, begun)["model"]["info"]
        number, address = str(made["model_id"]), str(made.get("artifact_uri", ""))
        sending.sent.models[info["model_id"]] = (number, address)
        folder = artifacts.model_folder(sending.store, run.experiment_id, info["model_id"])
        sending.files(folder, address, info["name"])
        whole = {"model_id": number, "status": info["status"]}
        sending.server.ask(f"logged-models/{number}", {}, whole, method="PATCH")
        links.append({"model_id": number, "step": 0})
        judged += [{**one, "model_id": number, "run_id": there} for one in data["metrics"]]
        sending.done.models += 1
    return links, judged


def renamed(link: dict[str, Any], sent: Sent) -> dict[str, Any]:
    """Return a link to a logged model by what that is called there. Any: JSON values."""
    return {**link, "model_id": sent.models.get(link["model_id"], (link["model_id"], ""))[0]}


def metrics_of(store: Store, run: Run) -> list[dict[str, Any]]:
    """Return every point of a run as a request has it; a metric without a curve is one point. Any: JSON values."""
    points = all_points(store, run.id)
    known = {key for key, _, _, _ in points}
    at = run.ended_at or run.created_at
    points += [(key, run.best_round or 0, at, value) for key, value in run.metrics.items() if key not in known]
    return [
        {"key": key, "step": step, "timestamp": moment, "value": protocol.json_number(value)}
        for key, step, moment, value in points
    ]


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Return items so many at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def send_registered(sending: Sending, model: MovedRegistered) -> None:
    """Send a registered model with those versions whose files were sent; one that is there is not sent again."""
    server = sending.server
    places = [(version, place_of(version, sending.sent)) for version in model.versions]
    kept = [(version, place) for version, place in places if place is not None]
    if model.versions and not kept:
        return
    wanted, numbers = f"name = '{model.name.replace(chr(39), chr(39) * 2)}'", dict[int, str]()
    for one in server.listed("model-versions/search", "model_versions", wanted):
        number = pairs(one).get(SENT, "")
        if number.isdecimal():
            numbers[int(number)] = str(one["version"])
    new = [
        (version, place)
        for version, place in kept
        if version.version not in numbers and (not model.own or send_directory(sending, model.name, version, place[0]))
    ]
    if not (new or numbers) and model.versions:
        return
    if not server.ask("registered-models/search", {"filter": wanted}).get("registered_models"):
        tags = [{"key": key, "value": value} for key, value in model.tags.items()]
        server.ask("registered-models/create", {}, {"name": model.name, "description": model.description, "tags": tags})
    for version, place in new:
        numbers[version.version] = send_version(server, model.name, version, place)
        sending.done.registered += 1
    for alias, number in model.aliases.items():
        if number in numbers:
            server.ask("registered-models/alias", {}, {"name": model.name, "alias": alias, "version": numbers[number]})


def send_directory(sending: Sending, model: str, version: MovedVersion, address: str) -> bool:
    """Send the directory of a version that Lemnis registered to its run there; say whether it is there."""
    folder = directory_of(sending.store, model, version.version, sending.done)
    return folder is not None and sending.files(folder, address, f"{model} {version.version}")


def send_version(server: Server, name: str, version: MovedVersion, place: tuple[str, str, str]) -> str:
    """Send one version of a registered model, and return its number there."""
    source, run_id, model_id = place
    tags = [{"key": key, "value": value} for key, value in {**version.tags, SENT: str(version.version)}.items()]
    asked = {"name": name, "source": source, "run_id": run_id, "model_id": model_id, "tags": tags}
    given = {key: value for key, value in asked.items() if value}
    made = server.ask("model-versions/create", {}, {**given, "description": version.description})["model_version"]
    if version.stage not in ("", "None"):
        stage = {"name": name, "version": str(made["version"]), "stage": version.stage}
        server.ask("model-versions/transition-stage", {}, stage)
    return str(made["version"])


def place_of(version: MovedVersion, sent: Sent) -> tuple[str, str, str] | None:
    """Return source, run and logged model of a version as they are there; None if its files were not sent."""
    found = MODEL_ID.search(version.source)
    model_id = version.model_id or (found[1] if found else "")
    run_id = sent.runs.get(version.run_uid, ("", ""))[0]
    if model_id in sent.models:
        number = sent.models[model_id][0]
        return f"models:/{number}", run_id, number
    run = OF_RUN.search(version.source)
    if run and run[1] in sent.runs:
        number, address = sent.runs[run[1]]
        return f"{address}/{run[2]}".rstrip("/"), number, ""
    return None


def send_to(store: Store, url: str, run_ids: Sequence[int], tell: Callable[[Brought], None]) -> Brought:
    """Send runs to the server at an address. See `send_runs`.

    Raises:
        BadInput: It is this workspace's own server.
    """
    from lemnis.engine.jobs import JobsRoom
    from lemnis.engine.tracking import service

    if url.rstrip("/") == service.url(JobsRoom(store)).rstrip("/"):
        raise BadInput("This is the server of this very workspace.", "Name another.", url)
    return send_runs(store, Server(url), run_ids, tell)
