"""Groups of runs say what counting and comparing the runs one by one says."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problem import add_run
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run, grouping

PRESETS, STATES = ("", "deep", "wide' or 1=1 --"), ("finished", "failed", "running")
QUERIES = (
    "",
    "metrics.auc > 0.5",
    "params.leaves = 7 or state = failed",
    "tag:none",
    "name ~ 'a' and not preset = deep",
)
runs = st.lists(
    st.tuples(
        st.sampled_from(PRESETS),
        st.sampled_from(STATES),
        st.none() | st.sampled_from([0.1, 0.5, 0.9]),
        st.integers(6, 8),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = engine_at(tmp_path_factory.mktemp("groups") / "w")
    yield opened
    opened.store.close()


def expected(found: list[Run], by: str, largest: bool) -> list[dict[str, Any]]:
    """The groups, counted one run after the other."""
    groups: dict[str, list[Run]] = {}
    for run in found:
        groups.setdefault(run.preset if by == "preset" else run.state, []).append(run)
    told: list[dict[str, Any]] = []
    for value, members in groups.items():
        figures = [figure for run in members if (figure := run.metrics.get("auc")) is not None]
        best = (max if largest else min)(figures, default=None)
        states = {state: sum(run.state == state for run in members) for state in {run.state for run in members}}
        told.append(
            {"value": value, "runs": len(members), "states": states, "best": best, "newest": max(r.id for r in members)}
        )
    return told


@settings(max_examples=40)
@given(made=runs, query=st.sampled_from(QUERIES), by=st.sampled_from(["preset", "state"]), descending=st.booleans())
def test_groups_are_those_of_the_runs_that_are_found(
    engine: Engine, made: list[tuple[str, str, float | None, int]], query: str, by: str, descending: bool
) -> None:
    with engine.store.write() as db:
        db.execute("delete from runs")
    for preset, state, auc, leaves in made:
        add_run(
            engine, "a", state, preset=preset, metrics={} if auc is None else {"auc": auc}, params={"leaves": leaves}
        )
    room = engine.experiments
    found = room.runs(room.numbers(query))
    told = room.groups.of(by, query, "metrics.auc", descending, "auc")
    facts = [{name: getattr(one, name) for name in ("value", "runs", "states", "best", "newest")} for one in told]
    assert sorted(facts, key=lambda one: one["value"]) == sorted(
        expected(found, by, descending), key=lambda one: one["value"]
    )
    figures = [one.best for one in told if one.best is not None]
    assert figures == sorted(figures, reverse=descending)
    assert all(one.best is not None for one in told[: len(figures)]), "groups without a value come last"
    for group in told:
        if group.best_run is not None:
            assert room.run(group.best_run).metrics["auc"] == group.best
        inside = room.groups.numbers(by, group.value, query)
        assert sorted(inside) == sorted(run.id for run in found if getattr(run, by) == group.value)


def test_groups_with_their_best_far_down_are_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "FRONT", 2)
    with engine.store.write() as db:
        db.execute("delete from runs")
    for place in range(6):
        add_run(engine, "a", preset="good", metrics={"auc": 0.5 + place / 8})
    add_run(engine, "b", preset="bad", metrics={"auc": 0.2})
    add_run(engine, "c", preset="none")
    told = {one.value: one.best for one in engine.experiments.groups.of("preset", "", "", True, "auc")}
    assert told == {"good": 1.125, "bad": 0.2, "none": None}


def test_what_can_not_be_grouped_by_is_said(engine: Engine) -> None:
    with pytest.raises(BadInput, match="can't be grouped by 'seed; drop'"):
        engine.experiments.groups.of("seed; drop", "", "", True, "")
