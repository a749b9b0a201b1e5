"""What an MLflow user does with a version that Lemnis registered: find it, load it both ways, ask it."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import mlflow  # noqa: E402
import mlflow.lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402

client = MlflowClient()
golden = json.loads(Path(sys.argv[1]).read_text())
rows = pd.DataFrame(golden["rows"])
answers = np.array(golden["answers"])[:, 0]

(found,) = client.search_registered_models("name = 'late'")
assert found.aliases == {"champion": "1"}
version = client.get_model_version_by_alias("late", "champion")
assert (version.version, version.status) == ("1", "READY")
model = mlflow.pyfunc.load_model("models:/late@champion")
answered = model.predict(rows)
assert np.abs(answered["probability"].to_numpy() - answers).max() < 1e-12
assert answered["label"].tolist() == ["true" if answer >= 0.4 else "false" for answer in answers]
assert [column.name for column in model.metadata.signature.inputs] == ["carrier", "distance", "wind", "holiday"]
booster = mlflow.lightgbm.load_model("models:/late/1")
assert booster.num_trees() == 12
here = mlflow.artifacts.download_artifacts(artifact_uri="models:/late/1")
assert mlflow.pyfunc.load_model(here).metadata.get_model_info().flavors.keys() == {"lightgbm", "python_function"}
