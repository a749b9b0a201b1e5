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


def test_a_choice_is_named_by_its_revision_whatever_was_chosen_since(engine: Engine) -> None:
    first = engine.features.choose("mine", ["a"], "ada", "small")
    engine.features.choose("mine", ["a", "b"], "bob", "b helps")
    assert engine.features.feature_set(first.reference).features == ["a"]
    assert engine.features.feature_set("mine").features == ["a", "b"]
    found = engine.features.compare(first.reference, "mine")
    assert (found.added, found.removed, found.kept) == (["b"], [], ["a"])
    with pytest.raises(NotFound, match="no revision 99"):
        engine.features.feature_set("mine@99")


def test_a_renamed_set_keeps_its_history_and_its_old_name_says_where_it_went(engine: Engine) -> None:
    engine.features.choose("mine", ["a"], "ada", "small")
    engine.features.choose("mine", ["a", "b"], "bob", "b helps")
    renamed = engine.features.rename("mine", "ours", "cy", "it is the team's")
    assert (renamed.features, renamed.renamed_from, renamed.who) == (["a", "b"], "mine", "cy")
    assert [one.name for one in engine.features.sets()] == ["ours"]
    assert [(one.name, one.who) for one in engine.features.revisions("ours")] == [
        ("ours", "cy"), ("mine", "bob"), ("mine", "ada"),
    ]  # fmt: skip
    with pytest.raises(NotFound, match="is called 'ours' now"):
        engine.features.feature_set("mine")
    again = engine.features.choose("mine", ["c"], "ada", "another set of that name")
    assert engine.features.feature_set("mine") == again
    assert [one.who for one in engine.features.revisions("mine")] == ["ada", "bob", "ada"]
    assert len(engine.features.revisions("ours")) == 3


def test_names_that_are_taken_declared_or_unreadable_are_refused(engine: Engine) -> None:
    engine.features.choose("base", ["a"], "ada", "")
    engine.features.choose("mine", ["a"], "ada", "")
    for old, new, why in (
        ("base", "other", "lemnis.toml names"),
        ("mine", "base", "already"),
        ("mine", "a@1", "without @"),
    ):
        with pytest.raises(BadInput, match=why):
            engine.features.rename(old, new, "ada")
    with pytest.raises(NotFound, match="no chosen feature set"):
        engine.features.rename("nope", "other", "ada")
    assert len(engine.features.sets(history=True)) == 2


def test_notes_are_added_to_a_choice_and_none_is_lost(engine: Engine) -> None:
    chosen = engine.features.choose("mine", ["a"], "ada", "")
    engine.features.note(chosen.revision, "b comes too late", "bob")
    engine.features.note(chosen.revision, "so it does", "ada")
    assert [(one.note, one.who) for one in engine.features.feature_set("mine").notes] == [
        ("b comes too late", "bob"), ("so it does", "ada"),
    ]  # fmt: skip
    with pytest.raises(BadInput):
        engine.features.note(chosen.revision, " ", "bob")
    with pytest.raises(NotFound):
        engine.features.note(99, "x", "bob")
