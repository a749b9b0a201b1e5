"""What a client of MLflow finds in the registry of a folder that Lemnis has written."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false

import os
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
from mlflow import MlflowClient

client = MlflowClient()
(model,) = client.search_registered_models()
assert (model.name, model.description, model.tags) == ("late", "Words.", {"team": "blue"})
version = client.get_model_version_by_alias("late", "champion")
assert (int(version.version), version.description, version.tags["seen"]) == (1, "d", "yes")
here = Path(mlflow.artifacts.download_artifacts(artifact_uri="models:/late@champion"))
assert (here / "data" / "m").read_bytes() == b"1"
