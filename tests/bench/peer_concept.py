"""Estimate windows of scores with NannyML's CBPE; prints value, low and high of each window by figure, as JSON.

Runs in that peer's own environment, which has other versions than ours.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import nannyml as nml  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

found = np.load(sys.argv[1])
frames = [
    pd.DataFrame({"y": found[f"{part}target"].astype(int), "p": found[f"{part}score"]}) for part in ("", "later_")
]
for frame in frames:
    frame["answer"] = (frame["p"] >= 0.5).astype(int)
estimator = nml.CBPE(
    problem_type="classification_binary",
    y_pred_proba="p",
    y_pred="answer",
    y_true="y",
    metrics=["roc_auc", "accuracy"],
    chunk_size=int(sys.argv[2]),
).fit(frames[0])
told = estimator.estimate(frames[1].drop(columns="y")).filter(period="analysis").to_df()
print(
    json.dumps(
        {
            name: told[name][["value", "lower_confidence_boundary", "upper_confidence_boundary"]].values.tolist()
            for name in ("roc_auc", "accuracy")
        }
    )
)
