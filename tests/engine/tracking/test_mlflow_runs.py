"""The unmodified MLflow client logs, searches and downloads; what it logged is in the runs of the workspace."""

from collections.abc import Callable

import pytest
from tracking_server import Served


def test_the_real_client_logs_and_finds_runs(served: Served, client: Callable[..., str]) -> None:
    first, second = client("client_runs.py").splitlines()[-1].split()
    engine = served.engine
    runs = {run.uid: run for run in engine.experiments.search("", shelf="active").runs}
    run = runs[first]
    assert (run.name, run.state, run.experiment, run.note) == ("first", "finished", "late flights", "A note.")
    assert run.metrics["auc"] == 0.74
    assert run.metrics["nan"] is None
    assert engine.experiments.curve(run.id)["auc"] == [(step, 0.7 + step / 100) for step in range(5)]
    assert [value for _, value in engine.experiments.curve(run.id)["without a step"]] == [0.3, 0.2, 0.1]
    assert engine.experiments.curve(run.id)["up"] == []
    assert [r.uid for r in engine.experiments.search("experiment = 'late flights' and params.p = 1").runs] == [second]


@pytest.mark.slow
def test_the_real_client_logs_registers_and_loads_models(client: Callable[..., str]) -> None:
    client("client_models.py")
