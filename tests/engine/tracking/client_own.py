"""What a client of MLflow does with versions of Lemnis in a folder that Lemnis has written: find, load, ask."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

import json
import os
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402

client = MlflowClient()
(model,) = client.search_registered_models()
version = client.get_model_version_by_alias("late", "champion")
assert (model.name, int(version.version), version.description) == ("late", 1, "the linear one")
assert len(version.tags["lemnis.sha256"]) == 64
golden = json.loads(Path(sys.argv[1]).read_text())
answered = mlflow.pyfunc.load_model("models:/late@champion").predict(pd.DataFrame(golden["rows"]))
assert np.abs(answered["probability"].to_numpy() - np.array(golden["answers"])[:, 0]).max() < 1e-12
