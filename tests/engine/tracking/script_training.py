"""A training as somebody else wrote it: it knows nothing of Lemnis."""

import os

import mlflow

print("threads", os.environ["OMP_NUM_THREADS"], "gpu", repr(os.environ["CUDA_VISIBLE_DEVICES"]), flush=True)
mlflow.set_experiment("somebody else's")
with mlflow.start_run(run_name="outer"):
    mlflow.log_param("epochs", 3)
    for epoch in range(3):
        mlflow.log_metric("loss", 1 / (epoch + 1), step=epoch)
    mlflow.log_text("done", "result.txt")
    with mlflow.start_run(run_name="inner", nested=True):
        mlflow.log_metric("loss", 9.0)
print("the end", flush=True)
