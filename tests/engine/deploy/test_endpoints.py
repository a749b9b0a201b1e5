"""What lemnis.toml declares of an endpoint is what it gets."""

from collections.abc import Callable

import pytest
from late_flights import CONFIG, Bench, Trained


def test_an_endpoint_has_as_many_workers_as_lemnis_toml_says(
    make_bench: Callable[..., Bench], first_model: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(f'{CONFIG}[endpoints.late]\nmodel = "late"\nworkers = 3\n')
    monkeypatch.setattr(bench.room.jobs, "ensure_supervisor", lambda: None)
    bench.room.register(bench.add_run(first_model), "late", "ada", "to serve")
    bench.room.promote("late", 1, "champion", "ada", "first")
    assert bench.room.start_endpoint("late", "late").wanted_workers == 3
    assert bench.room.start_endpoint("late", "late", workers=2).wanted_workers == 2
    assert bench.room.start_endpoint("other", "late").wanted_workers == 1
    assert bench.room.start_endpoint("late", "late").wanted_workers == 3
