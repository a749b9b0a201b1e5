from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.schema.compare import differences
from lemnis.engine.monitor.schema.profiles import of_values
from lemnis.engine.monitor.schema.records import QUANTILES, Finding, Profile
from lemnis.engine.monitor.schema.renames import find_renames, name_likeness, quantile_ks
from lemnis.engine.monitor.schema.units import KNOWN, Conversion, guess_unit

numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=60)


def quantiles(values: object) -> list[float]:
    return np.quantile(np.asarray(values, float), QUANTILES).tolist()


def normal(seed: int, rows: int = 300, centre: float = 45.0, spread: float = 17.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, spread, rows)


@pytest.mark.parametrize("conversion", KNOWN, ids=[one.words for one in KNOWN])
def test_every_known_conversion_is_found_again(conversion: Conversion) -> None:
    came = normal(2) * conversion.factor + conversion.offset
    guess = guess_unit(quantiles(normal(1, 2_000)), quantiles(came))
    assert guess is not None
    assert conversion in (guess.conversion, *guess.others)


def test_a_season_is_no_unit() -> None:
    winter = quantiles(normal(1, 2_000))
    for centre, spread in ((60, 17), (75, 10), (75, 17), (85, 12), (20, 20)):
        assert guess_unit(winter, quantiles(normal(3, 500, centre, spread))) is None


@given(numbers, numbers)
def test_the_distance_of_quantiles_is_symmetric_and_between_0_and_1(one: list[int], other: list[int]) -> None:
    distance = quantile_ks(quantiles(one), quantiles(other))
    assert distance == quantile_ks(quantiles(other), quantiles(one))
    assert 0 <= distance <= 1
    assert quantile_ks(quantiles(one), quantiles(one)) == 0


def test_the_distance_of_values_without_a_common_one_is_1() -> None:
    assert quantile_ks([0.0] * 21, [1.0] * 21) == 1


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("wind_speed", "windSpeed", 1, 1),
        ("wind_speed", "SPEED wind", 1, 1),
        ("temp", "temperature", 0.8, 1),
        ("wind_speed", "gate", 0, 0.4),
        ("", "a", 0, 0),
    ],
)
def test_names_are_compared_without_case_and_signs(one: str, other: str, least: float, most: float) -> None:
    assert least <= name_likeness(one, other) <= most
    assert name_likeness(one, other) == name_likeness(other, one)


def column(name: str, values: Sequence[object]) -> Profile:
    return of_values(name, values)


def test_a_column_that_came_back_in_another_unit_under_another_name_is_one_finding() -> None:
    before = [column("wind_speed", normal(1).tolist()), column("carrier", ["AA", "DL"] * 50)]
    after = [column("carrier", ["AA", "DL"] * 50), column("windSpeedMs", (normal(2) * 0.44704).tolist())]
    (found,) = differences(before, after)
    assert (found.kind, found.column, found.new_name) == ("renamed", "wind_speed", "windSpeedMs")
    assert found.conversion[0] == pytest.approx(0.447, abs=0.06)
    assert "names 90% alike" in found.evidence


def test_columns_that_are_not_alike_are_removed_and_added() -> None:
    found = differences([column("visib", [10.0, 9.0] * 30)], [column("gate", ["A1", "B2"] * 30)])
    assert [one.kind for one in found] == ["removed", "added"]


def test_one_new_column_replaces_one_old_column_at_most() -> None:
    old = [column("temp", normal(1).tolist()), column("temp_max", normal(2).tolist())]
    pairs = find_renames(old, [column("temperature", normal(3).tolist())])
    assert [(pair.was.name, pair.now.name) for pair in pairs] == [("temp", "temperature")]


def kinds(was: Sequence[object], now: Sequence[object]) -> dict[str, Finding]:
    return {one.kind: one for one in differences([column("x", was)], [column("x", now)])}


def test_each_way_in_which_a_column_can_differ_is_told() -> None:
    assert kinds([1.0, 2.0] * 40, ["1", "2", "n/a"] * 40)["type"].examples == ["n/a"]
    assert kinds(["1"] * 40, [1.0] * 40)["type"].now == "numbers"
    assert kinds([1.0, 2.0], [1.0, None])["nullability"].now == "50.0% missing"
    assert kinds(["a"], ["a", "b\x1b"])["code"].now == "1 new: b␛ (1)"
    assert kinds(["a", "b"] * 50, ["a"] * 100)["code gone"].was == "50.0% of the rows: b (50)"
    assert kinds(["a", "b"] * 50, ["a"] * 30) == {}
    assert kinds([1.0, 10.0], [1.0, 11.5])["range"].now == "up to 11.5"
    assert kinds([1.0, 10.0], [0.5, 10.5]) == {}
    unit = kinds(normal(1).tolist(), (normal(2) * 1.8 + 32).tolist())
    assert list(unit) == ["unit"]
    assert "°F instead of °C" in unit["unit"].now
