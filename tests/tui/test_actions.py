from collections import Counter

import pytest

from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE, Action, actions, key_label
from lemnis.tui.app import Console
from lemnis.tui.keys.selection import ABOUT, OF_ANY, rank
from lemnis.tui.screens.help import keys_table
from lemnis.tui.stages import BY_NAME, STAGES
from lemnis.tui.widgets import Table

FREE_ON_A_STAGE = {"tab", "enter", "left", "right"}  # a pane without a table may give these a meaning of its own


def keys(scope: str) -> list[str]:
    return [key for action in actions(scope) for key in action.key.split(",")]


@pytest.mark.parametrize("scope", [GLOBAL, TABLE, *BY_NAME])
def test_no_key_is_declared_twice_in_one_scope(scope: str) -> None:
    assert [key for key, count in Counter(keys(scope)).items() if count > 1] == []


@pytest.mark.parametrize("stage", BY_NAME)
def test_no_stage_takes_a_key_from_tables_or_from_everywhere(stage: str) -> None:
    taken = (set(keys(GLOBAL)) | set(keys(TABLE))) - FREE_ON_A_STAGE
    assert set(keys(stage)) & taken == set()


def test_what_is_about_a_row_is_an_action_and_is_listed_first() -> None:
    known = {action.id: action for action in ACTIONS}
    assert {name for names in (*ABOUT.values(), OF_ANY) for name in names} <= set(known)
    places = [
        rank(known[name], stage="monitor", table="alerts", possible=name != "monitor.rule")
        for name in ("monitor.silence", "app.lineage", "monitor.figure", "app.help", "deploy.stop", "monitor.rule")
    ]
    assert places == sorted(places)


def test_ids_are_unique_and_belong_to_a_scope() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    assert {action.scope for action in ACTIONS} <= {GLOBAL, TABLE, *BY_NAME}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_says_what_it_does(action: Action) -> None:
    assert action.label
    assert action.help.endswith(".")
    assert not action.command.startswith("lemnis")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_answered(action: Action) -> None:
    method = "action_" + action.name.partition("(")[0]
    if action.scope in BY_NAME:
        assert hasattr(BY_NAME[action.scope].load(), method)
    else:
        assert hasattr({GLOBAL: Console, TABLE: Table}[action.scope], method)


@pytest.mark.parametrize("stage", BY_NAME)
def test_a_footer_has_room_for_five(stage: str) -> None:
    assert sum(action.footer for action in actions(stage)) <= 5


def test_essential_keys_are_plain() -> None:
    plain = {key for action in ACTIONS for key in action.key.split(",") if not key.startswith("ctrl+")}
    own = {"app.suspend"}  # the key that suspends any other program
    assert all({key for key in action.key.split(",")} & plain for action in ACTIONS if action.id not in own)


def test_nothing_that_writes_or_destroys_answers_to_the_key_of_the_confirmation() -> None:
    assert [action.id for action in ACTIONS if action.writes and "y" in action.key.split(",")] == []


def test_the_stages_have_the_keys_of_a_number_row() -> None:
    assert [stage.key for stage in STAGES] == list("1234567890")


def test_the_table_of_keys_names_every_action() -> None:
    table = keys_table()
    assert all(action.help in table for action in ACTIONS if not action.id.startswith("app.go_"))


def test_keys_are_written_as_people_write_them() -> None:
    assert key_label("question_mark") == "?"
    assert key_label("G,end") == "G end"
