"""What an MLflow user does with models: autolog, log_model, register, alias, load; every answer is asserted here."""
# pyright: basic, reportOptionalMemberAccess=false, reportPrivateImportUsage=false, reportAttributeAccessIssue=false
# pyright: reportArgumentType=false, reportOptionalSubscript=false
# MLflow says of nearly everything that it may be None.

import warnings

warnings.simplefilter("ignore")

import lightgbm as lgb  # noqa: E402
import mlflow  # noqa: E402
import mlflow.lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

client = MlflowClient()
mlflow.set_experiment("models")
chance = np.random.default_rng(1)
X = pd.DataFrame(chance.normal(size=(300, 3)), columns=["a", "b", "c"])
y = (X["a"] + X["b"] > 0).astype(int)
parameters = {"objective": "binary", "verbosity": -1, "num_leaves": 5, "num_threads": 1, "metric": "binary_logloss"}


def refuses(code: str, call, *arguments, **options) -> None:
    said = ""
    try:
        call(*arguments, **options)
    except MlflowException as error:
        said = error.error_code
    assert said == code, (call, said)


# Autolog: parameters, a curve, importances, the dataset, and the model.
mlflow.lightgbm.autolog(log_models=True, log_datasets=True)
data = lgb.Dataset(X, y)
with mlflow.start_run(run_name="auto") as auto:
    booster = lgb.train(parameters, data, num_boost_round=6, valid_sets=[data], valid_names=["train"])
mlflow.lightgbm.autolog(disable=True)
run = client.get_run(auto.info.run_id)
assert run.data.params["num_leaves"] == "5"
assert len(client.get_metric_history(run.info.run_id, "train-binary_logloss")) == 6
assert {f.path for f in client.list_artifacts(run.info.run_id)} >= {"feature_importance_gain.json"}
assert len(run.inputs.dataset_inputs) >= 1
assert len(run.outputs.model_outputs) == 1
kept = client.get_logged_model(run.outputs.model_outputs[0].model_id)
assert (kept.status.value, kept.source_run_id) == ("READY", run.info.run_id)
again = mlflow.lightgbm.load_model(f"models:/{kept.model_id}")
assert np.array_equal(again.predict(X), booster.predict(X))

# log_model by hand, registered at once; then by its address.
with mlflow.start_run(run_name="by hand") as hand:
    info = mlflow.lightgbm.log_model(
        booster, name="late", registered_model_name="late flights", pip_requirements=["lightgbm"]
    )
    mlflow.log_metric("auc", 0.9, model_id=info.model_id)
second = mlflow.register_model(f"runs:/{hand.info.run_id}/late", "late flights", tags={"from": "run"})
assert (second.version, second.tags) == ("2", {"from": "run"})
third = mlflow.register_model(f"models:/{kept.model_id}", "late flights")
assert (third.version, third.source) == ("3", f"models:/{kept.model_id}")
assert third.run_id == run.info.run_id

found = mlflow.search_logged_models(filter_string="name = 'late' and metrics.auc > 0.5", output_format="list")
assert [model.model_id for model in found] == [info.model_id]
assert found[0].metrics[0].value == 0.9
client.set_logged_model_tags(info.model_id, {"reviewed": "yes", "gone": "x"})
client.delete_logged_model_tag(info.model_id, "gone")
assert client.get_logged_model(info.model_id).tags["reviewed"] == "yes"
assert "gone" not in client.get_logged_model(info.model_id).tags

# Aliases and loading.
client.set_registered_model_alias("late flights", "champion", "1")
client.set_registered_model_alias("late flights", "champion", "3")
client.set_registered_model_alias("late flights", "challenger", "2")
assert client.get_model_version_by_alias("late flights", "champion").version == "3"
assert client.get_registered_model("late flights").aliases == {"champion": "3", "challenger": "2"}
for address in ("models:/late flights@champion", "models:/late flights/2", "models:/late flights/latest"):
    assert np.array_equal(mlflow.lightgbm.load_model(address).predict(X), booster.predict(X)), address
assert np.allclose(mlflow.pyfunc.load_model("models:/late flights@challenger").predict(X), booster.predict(X))
client.delete_registered_model_alias("late flights", "challenger")
assert client.get_registered_model("late flights").aliases == {"champion": "3"}
refuses("INVALID_PARAMETER_VALUE", client.get_model_version_by_alias, "late flights", "challenger")
refuses("INVALID_PARAMETER_VALUE", client.set_registered_model_alias, "late flights", "v7", "1")

# The registry.
assert [v.version for v in client.search_model_versions("name = 'late flights'", order_by=["version_number ASC"])] == [
    "1", "2", "3",
]  # fmt: skip
assert [v.version for v in client.search_model_versions(f"run_id = '{run.info.run_id}'")] == ["3"]
assert [v.version for v in client.search_model_versions("tags.from = 'run'")] == ["2"]
client.update_model_version("late flights", "1", "the first")
client.set_model_version_tag("late flights", "1", "seen", "yes")
client.delete_model_version_tag("late flights", "2", "from")
assert client.get_model_version("late flights", "1").description == "the first"
assert client.get_model_version("late flights", "1").tags == {"seen": "yes"}
assert client.get_model_version("late flights", "2").tags == {}
client.transition_model_version_stage("late flights", "1", "Production")
client.transition_model_version_stage("late flights", "2", "production", archive_existing_versions=True)
assert client.get_model_version("late flights", "1").current_stage == "Archived"
assert [v.version for v in client.get_latest_versions("late flights", ["Production"])] == ["2"]
client.delete_model_version("late flights", "3")
assert client.get_registered_model("late flights").aliases == {}
refuses("RESOURCE_DOES_NOT_EXIST", client.get_model_version, "late flights", "3")
client.create_registered_model("other", tags={"team": "blue"}, description="words")
refuses("RESOURCE_ALREADY_EXISTS", client.create_registered_model, "other")
refuses("INVALID_PARAMETER_VALUE", client.create_model_version, "other", "/etc/passwd")
client.set_registered_model_tag("other", "team", "red")
client.update_registered_model("other", "more words")
client.rename_registered_model("other", "another")
assert client.get_registered_model("another").description == "more words"
assert [m.name for m in client.search_registered_models("tags.team = 'red'")] == ["another"]
assert [m.name for m in client.search_registered_models("name LIKE 'l%'")] == ["late flights"]
client.delete_registered_model("another")
refuses("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "another")
