"""One choice of a feature set from training to serving: the run records it, and the model asks for just its columns."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.deploy.protocol import model_metadata
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "workspace")
    yield opened
    opened.store.close()


def test_the_very_choice_is_recorded_and_stays_when_the_set_is_chosen_anew(engine: Engine) -> None:
    chosen = engine.features.choose("base", ["carrier", "distance"], "ada", "no weekend")
    run = do_train(engine, engine.experiments.start(features="base"))
    engine.features.choose("base", ["weekend"], "bob", "only weekend")
    assert (run.feature_set, run.feature_set_revision, run.features) == (
        "base",
        chosen.revision,
        ["carrier", "distance"],
    )
    assert engine.features.feature_set(f"{run.feature_set}@{run.feature_set_revision}").features == run.features
    again = engine.experiments.run(engine.experiments.reproduce(run.id))
    assert (again.features, again.feature_set_revision) == (run.features, chosen.revision)
    old = engine.experiments.run(engine.experiments.start(features=chosen.reference))
    assert (old.features, old.feature_set_revision) == (run.features, chosen.revision)
    by_hand = engine.experiments.run(engine.experiments.start(features=["weekend"]))
    assert (by_hand.feature_set, by_hand.feature_set_revision) == ("", None)


def test_the_served_model_asks_for_just_the_columns_of_the_set(engine: Engine) -> None:
    engine.features.choose("base", ["carrier", "distance"], "ada", "no weekend")
    run = do_train(engine, engine.experiments.start(features="base"))
    version = engine.deploy.register(run.id, "late", "ada", "")
    signature = engine.deploy.signature("late", version.version)
    asked = model_metadata(signature, model="late", version=version.version, platform="lightgbm_lightgbm")["inputs"]
    assert [one["name"] for one in asked] == ["carrier", "distance"] == engine.features.feature_set("base").features
    row = {"carrier": "AA", "distance": 1.5}
    assert encode_rows([row | {"weekend": True}], signature).shape == (1, 2)
    with pytest.raises(BadInput, match="distance is absent"):
        encode_rows([{"carrier": "AA", "weekend": True}], signature)
