"""A sample: bounded, spread over the whole version, in order of time, and only of the parts that are asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import Unavailable
from lemnis.engine.features import sampling
from lemnis.engine.features.jobs import rank
from lemnis.engine.features.sampling import read_sample, spread
from lemnis.engine.jobs.context import JobContext

ROWS = 200_000


@pytest.fixture
def version(engine: Engine) -> Version:
    at = np.datetime64("2013-01-01T00:00:00", "ms") + np.arange(ROWS) * np.timedelta64(60, "s")
    table = pa.table({"at": pa.array(at), "x": np.arange(ROWS), "y": np.arange(ROWS) % 2})
    split = {"train": ("2013-01-01", "2013-03-01"), "test": ("2013-03-01", "2013-06-01")}
    return record_version(engine.store, table, name="t", roles={"at": "time", "y": "label"}, split=split)


def test_a_sample_is_bounded_spread_evenly_and_in_order(version: Version) -> None:
    x = read_sample(version, ["x"], most=1000).column("x").to_numpy()
    assert len(x) == pytest.approx(1000, abs=5)
    assert (np.diff(x) > 0).all()
    assert np.histogram(x, bins=4, range=(0, ROWS))[0] == pytest.approx(250, abs=60)
    assert read_sample(version, ["x"], most=1000).column("x").to_numpy().tolist() == x.tolist()


def test_all_rows_are_a_sample_of_themselves(version: Version) -> None:
    assert read_sample(version, ["x"], most=ROWS * 2).column("x").to_numpy().tolist() == list(range(ROWS))


def test_rows_of_other_parts_are_never_read(version: Version) -> None:
    x = read_sample(version, ["x"], most=10_000, parts=["train"]).column("x").to_numpy()
    assert len(x) == pytest.approx(10_000, abs=5)
    assert x.max() < 59 * 1440  # minutes of January and February


def test_few_row_groups_are_read_of_many(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spread(list(range(100)), 4) == [0, 33, 66, 99]
    assert spread([3, 5], 4) == [3, 5]
    monkeypatch.setattr(sampling, "MOST_GROUPS", 2)
    x = read_sample(version, ["x"], most=1000).column("x").to_numpy()
    assert set((x // 65_536).tolist()) == {0, 3}


@pytest.mark.slow
def test_the_test_rows_are_not_looked_at(engine: Engine, flights: Any, recorded: Callable[..., Version]) -> None:
    split = {"train": ("2013-01-01", "2013-03-01"), "test": ("2013-03-01", "2013-05-01")}
    version = recorded(flights.select(["humid", "sched_dep_time", "late", "time_hour"]), split=split)
    rank(JobContext.for_test(engine.store), {})
    ranking = engine.features.ranking(version.id)
    assert ranking is not None
    assert max(ranking.folds) < "2013-02-20"
    assert ranking.folds[-1].endswith("to 2013-02-28")
    assert ranking.sample_rows == version.part("train").rows


def test_a_version_whose_file_is_gone_says_so(version: Version) -> None:
    version.path.unlink()
    with pytest.raises(Unavailable, match="is gone"):
        read_sample(version, ["x"], most=10)
