"""Each kind of check on small tables: what fails it, what it does not speak of, and when it can't be evaluated."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine.config import parse_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, ConfigError
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs
from lemnis.engine.validate.compile import Compiled
from lemnis.engine.validate.records import Count
from lemnis.engine.validate.runner import Runner
from lemnis.engine.workspace import create_workspace

Run = Callable[..., CheckResult]


def test_missing_values_are_only_the_business_of_not_null(check: Run) -> None:
    found = check('kind = "code_list"\ncolumn = "x"\nvalues = ["a"]', {"x": ["a", None, "b"]})
    assert (found.failing, found.total, found.verdict) == (1, 2, "fail")


def test_not_null_over_several_columns_counts_a_row_once(check: Run) -> None:
    found = check('kind = "not_null"\ncolumns = ["x", "y"]', {"x": [1, None, None], "y": [1, None, 2]})
    assert (found.failing, found.total) == (2, 3)


def test_unique_counts_every_row_that_shares_its_key(check: Run) -> None:
    table = {"a": [1, 1, 1, 2, None, None], "b": ["x", "x", "y", "x", "x", "x"]}
    found = check('kind = "unique"\ncolumns = ["a", "b"]', table)
    assert (found.failing, found.total, found.distinct) == (2, 4, 1)
    assert [(offender.value, offender.rows) for offender in found.top] == [("1 · x", 2)]
    assert found.sample.rows == [[1, "x"], [1, "x"]]


def test_a_code_list_of_numbers_compares_numbers(check: Run) -> None:
    found = check('kind = "code_list"\ncolumn = "x"\nvalues = ["1", "2.0"]', {"x": [1.0, 2.0, 3.0]})
    assert (found.failing, found.top[0].value) == (1, "3.0")


UNKNOWN = {"x": [0.0, float("nan"), -1.0, None, 2.0]}


def test_not_a_number_is_outside_no_range(check: Run) -> None:
    found = check('kind = "range"\ncolumn = "x"\nmin = 0', UNKNOWN)
    assert (found.failing, found.total) == (1, 3)


def test_not_a_number_is_a_missing_value(check: Run) -> None:
    # DuckDB holds no row of such a column for NaN: what must not pass would.
    found = check('kind = "not_null"\ncolumn = "x"', UNKNOWN)
    assert (found.failing, found.total, found.verdict) == (2, 5, "fail")


@pytest.mark.parametrize(("bounds", "failing"), [("min = 5", 2), ("max = 2", 1), ("min = 3\nmax = 3", 0)])
def test_a_row_count_says_how_far_off_it_is(check: Run, bounds: str, failing: int) -> None:
    found = check(f'kind = "row_count"\n{bounds}', {"x": [1, 2, 3]})
    assert (found.failing, found.total) == (failing, 3)
    assert not found.listable


def test_a_reference_between_types_compares_text(check: Run) -> None:
    planes = pa.table({"id": ["1", "2", None]})
    found = check('kind = "reference"\ncolumn = "x"\nreference = "planes.id"', {"x": [1, 3, None]}, planes=planes)
    assert (found.failing, found.total, found.top[0].value) == (1, 2, "3")


def test_a_check_may_be_about_a_source(check: Run) -> None:
    planes = pa.table({"id": ["1", "1"]})
    found = check('kind = "unique"\nsource = "planes"\ncolumn = "id"', {"x": [1]}, planes=planes)
    assert (found.source, found.failing) == ("planes", 2)


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ('kind = "not_null"\ncolumn = "y"', "The column y is not in the dataset"),
        ('kind = "not_null"\ncolumn = "x"\nsource = "planes"', "planes has no snapshot"),
        ('kind = "reference"\ncolumn = "x"\nreference = "planes.id"', "planes has no snapshot"),
        ('kind = "not_null"', "names no column"),
        ('kind = "row_count"', "needs min, max or both, or learned"),
        ('kind = "code_list"\ncolumn = "x"', "needs values"),
        ('kind = "range"\ncolumn = "word"\nmin = 1', "holds string, no numbers"),
        ('kind = "sql"\nquery = "select nope from data"', "nope"),
        ('kind = "sql"\nquery = "select 1; select 2"', "2 statements"),
        ('kind = "sql"\nquery = "copy data to \'/tmp/x.csv\'"', "this is COPY"),
        ('kind = "sql"\nquery = "select * from read_text(\'/etc/passwd\')"', "can't be read from"),
        ('kind = "sql"\nquery = "select x from data where random() < 0.5"', "random() is not allowed"),
        ('kind = "sql"\nquery = "select repeat(\'x\', 4000000000)"', "needed more than"),
    ],
)
def test_what_can_not_be_evaluated_says_why_and_is_never_green(check: Run, declaration: str, said: str) -> None:
    found = check(declaration, {"x": [1], "word": ["a"]})
    assert (found.verdict, found.failing) == ("not evaluated", None)
    assert said in found.message


def test_names_and_codes_are_never_sql(tmp_path: Path) -> None:
    names = ['a"b', "a'b", "; drop table data; --", "ä ö", "[/x]", "select"]
    codes = ["it's", '"', "\\", "; --", "$$"]
    declared = "".join(
        f'[[checks]]\nname = "c{place}"\nkind = "code_list"\n'
        f"column = {json.dumps(name, ensure_ascii=False)}\nvalues = {json.dumps(codes)}\n"
        for place, name in enumerate(names)
    )
    store = Store(create_workspace(tmp_path / "it", declared))
    record_version(store, pa.table({name: [*codes, "other"] for name in names}), name="it", roles={}, split={})
    run = jobs.run(JobContext.for_test(store), {})
    for found, name in zip(ValidateRoom(store).results(run["check_run"]), names, strict=True):
        assert (found.failing, found.top[0].value, found.sample.columns[0]) == (1, "other", name)


def test_a_sql_check_fails_by_every_row_it_lists(check: Run) -> None:
    found = check('kind = "sql"\nquery = "select x, x * 2 as twice from data where x > 1"', {"x": list(range(100))})
    assert (found.failing, found.total, len(found.sample.rows)) == (98, 100, 20)
    assert found.sample.columns == ["x", "twice"]


def test_a_scan_that_fails_takes_no_other_check_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("good", "bad", "better")
    declared = "".join(f'[[checks]]\nname = "{name}"\nkind = "not_null"\ncolumn = "x"\n' for name in names)
    store = Store(create_workspace(tmp_path / "it", declared))
    record_version(store, pa.table({"x": [1, None]}), name="it", roles={}, split={})
    scan = Runner._scan

    def failing(self: Runner, table: str, plans: list[Compiled], *, typed: bool = False) -> dict[str, Count]:
        if any(plan.check.name == "bad" for plan in plans):
            raise BadInput("Conversion Error: nothing fits.")
        return scan(self, table, plans, typed=typed)

    monkeypatch.setattr(Runner, "_scan", failing)
    run = jobs.run(JobContext.for_test(store), {})
    found = {result.name: result for result in ValidateRoom(store).results(run["check_run"])}
    assert {name: result.verdict for name, result in found.items()} == {
        "good": "fail", "better": "fail", "bad": "not evaluated",
    }  # fmt: skip
    assert found["better"].sample.rows == [[None]]
    assert found["bad"].message == "Conversion Error: nothing fits."


def test_a_regex_judges_the_whole_value(check: Run) -> None:
    found = check('kind = "regex"\ncolumn = "x"\npattern = "[A-Z]{2}"', {"x": ["AB", "ABC", "a", None]})
    assert (found.failing, found.total, found.distinct) == (2, 3, 2)
    assert found.rule == "x matches [A-Z]{2}"


def test_a_condition_over_columns_says_nothing_where_it_is_unknown(check: Run) -> None:
    found = check('kind = "condition"\ncondition = "b > a"', {"a": [1, 2, None, 4], "b": [2, 1, 5, None]})
    assert (found.failing, found.total, found.typed) == (1, 2, True)
    assert found.sample.rows == [[2, 1]]


def test_a_condition_is_screened_like_any_typed_sql(check: Run) -> None:
    found = check('kind = "condition"\ncondition = "random() > 0.5"', {"a": [1]})
    assert (found.verdict, found.failing) == ("not evaluated", None)
    assert "random() is not allowed" in found.message


def test_a_range_of_times_has_days_as_bounds(check: Run) -> None:
    times = [datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, 1, tzinfo=UTC), None]
    found = check('kind = "range"\ncolumn = "at"\nmin = "2013-01-01"\nmax = "2014-01-01"', {"at": times})
    assert (found.failing, found.total) == (1, 2)


@pytest.mark.parametrize(("hours", "verdict"), [(1, "pass"), (49, "fail")])
def test_freshness_is_the_age_of_the_newest_time_that_is_not_in_the_future(
    check: Run, hours: int, verdict: str
) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(hours=hours), now - timedelta(days=9), now + timedelta(days=3)]
    found = check('kind = "freshness"\ncolumn = "at"\nmax_age = "2d"', {"at": times})
    assert (found.verdict, found.total) == (verdict, 1)
    assert "1 rows lie in the future" in found.message
    assert not found.listable


def test_freshness_without_any_time_is_not_evaluated(check: Run) -> None:
    found = check('kind = "freshness"\ncolumn = "at"\nmax_age = "2d"', {"at": pa.array([None], pa.timestamp("us"))})
    assert found.verdict == "not evaluated"


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ('error_if = "> 25%"', "warn"),
        ('error_if = "> 24%"', "fail"),
        ('error_if = ">= 25%"', "fail"),
        ('error_if = "> 5"\nwarn_if = "> 1"', "pass"),
        ('warn_if = "> 0"', "warn"),
        ('error_if = ">= 1"', "fail"),
        ('severity = "warn"\nallow = 0', "warn"),
        ("allow = 1", "pass"),
    ],
)
def test_thresholds_are_counts_or_shares(check: Run, limits: str, verdict: str) -> None:
    assert check(f'kind = "not_null"\ncolumn = "x"\n{limits}', {"x": [1, 2, 3, None]}).verdict == verdict


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ('error_if = "many"', "no threshold"),
        ('error_if = "> 101%"', "more than all rows"),
        ('error_if = "> 1%"\nallow = 3', "can't both hold"),
        ('codes = "nope"', "no code list 'nope'"),
        ('max_age = "soon"', "no age"),
        ('min = "2013-01-01"', "no number"),
        ("learned = true\nmin = 3", "without min and max"),
    ],
)
def test_a_declaration_that_contradicts_itself_names_its_line(declaration: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as refused:
        parse_config(f'[[checks]]\nname = "it"\nkind = "row_count"\n{declaration}\n')
    assert refused.value.place.startswith("lemnis.toml:")
