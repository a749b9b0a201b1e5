"""Validate: 15 checks on the flights, and on the flights of 30 years, against Great Expectations, Pandera and Soda.

Each line is one figure as JSON. All do the same checks on the same Parquet files, in turn, with two threads; a ratio is
the median of the turns' own ratios, above 1 where the first named takes longer. `floor` is one hand-written scan by
DuckDB that finds the same verdicts and 20 failing rows a check. `lemnis` is what a run of the checks does: verdicts,
counts, 20 failing rows a check and the most frequent offending values; `lemnis_kept` is the whole job, which also keeps
the identities of the failing rows, compares them with the run before and records everything. Great Expectations and
Pandera are spared reading the file, and all peers their imports. A peer that needs more than MEMORY or TIMEOUT_S says
so instead of a time; one that takes a minute is measured once.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from peer_validate import KEY, RANGES, REFERENCES

from lemnis.engine.config import Check
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.versions import record_version
from lemnis.engine.demo import data_folder
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import ValidateRoom, jobs
from lemnis.engine.validate.circumstances import Circumstances
from lemnis.engine.validate.runner import Runner
from lemnis.engine.validate.suggest import checks_toml
from lemnis.engine.validate.tables import table_columns
from lemnis.engine.workspace import create_workspace

TURNS, THREADS, YEARS = 5, 2, 30
MEMORY, TIMEOUT_S = 10 << 30, 300
HERE = Path(__file__).parent
PEERS = ("soda", "great_expectations", "pandera")
SAMPLE = 20
EXPECTED = (13, 2)  # checks that pass, and that fail: four airports and 721 planes are in no registry


def say(**figure: object) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    """Print every figure."""
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as name:
        folder = Path(name)
        rows = make_tables(folder / "year", 1)
        compare(folder / "year", rows, PEERS)
        if "--small" not in sys.argv:
            rows = make_tables(folder / "years", YEARS)
            compare(folder / "years", rows, PEERS)
    return 0


def make_tables(folder: Path, years: int) -> int:
    """Write the flights of a year as often as is asked for, each with years of its own, and their registries."""
    folder.mkdir()
    source = data_folder()
    subprocess.run(["unzip", "-qo", source / "flights.csv.zip", "flights.csv", "-d", folder], check=True)
    with duckdb.connect(config={"threads": THREADS, "memory_limit": "2GiB", "temp_directory": str(folder)}) as duck:
        for table in ("airlines", "airports", "planes"):
            duck.execute(
                f"copy (from read_csv('{source}/{table}.csv', nullstr = ['NA', ''])) to '{folder}/{table}.parquet'"
            )
        flights = f"read_csv('{folder}/flights.csv', nullstr = ['NA', ''])"
        duck.execute(f"create table one as from {flights}")
        duck.execute(f"""copy (select one.* replace (year + n as year) from range({years}) r(n), one)
                         to '{folder}/raw.parquet' (compression zstd, row_group_size 65536)""")
        return duck.execute("select count(*) from one").fetchall()[0][0] * years


def compare(folder: Path, rows: int, peers: Sequence[str]) -> None:
    """Run the checks with each in turn, and print seconds and ratios."""
    least, most = int(rows * 0.9), int(rows * 1.1)
    checks = the_checks(least, most)
    store = workspace_of(folder, checks)
    context = JobContext.for_test(store, cores=THREADS)
    ways: dict[str, Callable[[], float | str]] = {
        "floor": lambda: timed(lambda: floor(folder, least, most)),
        "lemnis": lambda: timed(lambda: ours(folder, checks)),
        "lemnis_kept": lambda: timed(lambda: jobs.run(context, {})),
        **{peer: lambda peer=peer: ask_peer(peer, folder, least, most) for peer in peers},
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    refused: dict[str, str] = {}
    for turn in range(TURNS if rows < 10**6 else 3):
        for name, way in ways.items():
            if name in refused or (name in PEERS and turn and taken[name][0] > 60):
                continue  # what takes a minute is measured once
            answer = way()
            if isinstance(answer, str):
                refused[name] = answer
            else:
                taken[name].append(answer)
    run = ValidateRoom(store).run()
    assert (run.passed, run.failed) == EXPECTED
    say(
        what=f"15 checks, {rows:,} rows",
        threads=THREADS,
        **{f"{name}_seconds": round(statistics.median(times), 3) for name, times in taken.items() if times},
        **{
            f"{name}_to_floor": ratio(times, taken["floor"])
            for name, times in taken.items()
            if times and name != "floor"
        },
        **{f"{name}_to_lemnis": ratio(taken[name], taken["lemnis"]) for name in peers if taken[name]},
        **{f"{name}_did_not": why for name, why in refused.items()},
    )
    store.close()


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the turns' own ratios; something measured once is set beside its own turn."""
    return round(statistics.median(one / other for one, other in zip(ones, others, strict=False)), 2)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def the_checks(least: int, most: int) -> list[Check]:
    """Return the 15 checks as a person declares them."""
    checks = [Check(name="rows", kind="row_count", min=least, max=most)]
    checks += [
        Check(name=f"{name}_there", kind="not_null", column=name) for name in ("year", "carrier", "origin", "dest")
    ]
    checks += [Check(name="key", kind="unique", columns=KEY)]
    checks += [Check(name="origin", kind="code_list", column="origin", values=["EWR", "JFK", "LGA"])]
    checks += [Check(name=name, kind="range", column=name, min=low, max=high) for name, (low, high) in RANGES.items()]
    checks += [Check(name="carrier", kind="regex", column="carrier", pattern="[A-Z0-9]{2}")]
    return checks + [
        Check(name=f"{name}_known", kind="reference", column=name, reference=f"{table}.{key}")
        for name, (table, key) in REFERENCES.items()
    ]


