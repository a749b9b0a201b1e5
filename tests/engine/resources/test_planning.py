"""The law of planning: exact on what it can express, honest on what it can't, and never absurd outside."""

import math
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import do_train, make_engine
from support import engine_at

from lemnis.engine.config import Infrastructure, Pool
from lemnis.engine.resources.planning.law import Measured, Sizes, estimate, fitted_law, half_width, outside, tried
from lemnis.engine.resources.planning.plan import Asked, Grounds, Holds, plan_of

HOLDS = Holds(cores=2, memory_bytes=2**30, disk_free_bytes=2**33, machine_cores=2, prices=Pool())


def seconds(sizes: Sizes) -> float:
    work = sizes.rows * sizes.columns * sizes.rounds * math.log2(sizes.leaves)
    return 1.5 + 1e-9 * work / sizes.cores**0.85 + 4e-7 * sizes.rows * sizes.columns


def drawn(rng: random.Random, count: int, noise: float) -> list[Measured]:
    """Trainings of a known law with noise on the logarithm."""

    def between(low: float, high: float) -> int:
        return round(math.exp(rng.uniform(math.log(low), math.log(high))))

    found: list[Measured] = []
    for _ in range(count):
        sizes = Sizes(
            rows=between(2000, 200_000), columns=between(4, 40), rounds=between(20, 300), leaves=between(7, 127),
            cores=rng.choice((1.0, 2.0)),
        )  # fmt: skip
        took = seconds(sizes) * math.exp(rng.gauss(0, noise))
        peak = 2e8 + 12 * sizes.rows * sizes.columns
        found.append(Measured(sizes=sizes, seconds=took, peak_bytes=peak * math.exp(rng.gauss(0, noise / 5))))
    return found


def test_a_law_without_noise_is_found_and_holds_ten_times_beyond_what_was_measured() -> None:
    law = fitted_law(drawn(random.Random(1), 30, 0), "seconds")
    assert law.speedup == 0.85
    large = Sizes(rows=2_000_000, columns=20, rounds=100, leaves=31, cores=2)
    assert estimate(law, large).likely == pytest.approx(seconds(large), rel=0.1)
    assert set(outside(law, large)) == {"rows"}


def test_noisy_trainings_are_told_within_a_quarter_and_the_interval_covers_what_it_says() -> None:
    rng = random.Random(2)
    trials = [tried(fitted_law(drawn(rng, 24, 0.15), "seconds"), drawn(rng, 40, 0.15)) for _ in range(6)]
    assert max(trial.error or 0 for trial in trials) < 0.25
    assert 0.7 < sum(trial.covered or 0 for trial in trials) / len(trials) < 0.95
    memory = tried(fitted_law(drawn(rng, 24, 0.15), "peak_bytes"), drawn(rng, 40, 0.15))
    assert (memory.error or 0) < 0.06


def test_one_training_that_met_a_busy_machine_moves_nothing() -> None:
    calm = drawn(random.Random(3), 24, 0.02)
    slow = [*calm[:-1], Measured(sizes=calm[-1].sizes, seconds=20 * calm[-1].seconds, peak_bytes=1e9)]
    asked = calm[0].sizes
    assert estimate(fitted_law(slow, "seconds"), asked).likely == pytest.approx(seconds(asked), rel=0.1)


@given(st.integers(1, 3), st.integers(0, 10**6))
def test_few_trainings_give_a_wide_interval_around_them(count: int, seed: int) -> None:
    few = drawn(random.Random(seed), count, 0)
    law = fitted_law(few, "seconds")
    span = estimate(law, few[0].sizes)
    assert span.low < span.likely < span.high
    assert span.high / span.low >= 8.9
    assert all(one >= 0 for one in law.coefficients)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_half_an_interval_reaches_four_of_five_residuals(found: list[float]) -> None:
    found.sort()
    assert sum(one <= half_width(found) for one in found) >= 0.8 * len(found)


