"""Feature sets: every choice is kept with who and why, and the latest counts."""

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, NotFound

CONFIG = '[problem]\ntarget = "y"\n[features]\nset = "base"\noffered = ["b", "a"]\nafter = ["c"]\n'


@pytest.fixture(autouse=True)
def _version(engine: Engine) -> None:
    engine.workspace.config.write_text(CONFIG)
    table = pa.table({"a": [1], "b": ["x"], "c": [True], "id": ["k"], "y": [0]})
    record_version(engine.store, table, name="t", roles={"y": "label", "id": "key"}, split={})


def test_a_set_nobody_chose_is_the_declared_one(engine: Engine) -> None:
    found = engine.features.feature_set()
    assert (found.name, found.features, found.who) == ("base", ["b", "a"], "lemnis.toml")
    assert engine.features.feature_set("default").features == ["b", "a"]
    assert engine.features.sets() == []


def test_the_latest_choice_counts_and_the_earlier_ones_stay(engine: Engine) -> None:
    engine.features.choose("base", ["a"], "ada", "b drifts")
    engine.features.choose("base", ["a", "c"], "bob", "c is known by then after all")
    assert engine.features.feature_set().features == ["a", "c"]
    assert [one.who for one in engine.features.sets()] == ["bob"]
    assert [one.who for one in engine.features.sets(history=True)] == ["bob", "ada"]


@pytest.mark.parametrize("features", [[], ["a", "a"], ["y"], ["id"], ["nope"]])
def test_what_can_be_no_feature_set_is_refused_and_nothing_is_kept(engine: Engine, features: list[str]) -> None:
    with pytest.raises((BadInput, NotFound)):
        engine.features.choose("mine", features, "ada", "")
    assert engine.features.sets(history=True) == []


def test_an_unknown_set_names_the_known_ones(engine: Engine) -> None:
    engine.features.choose("mine", ["a"], "ada", "")
    with pytest.raises(NotFound, match="nope") as refused:
        engine.features.feature_set("nope")
    assert "mine" in refused.value.remedy
