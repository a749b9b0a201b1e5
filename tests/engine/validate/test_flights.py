"""The real orphans of the real flights, counted a second time by queries that share nothing with the engine."""

from pathlib import Path

import duckdb
import pytest

from lemnis.engine.data import DataRoom
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(flights: Store) -> dict[str, CheckResult]:
    room = ValidateRoom(flights)
    return {result.name: result for result in room.results(room.run().id)}


def ask(folder: Path, sql: str) -> tuple[int, ...]:
    """Ask the CSV files, every column as text."""
    connection = duckdb.connect()
    for name in ("flights", "airlines", "airports", "planes"):
        connection.execute(f"create view {name} as from read_csv('{folder}/{name}.csv', all_varchar = true)")
    return connection.execute(sql).fetchone() or ()


def test_planes_that_no_registry_has(results: dict[str, CheckResult], flights_csv: Path) -> None:
    found = results["tailnum_known"]
    counted = ask(
        flights_csv,
        """select count(*), count(distinct f.tailnum) from flights f left join planes p on f.tailnum = p.tailnum
           where p.tailnum is null and f.tailnum <> 'NA' and f.tailnum <> ''""",
    )
    assert (found.failing, found.distinct) == counted == (50_094, 721)
    assert found.total == ask(flights_csv, "select count(*) from flights where tailnum not in ('NA', '')")[0]
    assert (found.verdict, found.severity) == ("warn", "warn")


def test_destinations_that_no_airport_has(results: dict[str, CheckResult], flights_csv: Path) -> None:
    found = results["dest_known"]
    counted = ask(flights_csv, "select count(*), count(distinct dest) from flights anti join airports on dest = faa")
    assert (found.failing, found.distinct) == counted == (7_602, 4)
    assert found.verdict == "fail"
    assert [offender.value for offender in found.top] == ["SJU", "BQN", "STT", "PSE"]
    assert sum(offender.rows for offender in found.top) == found.failing


def test_what_holds_passes(results: dict[str, CheckResult], flights_csv: Path) -> None:
    for name in ("rows", "carrier_known", "origin_codes", "plan_complete", "flight_unique"):
        assert (results[name].verdict, results[name].failing) == ("pass", 0), name
    assert results["rows"].total == ask(flights_csv, "select count(*) from flights")[0] == 336_776
    assert ask(flights_csv, "select count(*) from flights anti join airlines using (carrier)") == (0,)


def test_allowed_rows_are_fine_and_still_counted(results: dict[str, CheckResult]) -> None:
    found = results["tailnum_present"]
    assert (found.verdict, found.failing, found.allowed) == ("pass", 2_512, 3_000)


def test_a_column_that_is_gone_is_loud(results: dict[str, CheckResult]) -> None:
    found = results["renamed"]
    assert (found.verdict, found.failing, found.total) == ("not evaluated", None, None)
    assert "distance is" in found.message


def test_a_sample_shows_the_checked_column_first(results: dict[str, CheckResult]) -> None:
    sample = results["distance_range"].sample
    assert sample.columns[0] == "distance"
    assert sample.rows[0][0] == 17
    assert len(results["tailnum_known"].sample.rows) == 20


def test_a_run_counts_its_verdicts_worst_first(flights: Store, results: dict[str, CheckResult]) -> None:
    run = ValidateRoom(flights).run()
    assert (run.passed, run.warned, run.failed, run.not_evaluated) == (6, 3, 1, 1)
    assert [result.verdict for result in results.values()][:2] == ["fail", "not evaluated"]
    assert run.short_of


def test_every_failing_row_can_be_paged_and_exported(flights: Store, tmp_path: Path) -> None:
    room = ValidateRoom(flights)
    page = room.failures("tailnum_known", offset=50_090, limit=10)
    assert (page.total, len(page.rows), page.columns[0]) == (50_094, 4, "tailnum")
    assert len(room.failures("long_delays", limit=3).rows) == 3
    assert room.export("dest_known", tmp_path / "dest.csv") == 7_602
    codes = duckdb.sql(f"select distinct dest from read_csv('{tmp_path}/dest.csv') order by 1").fetchall()
    assert codes == [("BQN",), ("PSE",), ("SJU",), ("STT",)]
    assert room.export("long_delays", tmp_path / "long.jsonl") == len(
        (tmp_path / "long.jsonl").read_text().splitlines()
    )


def test_the_first_failing_rows_are_the_first_of_the_file(
    flights: Store, results: dict[str, CheckResult], flights_csv: Path
) -> None:
    for name, column, missing in (
        ("dest_known", "dest", "select faa from airports"),
        ("tailnum_known", "tailnum", "select tailnum from planes where tailnum is not null"),
    ):
        connection = duckdb.connect()
        for table in ("airports", "planes"):
            connection.execute(f"create view {table} as from read_csv('{flights_csv}/{table}.csv', all_varchar = true)")
        path = DataRoom(flights).version().path
        wanted = connection.execute(
            f"""select {column}, month, day, carrier, flight from read_parquet('{path}', file_row_number = true)
                where {column} is not null and {column} not in ({missing}) order by file_row_number limit 20"""
        ).fetchall()
        sample = results[name].sample
        places = [sample.columns.index(each) for each in (column, "month", "day", "carrier", "flight")]
        assert [tuple(row[place] for place in places) for row in sample.rows] == wanted
