"""Registering runs, moving aliases, and what was in production when."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.deploy import modelbox, registry
from lemnis.engine.deploy.aliases import standing
from lemnis.engine.deploy.records import AliasEvent
from lemnis.engine.errors import BadInput, NotFound

WHO, WHY = "ada", "better"


def test_a_finished_run_becomes_version_one_with_golden_rows_of_every_kind(bench: Any, first_model: Any) -> None:
    version = bench.room.register(bench.add_run(first_model), "late", WHO, WHY)
    assert (version.version, version.sha256, version.threshold) == (1, first_model.sha256, 0.4)
    assert version.path.read_bytes() == (first_model.folder / "model.txt").read_bytes()
    assert not os.access(version.path, os.W_OK) or os.geteuid() == 0
    assert version.path.stat().st_mode & 0o777 == 0o444
    golden = registry.golden_of(bench.store, "late", 1)
    assert {row["carrier"] for row in golden.rows} == {"AA", "B6", "DL", "UA", "ü€", None}
    assert {row["holiday"] for row in golden.rows} == {True, False}
    assert any(row["wind"] is None for row in golden.rows)
    assert 48 <= len(golden.rows) <= 128


def test_golden_answers_are_the_models_own(bench: Any, first_model: Any) -> None:
    from lemnis.engine.features.requests import encode_rows

    bench.room.register(bench.add_run(first_model), "late", WHO, WHY)
    golden = registry.golden_of(bench.store, "late", 1)
    matrix = encode_rows(golden.rows, first_model.signature)
    assert [row[0] for row in golden.answers] == pytest.approx(list(first_model.booster().predict(matrix)), abs=1e-12)


def test_the_same_run_is_not_registered_twice(bench: Any, first_model: Any) -> None:
    run_id = bench.add_run(first_model)
    assert bench.room.register(run_id, "late", WHO, WHY).version == 1
    assert bench.room.register(run_id, "late", WHO, WHY).version == 1


@pytest.mark.parametrize("state", ["queued", "running", "failed", "lost", "cancelled"])
def test_a_run_that_is_not_finished_is_refused(bench: Any, first_model: Any, state: str) -> None:
    with pytest.raises(BadInput, match=f"is {state}"):
        bench.room.register(bench.add_run(first_model, state=state), "late", WHO, WHY)


def test_a_model_file_that_changed_since_training_is_refused(bench: Any, first_model: Any) -> None:
    run_id = bench.add_run(first_model)
    with open(bench.store.workspace.run_dir(run_id) / "model.txt", "a") as file:
        file.write(" ")
    with pytest.raises(BadInput, match="hashes differ"):
        bench.room.register(run_id, "late", WHO, WHY)
    assert bench.room.models() == []


@pytest.mark.parametrize("name", ["", "../late", "a b", "x" * 65, "1st", "[b]", "a\x1b"])
def test_a_name_that_could_hurt_somewhere_is_refused(bench: Any, first_model: Any, name: str) -> None:
    with pytest.raises(BadInput, match="can't name a model"):
        bench.room.register(bench.add_run(first_model), name, WHO, WHY)


def test_unknown_names_say_what_is_known(bench: Any, first_model: Any) -> None:
    with pytest.raises(NotFound, match="no run 77"):
        bench.room.register(77, "late", WHO, WHY)
    register_all(bench, first_model)
    with pytest.raises(NotFound) as unknown:
        bench.room.versions("early")
    assert "late" in unknown.value.remedy
    for reference in ("late@9", "late@champion", "late@v2"):
        with pytest.raises(NotFound):
            bench.room.resolve(reference)


def register_all(bench: Any, *models: Any, **gates: str) -> None:
    """Register runs; what the models answer is not asked here, which saves a process each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modelbox, "ask_model", lambda _path, _hash, _signature, rows: [[0.5]] * len(rows))
        for model in models:
            bench.room.register(bench.add_run(model, gates=gates), "late", WHO, WHY)


def test_an_alias_moves_as_events_and_history_answers_what_was_in_production(
    bench: Any, first_model: Any, second_model: Any
) -> None:
    register_all(bench, first_model, second_model)
    first = bench.room.promote("late", 1, "champion", WHO, "first")
    second = bench.room.promote("late", 2, "champion", WHO, "second")
    with bench.store.write() as db:  # an hour apart, so that a time between can be asked for
        db.execute("update alias_events set at = at + 3600000 where id = ?", [second.id])
    assert (second.version, second.previous, second.who, second.why) == (2, 1, WHO, "second")
    assert [event.version for event in bench.room.history("late")] == [2, 1]
    assert [event.version for event in bench.room.history("late", at=first.at + 1)] == [1]
    assert [event.version for event in bench.room.history("late", at=second.at + 3_600_001)] == [2]
    assert bench.room.history("late", at=first.at - 1) == []
    assert bench.room.resolve("late").version == 2
    assert bench.room.versions("late")[0].aliases == ["champion"]


