"""What an MLflow user does with experiments, runs, metrics and artifacts; every answer is asserted here."""
# pyright: basic, reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOperatorIssue=false
# pyright: reportReturnType=false, reportPrivateImportUsage=false
# MLflow says of nearly everything that it may be None.

import math
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

client = MlflowClient()


def refuses(code: str, call, *arguments, **options) -> None:
    said = ""
    try:
        call(*arguments, **options)
    except MlflowException as error:
        said = error.error_code
    assert said == code, (call, said)


# set_experiment, start_run and everything that is logged by name.
experiment = mlflow.set_experiment("late flights")
assert mlflow.set_experiment("late flights").experiment_id == experiment.experiment_id
with mlflow.start_run(run_name="first", tags={"team": "blue"}, description="A note.") as active:
    mlflow.log_param("learning_rate", 0.1)
    mlflow.log_params({"num leaves": 31, "objective": "binary"})
    for step in range(5):
        mlflow.log_metric("auc", 0.7 + step / 100, step=step)
    mlflow.log_metrics({"val/logloss": 0.4, "nan": float("nan"), "up": math.inf, "down": -math.inf}, step=3)
    for value in (0.3, 0.2, 0.1):
        mlflow.log_metric("without a step", value)
    mlflow.set_tag("stage", "try")
    mlflow.set_tags({"a": "1", "gone": "x"})
    mlflow.delete_tag("gone")
    source = HTTPDatasetSource("https://example.org/flights.csv")
    mlflow.log_input(MetaDataset(source=source, name="flights"), context="training")
    mlflow.log_text("hello", "notes/a b/ü.txt")
    mlflow.log_dict({"x": [1, 2]}, "facts.json")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sub").mkdir()
        Path(folder, "one.bin").write_bytes(bytes(range(256)) * 9000)
        Path(folder, "sub", "empty").write_bytes(b"")
        mlflow.log_artifacts(folder, "many")

run = client.get_run(active.info.run_id)
assert run.info.status == "FINISHED"
assert run.info.run_name == "first"
assert run.info.end_time >= run.info.start_time
assert len(run.info.run_id) == 32
assert run.data.params == {"learning_rate": "0.1", "num leaves": "31", "objective": "binary"}
assert run.data.metrics["auc"] == 0.74
assert math.isnan(run.data.metrics["nan"])
assert (run.data.metrics["up"], run.data.metrics["down"]) == (math.inf, -math.inf)
assert run.data.tags["mlflow.note.content"] == "A note."
assert run.data.tags["mlflow.runName"] == "first"
assert (run.data.tags["team"], run.data.tags["stage"], run.data.tags["a"]) == ("blue", "try", "1")
assert "gone" not in run.data.tags
assert [one.dataset.name for one in run.inputs.dataset_inputs] == ["flights"]
assert run.inputs.dataset_inputs[0].tags[0].value == "training"

# Histories: every point, with its step and time.
history = client.get_metric_history(run.info.run_id, "auc")
assert [(point.step, round(point.value, 2)) for point in history] == [(s, 0.7 + s / 100) for s in range(5)]
assert all(run.info.start_time <= point.timestamp <= run.info.end_time for point in history)
assert sorted(p.value for p in client.get_metric_history(run.info.run_id, "without a step")) == [0.1, 0.2, 0.3]
assert math.isnan(client.get_metric_history(run.info.run_id, "nan")[0].value)
assert client.get_metric_history(run.info.run_id, "nothing") == []

# Batches: several values of one step and time are kept, one that is sent again is not kept twice.
second = client.create_run(experiment.experiment_id, run_name="second", tags={"team": "red"})
points = [Metric("loss", value, 1_700_000_000_000, 7) for value in (1.0, 2.0, 3.0)]
many = [Metric("m", index / 7, 1_700_000_000_000 + index, index) for index in range(900)]
for _ in range(2):
    client.log_batch(second.info.run_id, metrics=[*points, *many], params=[Param("p", "1")], tags=[RunTag("t", "ü")])
assert [p.value for p in client.get_metric_history(second.info.run_id, "loss")] == [1.0, 2.0, 3.0]
assert len(client.get_metric_history(second.info.run_id, "m")) == 900
assert client.get_run(second.info.run_id).data.metrics["loss"] == 3.0
refuses("INVALID_PARAMETER_VALUE", client.log_batch, second.info.run_id, params=[Param("p", "2")])
refuses("INVALID_PARAMETER_VALUE", client.log_param, second.info.run_id, "p", "2")
client.set_terminated(second.info.run_id, "FAILED")
assert client.get_run(second.info.run_id).info.status == "FAILED"
client.update_run(second.info.run_id, name="second again")
assert client.get_run(second.info.run_id).info.run_name == "second again"