def workspace_of(folder: Path, checks: list[Check]) -> Store:
    """Return a workspace whose version is the flights of a folder, and whose sources are the registries."""
    store = Store(create_workspace(folder / "workspace", checks_toml(checks)))
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("airlines", "airports", "planes")}
    snapshots = {name: store_parquet(store.workspace, table).sha256 for name, table in tables.items()}
    with pq.ParquetFile(folder / "raw.parquet") as file:
        rows = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
        roles = dict.fromkeys(KEY, "key")
        version = record_version(store, rows, name="flights", roles=roles, split={}, snapshots=snapshots)
    (folder / "flights.parquet").symlink_to(version.file)
    return store


def ours(folder: Path, checks: list[Check]) -> None:
    """Run the checks as the job does, without what it keeps."""
    files = {name: folder / f"{name}.parquet" for name in ("airlines", "airports", "planes")}
    files["data"] = folder / "flights.parquet"
    runner = Runner(files, table_columns(files), around=Circumstances(now=0), threads=THREADS)
    results = runner.run(checks)
    runner.close()
    verdicts = [result.verdict for result in results]
    assert (verdicts.count("pass"), verdicts.count("fail")) == EXPECTED
    assert [len(result.sample.rows) for result in results if result.failing] == [SAMPLE, SAMPLE]


def floor(folder: Path, least: int, most: int) -> None:
    """Find the same verdicts and failing rows by hand: one scan, keys by hash, references by distinct value."""
    data = f"'{folder}/flights.parquet'"
    with duckdb.connect(config={"threads": THREADS}) as duck:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return duck.execute(sql).fetchall()

        ranges = ", ".join(
            f"count(*) filter ({name} not between {low} and {high}) = 0" for name, (low, high) in RANGES.items()
        )
        held = ask(
            f"""select count(*) between {least} and {most}, count(year) = count(*), count(carrier) = count(*),
                count(origin) = count(*), count(dest) = count(*),
                count(*) filter (origin not in ('EWR', 'JFK', 'LGA')) = 0, {ranges} from {data}"""
        )[0]
        hashes = f"select hash({', '.join(KEY)}) as h from {data} group by h having count(*) > 1"
        found = [*held, not ask(f"select 1 from ({hashes}) limit 1")]
        codes = f"select distinct carrier as c from {data}"
        found.append(not ask(f"select 1 from ({codes}) where not regexp_full_match(c, '[A-Z0-9]{{2}}') limit 1"))
        for column, (table, key) in REFERENCES.items():
            other = f"'{folder}/{table}.parquet'"
            values = f"select {column} as c, count(*) as n from {data} where {column} is not null group by 1"
            lost = ask(f"select c, n from ({values}) v anti join {other} o on o.{key} = v.c")
            found.append(not lost)
            if lost:
                where = f"{column} is not null and {column} not in (select {key} from {other})"
                rows = duck.sql(f"select * from {data} where {where} limit {SAMPLE}").to_arrow_table()
                assert len(rows) == SAMPLE
        assert (found.count(True), found.count(False)) == EXPECTED


def ask_peer(peer: str, folder: Path, least: int, most: int) -> float | str:
    """Return the seconds that a peer's own process took for the checks, or why it did not finish."""
    python = HERE.parents[1] / f"build/peers/{peer}/bin/python"
    arguments = [python, HERE / "peer_validate.py", peer, folder, str(least), str(most), str(MEMORY)]
    try:
        said = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {TIMEOUT_S} s"
    if said.returncode:
        last = (said.stderr.strip().splitlines() or [f"ended with {said.returncode}"])[-1]
        return f"within {MEMORY >> 30} GiB: {last[:120]}"
    answer = json.loads(said.stdout.splitlines()[-1])
    assert (answer["passed"], answer["of"]) == (EXPECTED[0], sum(EXPECTED)), answer
    return float(answer["seconds"])


if __name__ == "__main__":
    raise SystemExit(main())
