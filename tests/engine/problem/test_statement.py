import stat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, ConfigError, ReadOnly
from lemnis.engine.problem.statement import steps_of, text_with, value_of

TEXT = """\
# Why we do this.
[problem]
title = "Late flights" # short
threshold = 0.5

[problem.value] # money
true_positive = 240.0  # saved

[[problem.criteria]]
metric = "roc_auc"
min = 0.68
"""


@pytest.fixture
def stated(engine: Engine) -> Engine:
    engine.workspace.config.write_text(TEXT)
    engine.problem.record("ann", "first words")
    return engine


def test_a_key_is_set_and_every_comment_stays(stated: Engine) -> None:
    assert stated.problem.set("problem.threshold", 0.3, "bob", "money says so")
    assert stated.problem.text() == TEXT.replace("threshold = 0.5", "threshold = 0.3")
    assert stated.problem.statement().threshold == 0.3


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("threshold", 0.3, "threshold = 0.5", "threshold = 0.3"),
        ("value.true_positive", 250.0, "240.0", "250.0"),
        ("problem.criteria[0].min", 0.7, "min = 0.68", "min = 0.7"),
        ("criteria[0].metric", "pr_auc", '"roc_auc"', '"pr_auc"'),
    ],
)
def test_keys_lead_into_tables_and_lists(stated: Engine, key: str, value: Any, old: str, new: str) -> None:
    stated.problem.set(key, value, "bob", "")
    assert stated.problem.text() == TEXT.replace(old, new)


def test_a_section_that_is_not_there_is_made(stated: Engine) -> None:
    stated.problem.set("monitor.bins", 20, "bob", "")
    stated.problem.set("sources.flights", {"path": "f.csv"}, "bob", "")
    config = stated.config()
    assert (config.monitor.bins, config.sources["flights"].path) == (20, "f.csv")
    assert stated.problem.text().startswith(TEXT)


@pytest.mark.parametrize(
    ("key", "value"), [("threshold", 2.0), ("task", "guess"), ("value.profit", 1), ("criteria[0].max", 1.0)]
)
def test_a_value_that_is_not_accepted_changes_nothing(stated: Engine, key: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        stated.problem.set(key, value, "bob", "")
    assert stated.problem.text() == TEXT
    assert len(stated.problem.history()) == 1


@pytest.mark.parametrize("key", ["", "a b", "criteria[7].min", "threshold.deeper", "criteria.min"])
def test_a_key_that_leads_nowhere_is_refused(stated: Engine, key: str) -> None:
    with pytest.raises(BadInput):
        stated.problem.set(key, 1, "bob", "")
    assert stated.problem.text() == TEXT


def test_a_text_that_would_not_be_read_is_refused_with_its_line(stated: Engine) -> None:
    with pytest.raises(ConfigError) as refused:
        stated.problem.edit(TEXT + "min = \n", "bob", "")
    assert refused.value.place == "lemnis.toml:12"
    with pytest.raises(ConfigError, match="threshold") as refused:
        stated.problem.edit(TEXT.replace("0.5", '"half"'), "bob", "")
    assert refused.value.place == "lemnis.toml:4"
    assert stated.problem.text() == TEXT


def test_an_edit_does_not_undo_what_somebody_else_wrote_meanwhile(stated: Engine) -> None:
    stated.problem.set("threshold", 0.4, "bob", "")
    with pytest.raises(BadInput, match="somebody else"):
        stated.problem.edit(TEXT.replace("Late", "Early"), "ann", "", expected=TEXT)
    assert stated.problem.statement().threshold == 0.4


def test_the_file_keeps_its_permissions(stated: Engine) -> None:
    stated.workspace.config.chmod(0o640)
    stated.problem.set("threshold", 0.4, "bob", "")
    assert stat.S_IMODE(stated.workspace.config.stat().st_mode) == 0o640


def test_a_workspace_that_is_open_read_only_is_not_edited(stated: Engine) -> None:
    reader = Engine(stated.workspace, read_only=True)
    with pytest.raises(ReadOnly):
        reader.problem.set("threshold", 0.4, "bob", "")
    assert reader.problem.notice() is False
    assert stated.problem.text() == TEXT
    reader.store.close()


@given(st.floats(0, 1), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_setting_twice_is_setting_once_and_only_that_key_moves(threshold: float, title: str) -> None:
    once = text_with(text_with(TEXT, "threshold", threshold), "title", title)
    assert text_with(once, "title", title) == once
    back = text_with(text_with(once, "threshold", 0.5), "title", "Late flights")
    assert back == TEXT


@given(st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True) | st.integers(0, 99), max_size=5))
def test_a_dotted_key_is_taken_apart_into_what_it_was_made_of(steps: list[str | int]) -> None:
    steps = ["problem", *steps]
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
    assert steps_of(dotted) == steps


@pytest.mark.parametrize(
    ("text", "value"), [("0.3", 0.3), ("12", 12), ("true", True), ('"a b"', "a b"), ("a b", "a b"), ("[1, 2]", [1, 2])]
)
def test_what_is_typed_is_a_toml_value_or_else_text(text: str, value: Any) -> None:
    assert value_of(text) == value
