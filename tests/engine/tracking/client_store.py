"""What a user of MLflow without a server leaves behind."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false

import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.chdir(sys.argv[1])
import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.data.http_dataset_source import HTTPDatasetSource  # noqa: E402
from mlflow.data.meta_dataset import MetaDataset  # noqa: E402

client = MlflowClient()
experiment = mlflow.set_experiment("theirs")
with mlflow.start_run(run_name="first", description="A note.") as active:
    mlflow.log_param("a/b", 1)
    for value in (0.1, float("nan"), float("inf"), float("-inf"), 0.1):
        mlflow.log_metric("m", value)
    mlflow.log_input(MetaDataset(HTTPDatasetSource("https://example.org/x.csv"), name="x"), context="training")
    mlflow.log_text("hello", "notes/a.txt")
gone = client.create_run(experiment.experiment_id, run_name="gone")
client.delete_run(gone.info.run_id)
client.create_run(experiment.experiment_id, run_name="open")
