"""Matrices of association: equal to the single measures, symmetric, and clusters that hold what goes together."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine import Engine
from lemnis.engine.features.association import cramers_v, mutual_information, pearson, spearman
from lemnis.engine.features.clusters import clusters_of, representatives
from lemnis.engine.features.matrices import find_matrix, save_matrix, strongest
from lemnis.engine.features.pairing import MEASURES, Series, association_matrices, correlations
from lemnis.engine.features.records import Matrix


def columns(rows: int = 400) -> list[Series]:
    random = np.random.default_rng(3)
    x = random.normal(size=rows)
    holes = np.where(random.random(rows) < 0.1, np.nan, x + random.normal(size=rows))
    group = (x > 0).astype(float)
    return [
        Series(name="x", values=x, number=True),
        Series(name="holes", values=holes, number=True),
        Series(name="group", values=group, number=False),
        Series(name="lot", values=random.integers(0, 5, rows).astype(float), number=False),
        Series(name="constant", values=np.ones(rows), number=True),
    ]


def test_each_cell_is_what_the_measure_of_that_pair_says() -> None:
    given_columns = columns()
    found = association_matrices(given_columns)
    x, holes, group, lot, _ = given_columns
    assert found["pearson"][0, 1] == pytest.approx(pearson(x.values, holes.values), abs=1e-12)
    assert found["spearman"][0, 0] == 1
    assert found["cramers_v"][2, 3] == cramers_v(group.codes, lot.codes)
    assert found["information"][0, 3] == mutual_information(x.codes, lot.codes)
    assert found["kind"][0, 1] == found["spearman"][0, 1]
    assert found["kind"][0, 2] == found["ratio"][0, 2] > 0.7
    assert found["kind"][2, 3] == found["cramers_v"][2, 3]
    assert math.isnan(found["pearson"][2, 3])
    assert math.isnan(found["pearson"][0, 4])  # a constant goes with nothing
    assert found["kind"][3, 4] == 0
    for matrix in found.values():
        assert np.array_equal(matrix, matrix.T, equal_nan=True)
        assert (np.nan_to_num(np.abs(matrix)) <= 1).all()


@given(
    st.integers(2, 5).flatmap(lambda k: arrays(np.float64, (30, k), elements=st.integers(-50, 50).map(float))),
    st.integers(0, 2**30),
)
def test_all_pairs_at_once_are_what_each_pair_gives_alone(table: np.ndarray, seed: int) -> None:
    table = np.where(np.random.default_rng(seed).random(table.shape) < 0.1, np.nan, table)
    found = correlations(list(table.T))
    for a in range(table.shape[1]):
        for b in range(table.shape[1]):
            assert found[a, b] == pytest.approx(pearson(table[:, a], table[:, b]), abs=1e-10, nan_ok=True)


def test_a_truth_value_counts_as_0_and_1_in_a_correlation() -> None:
    random = np.random.default_rng(9)
    x = random.normal(size=300)
    late = (x + random.normal(size=300) > 0).astype(float)
    series = [Series(name="x", values=x, number=True), Series(name="late", values=late, number=False, truth=True)]
    found = association_matrices(series)
    assert found["pearson"][0, 1] == pytest.approx(pearson(x, late), abs=1e-12)
    assert found["kind"][0, 1] == found["ratio"][0, 1]


def test_ranks_without_holes_give_the_exact_rank_correlation() -> None:
    random = np.random.default_rng(6)
    a, b = random.integers(0, 40, 500).astype(float), random.normal(size=500)
    series = [Series(name="a", values=a, number=True), Series(name="b", values=b, number=True)]
    assert association_matrices(series)["spearman"][0, 1] == pytest.approx(spearman(a, b), abs=1e-12)


def test_columns_that_say_the_same_form_a_group_and_stand_together() -> None:
    association = np.eye(5)
    for a, b, value in ((0, 3, -0.95), (1, 4, 0.8), (0, 1, 0.2)):
        association[a, b] = association[b, a] = value
    found = clusters_of(association)
    assert found.groups[0] == found.groups[3] != 0
    assert found.groups[1] == found.groups[4] != found.groups[0]
    assert found.groups[2] == 0
    assert sorted(found.order) == [0, 1, 2, 3, 4]
    assert abs(found.order.index(0) - found.order.index(3)) == 1
    assert clusters_of(association, threshold=0.9).groups[1] == 0


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30).flatmap(
        lambda groups: st.tuples(
            st.just(groups), st.lists(st.floats(-1, 1), min_size=len(groups), max_size=len(groups))
        )
    )
)
def test_each_group_has_one_representative_and_none_is_worth_more(case: tuple[list[int], list[float]]) -> None:
    groups, worth = case
    stands = representatives(groups, worth)
    for group in set(groups) - {0}:
        members = [place for place, one in enumerate(groups) if one == group]
        chosen = [place for place in members if stands[place]]
        assert len(chosen) == 1
        assert worth[chosen[0]] == max(worth[place] for place in members)
    assert all(stands[place] for place, group in enumerate(groups) if group == 0)


def test_a_matrix_comes_back_from_the_store_bit_by_bit(engine: Engine, flights: Any, recorded: Any) -> None:
    version = recorded(flights.select(["humid", "late", "time_hour"]))
    series = columns()
    values = {measure: matrix.ravel().tolist() for measure, matrix in association_matrices(series).items()}
    matrix = Matrix(
        version_id=version.id, names=[one.name for one in series], numbers=[one.number for one in series],
        target="group", order=[2, 0, 1, 3, 4], groups=[1, 1, 0, 0, 0], values=values, rows=400, total=1000,
        elapsed_ms=3, computed_at=7,
    )  # fmt: skip
    save_matrix(engine.store, matrix, None)
    found = find_matrix(engine.store, version.id)
    assert found is not None
    assert list(found.values) == list(MEASURES)
    for measure in MEASURES:
        assert np.array_equal(found.values[measure], values[measure], equal_nan=True)
    assert {pair.first for pair in strongest(found)} | {pair.second for pair in strongest(found)} == {
        *("x", "holes", "lot", "constant")
    }
    assert strongest(found, "pearson")[0].measure == "pearson"
    assert len(strongest(found, "kind", "lot")) == 3
