"""Faults in requests: what is refused, what is taken without a word, and what that costs."""

from collections.abc import Callable

import numpy as np
import pytest

from lemnis.engine import Engine
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.evaluate.perturbing import shifted_hours
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
HOUR_MS = 3_600_000


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_fault_is_tried_where_it_applies_and_judged_by_its_rule(
    engine: Engine, trained: Trained, task: str
) -> None:
    run_id = trained(task, metric="log_loss", rule="max = 9.0")
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    found = engine.evaluate.perturbations(run_id)
    assert found is not None
    tried = {(one.kind, one.feature): one for one in found.tried}
    assert {feature for kind, feature in tried if kind == "column absent"} == {"wind", "hour", "carrier"}
    assert {feature for kind, feature in tried if kind == "unit × 1000"} == {"wind", "hour"}
    assert {feature for kind, feature in tried if kind == "unknown category"} == {"carrier"}
    absent = tried["column absent", "wind"]
    assert (absent.passed, absent.refused) == (True, "The feature wind is absent.")
    shuffled = tried["columns shuffled", ""]
    assert (shuffled.passed, shuffled.changed, shuffled.loss) == (True, 0.0, 0.0)
    assert tried["float32", ""].passed
    thousandfold = tried["unit × 1000", "wind"]
    assert not thousandfold.passed
    assert thousandfold.loss is not None
    assert thousandfold.loss > found.allowed > 0
    assert found.value is not None
    assert found.constant is not None
    assert found.allowed == pytest.approx(0.1 * abs(found.value - found.constant))


def test_a_feature_that_is_the_time_of_day_is_known_in_either_form() -> None:
    hours = np.arange(48)
    time = hours.astype(np.int64) * HOUR_MS
    local = (hours - 5) % 24
    assert shifted_hours(local.astype(float), time) == pytest.approx((local + 5) % 24)
    clock = (local * 100 + 30).astype(float)
    assert shifted_hours(clock, time) == pytest.approx((local + 5) % 24 * 100 + 30)
    assert shifted_hours(np.random.default_rng(1).integers(0, 24, 48).astype(float), time) is None
    assert shifted_hours((hours + 0.5).astype(float), time) is None
    assert shifted_hours(local.astype(float), None) is None
