"""MLflow's own client reads a folder that Lemnis exported."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false, reportArgumentType=false

import math
import os

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

client = MlflowClient()
experiment = client.get_experiment_by_name("theirs")
runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)}
assert sorted(runs) == ["first", "gone", "open"]
assert runs["gone"].info.lifecycle_stage == "deleted"
first = runs["first"]
assert first.info.status == "FINISHED"
assert first.data.params == {"a/b": "1"}
assert first.data.tags["mlflow.note.content"] == "A note."
values = [point.value for point in client.get_metric_history(first.info.run_id, "m")]
assert len(values) == 5
assert any(map(math.isnan, values))
assert {math.inf, -math.inf, 0.1} <= set(values)
assert [one.dataset.name for one in first.inputs.dataset_inputs] == ["x"]
assert first.inputs.dataset_inputs[0].tags[0].value == "training"
assert mlflow.artifacts.load_text(f"{first.info.artifact_uri}/notes/a.txt") == "hello"