def test_rolling_back_is_a_new_event_and_goes_back_one_promotion_at_a_time(
    bench: Any, first_model: Any, second_model: Any
) -> None:
    register_all(bench, first_model, second_model)
    for number in (1, 2):
        bench.room.promote("late", number, "champion", WHO, WHY)
    event = bench.room.rollback("late", "champion", WHO, "wrong answers")
    assert (event.kind, event.version, event.previous, event.why) == ("rollback", 1, 2, "wrong answers")
    with pytest.raises(BadInput, match="no earlier version"):
        bench.room.rollback("late", "champion", WHO, WHY)
    assert len(bench.room.history("late")) == 3


def test_a_version_whose_gate_failed_is_promoted_only_by_force(bench: Any, first_model: Any) -> None:
    register_all(bench, first_model, roc_auc="fail", log_loss="pass")
    with pytest.raises(BadInput, match=r"roc_auc on test: fail, 0\.5 is too low"):
        bench.room.promote("late", 1, "champion", WHO, WHY)
    event = bench.room.promote("late", 1, "champion", WHO, "nothing else works", force=True)
    assert event.forced
    assert event.evidence["verdict"] == "fail"
    assert [gate["metric"] for gate in event.evidence["gates"]] == ["roc_auc", "log_loss"]


def test_gates_that_were_never_evaluated_keep_a_version_from_champion_but_not_from_challenger(
    make_bench: Callable[..., Any], first_model: Any
) -> None:
    bench = make_bench('[problem]\n[[problem.criteria]]\nmetric = "roc_auc"\nmin = 0.6\n')
    register_all(bench, first_model)
    assert bench.room.version("late", 1).verdict == "not evaluated"
    with pytest.raises(BadInput, match="never evaluated"):
        bench.room.promote("late", 1, "champion", WHO, WHY)
    assert not bench.room.promote("late", 1, "challenger", WHO, WHY).forced


@pytest.mark.parametrize(
    ("alias", "why", "problem"), [("", WHY, "can't be an alias"), ("v2", WHY, "can't be an alias")]
)
def test_an_alias_that_reads_as_a_version_is_refused(
    bench: Any, first_model: Any, alias: str, why: str, problem: str
) -> None:
    register_all(bench, first_model)
    with pytest.raises(BadInput, match=problem):
        bench.room.promote("late", 1, alias, WHO, why)


def test_moving_an_alias_needs_a_reason_and_a_move(bench: Any, first_model: Any) -> None:
    register_all(bench, first_model)
    with pytest.raises(BadInput, match="needs a reason"):
        bench.room.promote("late", 1, "champion", WHO, "  ")
    bench.room.promote("late", 1, "champion", WHO, WHY)
    with pytest.raises(BadInput, match="already"):
        bench.room.promote("late", 1, "champion", WHO, WHY)


def test_a_withdrawn_alias_names_nothing(bench: Any, first_model: Any) -> None:
    register_all(bench, first_model)
    bench.room.promote("late", 1, "champion", WHO, WHY)
    event = bench.room.withdraw("late", "champion", WHO, "retired")
    assert (event.version, event.previous) == (None, 1)
    assert bench.room.alias("late", "champion") is None
    assert bench.room.history("late", at=event.at) == []


@given(st.lists(st.one_of(st.integers(1, 5), st.none()), max_size=30))
def test_rolling_back_undoes_promotions_in_reverse(steps: list[int | None]) -> None:
    """None is a rollback, a number a promotion."""
    events: list[AliasEvent] = []
    stack: list[int] = []
    for number, step in enumerate(steps):
        if step is None:
            if len(stack) < 2:
                continue
            stack.pop()
        else:
            stack.append(step)
        events.insert(
            0,
            AliasEvent(
                id=number,
                model="m",
                alias="a",
                kind="rollback" if step is None else "promote",
                version=stack[-1],
                previous=None,
                forced=False,
                who="",
                why="",
                at=number,
                evidence={},
            ),
        )
    assert standing(events) == stack


def test_the_consoles_process_registers_and_lists_without_a_machine_learning_library(
    bench: Any, first_model: Any
) -> None:
    run_id = bench.add_run(first_model)
    script = f"""
import sys
from pathlib import Path
from lemnis.engine import Engine
room = Engine.open(Path({str(bench.store.workspace.root)!r})).deploy
room.register({run_id}, "late", "ada", "first")
room.promote("late", 1, "champion", "ada", "first")
room.models(), room.versions("late"), room.history(), room.endpoints(), room.candidate()
print([name for name in ("lightgbm", "duckdb", "scipy", "sklearn", "pandas", "optuna") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
