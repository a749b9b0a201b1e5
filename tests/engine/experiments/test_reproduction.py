"""A repeated run says whether it came out the same, and why not."""

from collections.abc import Callable

from lemnis.engine import Engine
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.reproduction import reproduction


def test_what_differs_is_named(engine: Engine, trained: Callable[..., Run]) -> None:
    first = trained()
    again = engine.experiments.run(first.id)
    metrics = dict(first.metrics)
    assert reproduction(first, again, metrics, same_model=True)[0] == "identical"
    word, why = reproduction(first, again, metrics, same_model=False)
    assert word == "within tolerance"
    assert "no condition on record has changed" in why
    first.libraries["lightgbm"] = "3.0.0"
    first.machine["host"] = "elsewhere"
    auc = metrics["auc"] or 0.0
    word, why = reproduction(first, again, metrics | {"auc": auc * 1.0005}, same_model=False)
    assert word == "within tolerance"
    assert f"lightgbm 3.0.0 → {again.libraries['lightgbm']}" in why
    assert "host elsewhere →" in why
    word, why = reproduction(first, again, metrics | {"auc": auc * 1.01}, same_model=False)
    assert (word, why.split()[0]) == ("differs", "auc")
    assert reproduction(first, again, metrics | {"auc": None}, same_model=False)[0] == "differs"
    assert reproduction(first, again, metrics | {"train_seconds": 999.0, "train_auc": 0.0}, same_model=False)[0] == (
        "within tolerance"
    )


def test_what_training_costs_or_learned_does_not_decide(engine: Engine, trained: Callable[..., Run]) -> None:
    first = trained()
    word, why = reproduction(first, first, {"train_seconds": 999.0, "train_auc": 0.0}, same_model=False)
    assert word == "differs"
    assert "no validation metric" in why