# A run that goes on later.
with mlflow.start_run(run_id=second.info.run_id):
    assert client.get_run(second.info.run_id).info.status == "RUNNING"
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("auc", 0.5)
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == second.info.run_id


# Searches.
def names(filter_string: str = "", **options) -> list[str]:
    found = client.search_runs([experiment.experiment_id], filter_string, **options)
    return [one.info.run_name for one in found]


assert names() == ["child", "second again", "first"]
assert names("metrics.auc > 0.7") == ["first"]
assert names("params.`num leaves` = '31' and tags.team = 'blue'") == ["first"]
assert names("attributes.run_name LIKE 'sec%'") == ["second again"]
assert names("attributes.status = 'FINISHED'", order_by=["metrics.auc ASC"]) == ["child", "first", "second again"]
assert names(f"attributes.run_id = '{run.info.run_id}'") == ["first"]
assert names(f"tags.mlflow.parentRunId = '{second.info.run_id}'") == ["child"]
assert names("dataset.name = 'flights' and dataset.context = 'training'") == ["first"]
assert names(order_by=["attributes.start_time ASC"]) == ["first", "second again", "child"]
assert names(order_by=["tags.team DESC", "attributes.start_time DESC"]) == ["second again", "first", "child"]
page = client.search_runs([experiment.experiment_id], max_results=2)
assert ([one.info.run_name for one in page], bool(page.token)) == (["child", "second again"], True)
page = client.search_runs([experiment.experiment_id], max_results=2, page_token=page.token)
assert ([one.info.run_name for one in page], page.token) == (["first"], None)
refuses("INVALID_PARAMETER_VALUE", client.search_runs, [experiment.experiment_id], "metrics.auc >")
table = mlflow.search_runs(experiment_names=["late flights"], filter_string="params.objective = 'binary'")
assert list(table["metrics.auc"]) == [0.74]

# Deleting and bringing back.
client.delete_run(child.info.run_id)
assert names() == ["second again", "first"]
assert names(run_view_type=ViewType.DELETED_ONLY) == ["child"]
assert len(names(run_view_type=ViewType.ALL)) == 3
assert client.get_run(child.info.run_id).info.lifecycle_stage == "deleted"
refuses("INVALID_PARAMETER_VALUE", client.log_metric, child.info.run_id, "auc", 1.0)
client.restore_run(child.info.run_id)
assert len(names()) == 3

# Artifacts.
listed = {file.path: (file.is_dir, file.file_size) for file in client.list_artifacts(run.info.run_id)}
assert listed == {"facts.json": (False, 29), "many": (True, None), "notes": (True, None)}, listed
assert [f.path for f in client.list_artifacts(run.info.run_id, "many")] == ["many/one.bin", "many/sub"]
assert client.list_artifacts(run.info.run_id, "facts.json") == []
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/a b/ü.txt") == "hello"
assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/facts.json") == {"x": [1, 2]}
with tempfile.TemporaryDirectory() as folder:
    path = Path(client.download_artifacts(run.info.run_id, "many", folder))
    assert (path / "one.bin").read_bytes() == bytes(range(256)) * 9000
    assert (path / "sub" / "empty").read_bytes() == b""
refuses("RESOURCE_DOES_NOT_EXIST", client.get_run, "f" * 32)

# Experiments.
other = client.create_experiment("other", tags={"owner": "ana"})
client.set_experiment_tag(other, "owner", "bob")
client.set_experiment_tag(other, "gone", "x")
client.delete_experiment_tag(other, "gone")
assert client.get_experiment(other).tags == {"owner": "bob"}
client.rename_experiment(other, "another")
assert [one.name for one in client.search_experiments(filter_string="tags.owner = 'bob'")] == ["another"]
assert [one.name for one in client.search_experiments(filter_string="name LIKE 'late%'")] == ["late flights"]
assert [e.name for e in client.search_experiments(order_by=["name ASC"])] == ["Default", "another", "late flights"]
refuses("RESOURCE_ALREADY_EXISTS", client.create_experiment, "another")
client.delete_experiment(other)
assert client.get_experiment(other).lifecycle_stage == "deleted"
refuses("INVALID_PARAMETER_VALUE", client.create_run, other)
client.restore_experiment(other)
assert client.get_experiment_by_name("no such") is None
print(run.info.run_id, second.info.run_id)