@given(st.integers(0, 10**6), st.integers(2, 12))
def test_more_rows_never_take_less(seed: int, count: int) -> None:
    law = fitted_law(drawn(random.Random(seed), count, 0.3), "seconds")
    some = Sizes(rows=1000, columns=10, rounds=100)
    more = Sizes(rows=50_000, columns=10, rounds=100)
    assert estimate(law, some).likely <= estimate(law, more).likely


ASKED = Asked(
    sizes=Sizes(rows=100_000, columns=20, rounds=100),
    preset="default",
    known="",
    version_cells=3_000_000,
    cadence="weekly",
)


def test_what_does_not_fit_is_said() -> None:
    grounds = Grounds(trainings={"cpu": drawn(random.Random(4), 12, 0.02)}, cell_bytes=[4000.0], core_us=[2e5])
    small = Holds(cores=0.5, memory_bytes=10**8, disk_free_bytes=10**9, machine_cores=2, prices=Pool())
    plan = plan_of(msgspec.structs.replace(ASKED, peak_per_s=100.0), grounds, small)
    assert [problem.partition(",")[0].split(" needs")[0].split(" may")[0] for problem in plan.problems] == [
        "preset default asks for 1 cores", "a training on cpu", "the kept versions", "the peak",
    ]  # fmt: skip
    assert plan.serving.cores is not None
    assert plan.serving.cores.likely == pytest.approx(100 / 5 / 0.7)


def test_cost_is_of_time_memory_and_energy_by_the_declared_prices() -> None:
    grounds = Grounds(trainings={"cpu": drawn(random.Random(5), 12, 0)})
    prices = Pool(price_core_hour=3600.0, price_kwh=3600.0, watts_core=1000.0)
    holds = Holds(cores=2, memory_bytes=2**34, disk_free_bytes=None, machine_cores=2, prices=prices)
    device = plan_of(ASKED, grounds, holds).devices[0]
    assert device.seconds is not None
    assert device.cost is not None
    # A second of a core costs 1, and the watt hours that it draws 1/3.6 of a kWh at 3600 a kWh.
    assert device.cost.likely == pytest.approx(device.seconds.likely * (1 + 1))
    assert plan_of(ASKED, grounds, HOLDS).devices[0].cost is None


def test_an_empty_workspace_says_that_nothing_was_measured(tmp_path: Path) -> None:
    plan = engine_at(tmp_path / "empty").resources.plan()
    assert plan.devices[0].why == "no training was measured on this machine yet"
    assert plan.storage.version_bytes is None
    assert "declare [infrastructure] rows" in plan.asked.known


def test_a_version_without_columns_is_no_measure_of_a_cell(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "bare")
    with engine.store.write() as db:
        db.execute(
            """insert into versions (id, name, number, rows, bytes, columns, snapshots, recipe, split, target_summary,
                 repeated_keys, created_at, linked_at)
               values ('a', 'flights', 1, 9, 9, '[]', '{}', '', '{}', '{}', 0, 0, 0)"""
        )
    assert engine.resources.plan().storage.version_bytes is None


def test_a_training_of_this_workspace_is_what_the_next_plan_rests_on(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "small")
    for rounds in (5, 10):
        do_train(engine, engine.experiments.start(overrides={"rounds": rounds}))
    with engine.store.write() as db:
        db.execute(
            "update jobs set attempts = 1, started_at = created_at - 2000, ended_at = created_at, state = 'running'"
        )
        db.execute("update jobs set state = 'finished'")
    plan = engine.resources.plan()
    assert plan.devices[0].count == 2
    assert plan.devices[0].seconds is not None
    assert plan.devices[0].seconds.likely == pytest.approx(2.0, rel=0.2)
    assert plan.asked.sizes.columns == 3
    many = engine.resources.plan(Infrastructure(rows=10_000_000, cadence="hourly"))
    assert many.devices[0].beyond["rows"] > 1000
    assert engine.resources.plan(Infrastructure(rows=10_000_000, cadence="hourly")) is many
