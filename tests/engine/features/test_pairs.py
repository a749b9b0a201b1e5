"""Two columns side by side: what is measured, and what is drawn of numbers, categories and both."""

from collections.abc import Callable
from typing import Any

import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.features.pairs import pair
from lemnis.engine.jobs.context import JobContext

Ask = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def ask(engine: Engine, flights: Any, recorded: Callable[..., Version]) -> Ask:
    version = recorded(flights)

    def asked(first: str, second: str) -> dict[str, Any]:
        return pair(JobContext.for_test(engine.store), {"version": version.id, "first": first, "second": second})

    return asked


def test_two_numbers_are_a_cloud_that_holds_nearly_all_rows(ask: Ask) -> None:
    found = ask("sched_dep_time", "sched_arr_time")
    assert found["measure"] == "spearman"
    assert found["measures"]["ratio"] is None
    assert 0.8 < found["measures"]["spearman"] < 0.95
    inside = sum(map(sum, found["grid"]))
    assert 0.95 * found["rows"] < inside <= found["rows"]
    upper, lower = found["grid"][:12], found["grid"][12:]
    assert sum(line[-1] for line in upper) > sum(line[-1] for line in lower)  # late departures arrive late: upwards


def test_two_categories_are_a_table_whose_rest_is_summed(ask: Ask) -> None:
    found = ask("carrier", "origin")
    assert found["measure"] == "cramers_v"
    assert found["lines"][-1] == found["columns"][-1] == "others"
    assert sum(map(sum, found["counts"])) == found["rows"]


def test_a_number_beside_the_target_is_a_box_a_class(ask: Ask) -> None:
    found = ask("humid", "late")
    assert found["measure"] == "ratio"
    assert 0 < found["measures"]["pearson"] < found["measures"]["ratio"] * 1.05
    assert [box["name"] for box in found["boxes"]] == ["true", "false"]  # by their median
    assert sum(box["rows"] for box in found["boxes"]) == found["rows"]
    for box in found["boxes"]:
        assert box["quantiles"] == sorted(box["quantiles"])


def test_one_column_twice_a_time_and_an_unknown_column_are_refused(ask: Ask) -> None:
    for first, second, error in (
        ("humid", "humid", BadInput),
        ("humid", "time_hour", BadInput),
        ("humid", "nope", NotFound),
    ):
        with pytest.raises(error):
            ask(first, second)
