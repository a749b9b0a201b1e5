from typing import Any

import msgspec
import pytest

from lemnis.engine.config import parse_config
from lemnis.engine.monitor.schema.edits import diff_of, migrated
from lemnis.engine.monitor.schema.migrate import with_migration
from lemnis.engine.monitor.schema.records import Finding

TEXT = """# flights
[sources.weather]
path = "weather.csv" # hourly
null = ["NA"]

[[checks]]
name = "origin_codes"
kind = "code_list"
column = "origin"
values = ["EWR"]

[[checks]]
name = "dest_codes"
kind = "code_list"
column = "dest"
codes = "airports"

[[checks]]
name = "complete"
kind = "not_null"
columns = ["origin", "temp"]

[[checks]]
name = "wind_there"
kind = "not_null"
source = "weather"
column = "wind"

[[checks]]
name = "temp_range"
kind = "range"
column = "temp"
min = 0
max = 100

[code_lists.airports]
codes = ["ABQ", { code = "OLD", end = "2013-01-01" }]
"""


def finding(**facts: Any) -> Finding:
    usual = {"kind": "code", "column": "origin", "source": "requests", "of": 10}
    return with_migration(msgspec.convert(usual | facts, Finding), parse_config(TEXT))


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ({"examples": ["JFK", "EWR"]}, ['-values = ["EWR"]', '+values = ["EWR", "JFK"]']),
        (
            {"column": "dest", "examples": ["ACK", "OLD"]},
            [
                '-codes = ["ABQ", { code = "OLD", end = "2013-01-01" }]',
                '+codes = ["ABQ", { code = "OLD", end = "2013-01-01" }, "ACK"]',
            ],
        ),
        ({"kind": "nullability"}, ['-columns = ["origin", "temp"]', '+columns = ["temp"]']),
        (
            {"kind": "range", "column": "temp", "examples": ["-4", "120.5"]},
            ["-min = 0", "-max = 100", "+min = -4", "+max = 120.5"],
        ),
        (
            {"kind": "renamed", "source": "weather", "column": "wind", "new_name": "wind speed", "conversion": [2, 1]},
            ['+rename = {"wind speed" = "wind"}', "+scale = {wind = {factor = 0.5, offset = -0.5}}"],
        ),
        (
            {"kind": "type", "source": "weather", "column": "temp", "was": "numbers from 0 to 9", "now": "text",
             "examples": ["n/a"], "evidence": "99.0% of the values read as numbers"},
            ['-null = ["NA"]', '+null = ["NA", "n/a"]'],
        ),
    ],
)  # fmt: skip
def test_what_is_proposed_changes_these_lines_alone(facts: dict[str, Any], lines: list[str]) -> None:
    one = finding(**facts)
    changed = [line for line in diff_of(TEXT, one.edits).splitlines()[2:] if line[0] in "+-"]
    assert changed == lines
    after = migrated(TEXT, one.edits)
    parse_config(after)
    assert diff_of(after, one.edits) == ""


def test_a_check_that_looks_at_nothing_else_goes() -> None:
    one = finding(kind="nullability", source="weather", column="wind")
    assert "wind_there" not in migrated(TEXT, one.edits)


def test_a_check_of_the_dataset_is_no_check_of_a_column_it_does_not_take() -> None:
    assert finding(source="weather", examples=["HPN"]).edits == []
    assert finding(source="weather", column="o", feature="origin", examples=["HPN"]).edits[0].target == "origin_codes"


def test_the_form_of_requests_is_their_senders_to_mend() -> None:
    one = finding(kind="renamed", column="wind", new_name="wind\x1b", conversion=[2.0, 0.0])
    assert one.edits == []
    assert one.advice == "Ask the sender to call wind␛ wind again, value × 0.5."
