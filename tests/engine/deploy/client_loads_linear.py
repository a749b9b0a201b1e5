"""What an MLflow user without LightGBM does with linear versions that Lemnis registered: load them and ask them."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false, reportArgumentType=false
# pyright: reportAttributeAccessIssue=false

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
sys.modules["lightgbm"] = None

import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

for number, path in enumerate(sys.argv[1:], 1):
    golden = json.loads(Path(path).read_text())
    model = mlflow.pyfunc.load_model(f"models:/late/{number}")
    answered = model.predict(pd.DataFrame(golden["rows"])).drop(columns="label", errors="ignore")
    assert np.abs(answered.to_numpy() - np.array(golden["answers"])).max() < 1e-12
    assert model.metadata.flavors.keys() == {"python_function"}
    assert "lightgbm" not in (Path(path).parents[1] / "requirements.txt").read_text()
