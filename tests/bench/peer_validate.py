"""Runs the 15 checks of bench_validate.py with a peer, in the peer's own environment; prints one line of JSON.

usage: peer_validate.py great_expectations|pandera|soda FOLDER ROWS_LEAST ROWS_MOST MEMORY_BYTES
"""

import json
import logging
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

KEY = ["year", "month", "day", "sched_dep_time", "carrier", "flight", "origin", "dest"]
COLUMNS = [*KEY, "tailnum", "distance", "dep_delay"]
RANGES = {"month": (1, 12), "day": (1, 31), "distance": (1, 6000), "dep_delay": (-60, 1500)}
REFERENCES = {"carrier": ("airlines", "carrier"), "dest": ("airports", "faa"), "tailnum": ("planes", "tailnum")}


def frames(folder):
    import pandas as pd

    flights = pd.read_parquet(f"{folder}/flights.parquet", columns=COLUMNS)
    known = {
        column: list(pd.read_parquet(f"{folder}/{table}.parquet")[key]) for column, (table, key) in REFERENCES.items()
    }
    return flights, known


def great_expectations(folder, least, most):
    import great_expectations as gx
    import great_expectations.expectations as ge

    flights, known = frames(folder)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("flights")
    batch = asset.add_batch_definition_whole_dataframe("b")
    suite = gx.ExpectationSuite(name="s")
    wanted = [ge.ExpectTableRowCountToBeBetween(min_value=least, max_value=most)]
    wanted += [ge.ExpectColumnValuesToNotBeNull(column=name) for name in ("year", "carrier", "origin", "dest")]
    wanted += [ge.ExpectCompoundColumnsToBeUnique(column_list=KEY)]
    wanted += [ge.ExpectColumnValuesToBeInSet(column="origin", value_set=["EWR", "JFK", "LGA"])]
    wanted += [
        ge.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
        for name, (low, high) in RANGES.items()
    ]
    wanted += [ge.ExpectColumnValuesToMatchRegex(column="carrier", regex="^[A-Z0-9]{2}$")]
    wanted += [ge.ExpectColumnValuesToBeInSet(column=name, value_set=codes) for name, codes in known.items()]
    for expectation in wanted:
        suite.add_expectation(expectation)
    suite = context.suites.add(suite)
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=batch, suite=suite))
    started = time.perf_counter()
    results = validation.run(batch_parameters={"dataframe": flights}).results
    return time.perf_counter() - started, [result.success for result in results]


def pandera(folder, least, most):
    import pandera.pandas as pa

    flights, known = frames(folder)
    check = pa.Check
    schema = pa.DataFrameSchema(
        {
            "year": pa.Column(nullable=False),
            "carrier": pa.Column(checks=[check.str_matches(r"^[A-Z0-9]{2}$"), check.isin(known["carrier"])]),
            "origin": pa.Column(nullable=False, checks=check.isin(["EWR", "JFK", "LGA"])),
            "dest": pa.Column(nullable=False, checks=check.isin(known["dest"])),
            "tailnum": pa.Column(nullable=True, checks=check.isin(known["tailnum"])),
            **{name: pa.Column(nullable=True, checks=check.in_range(*ends)) for name, ends in RANGES.items()},
        },
        checks=check(lambda frame: least <= len(frame) <= most),
        unique=KEY,
    )
    started = time.perf_counter()
    failed = set()
    try:
        schema.validate(flights, lazy=True)
    except pa.errors.SchemaErrors as error:
        failed = set(map(tuple, error.failure_cases[["column", "check_number"]].drop_duplicates().astype(str).values))
    # the table of failing cases is part of the work: nothing else says which checks and which rows failed
    return time.perf_counter() - started, [True] * (15 - len(failed)) + [False] * len(failed)


def soda(folder, least, most):
    import duckdb
    from soda.scan import Scan

    started = time.perf_counter()
    connection = duckdb.connect(config={"threads": 2})
    for table in ("flights", "airlines", "airports", "planes"):
        connection.execute(f"create view {table} as select * from '{folder}/{table}.parquet'")
    lines = [f"  - row_count between {least} and {most}"]
    lines += [f"  - missing_count({name}) = 0" for name in ("year", "carrier", "origin", "dest")]
    lines += [f"  - duplicate_count({', '.join(KEY)}) = 0"]
    lines += ["  - invalid_count(origin) = 0:", "      valid values: [EWR, JFK, LGA]"]
    for name, (low, high) in RANGES.items():
        lines += [f"  - invalid_count({name}) = 0:", f"      valid min: {low}", f"      valid max: {high}"]
    lines += ["  - invalid_count(carrier) = 0:", "      valid regex: '^[A-Z0-9]{2}$'"]
    lines += [f"  - values in ({name}) must exist in {table} ({key})" for name, (table, key) in REFERENCES.items()]
    scan = Scan()
    scan.disable_telemetry()
    scan.add_duckdb_connection(connection)
    scan.set_data_source_name("duckdb")
    scan.add_sodacl_yaml_str("checks for flights:\n" + "\n".join(lines))
    scan.execute()
    return time.perf_counter() - started, [check.outcome.name == "PASS" for check in scan._checks]


if __name__ == "__main__":
    peer, folder, least, most, memory = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    seconds, passed = globals()[peer](folder, int(least), int(most))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("\n" + json.dumps({"seconds": seconds, "passed": sum(passed), "of": len(passed), "bytes": peak}), flush=True)
    os._exit(0)
