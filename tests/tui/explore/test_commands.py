"""`lemnis explore`: profiles and rows as one JSON document or as an aligned table."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lemnis.engine import Engine
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted

Answer = tuple[int, str, str]
Lemnis = Callable[..., Answer]


@pytest.fixture
def lemnis(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Lemnis:
    def command(*arguments: str) -> Answer:
        code = run(hoisted(["-w", str(engine.workspace.root), "explore", *arguments]))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_profile_that_is_there_is_told_without_a_job(lemnis: Lemnis) -> None:
    code, out, err = lemnis("profile", "--json")
    found = json.loads(out)
    assert (code, err, found["job"], found["rows"]) == (0, "", None, 900)
    assert found["classes"] == {"false": 630, "true": 180}
    delay = next(column for column in found["columns"] if column["name"] == "delay")
    assert sum(delay["histogram"]["counts"]) == 900
    assert list(delay["histogram"]["by_class"]) == ["false", "true"]


def test_for_people_a_profile_is_a_table_with_its_class_balance(lemnis: Lemnis) -> None:
    _, out, _ = lemnis("profile", "v1")
    assert out.startswith("trips v1: 900 rows; late: false 77.8%, true 22.2%\n")
    assert "2013-01-19" in out  # the median of the times
    assert "\x1b" not in out


def test_rows_are_sorted_filtered_and_paged(lemnis: Lemnis) -> None:
    found = json.loads(
        lemnis("rows", "--where", "carrier = 'B6'", "--sort", "id", "--descending", "--limit", "2", "--json")[1]
    )
    assert (found["total"], [row[0] for row in found["rows"]]) == (300, [898, 895])
    _, out, _ = lemnis("rows", "--offset", "898", "--limit", "10")
    assert "rows 898 to 900 of 900" in out


def test_what_is_missing_together_is_told(lemnis: Lemnis) -> None:
    found = json.loads(lemnis("missing", "--json")[1])
    assert (found["exact"], found["candidates"], found["total"]) == (True, ["gust", "late"], 3)
    assert found["patterns"] == [
        {"columns": ["gust"], "rows": 450},
        {"columns": [], "rows": 360},
        {"columns": ["late"], "rows": 90},
    ]
    assert "of all rows" in lemnis("missing")[1]


def test_one_column_in_full_by_the_label_or_by_another_column(lemnis: Lemnis) -> None:
    _, out, _ = lemnis("column", "delay")
    assert out.startswith("delay of trips v1: feature, double, 900 rows\n")
    assert "▲ tells too much" in out
    assert "by late" in out
    found = json.loads(lemnis("column", "delay", "--by", "carrier", "--json")[1])
    classes = [(one["name"], one["rows"]) for one in found["drawn"]["findings"]["classes"]]
    assert classes == [("UA", 300), ("B6", 300), ("[bold]\x1b[2J", 300)]
    assert (found["by"], found["profile"]["missing"], found["extremes"]) == ("carrier", 0, [])
    code, _, err = lemnis("column", "nothing")
    assert (code, "no column 'nothing'" in err) == (2, True)


def test_a_wrong_condition_or_version_is_bad_input(lemnis: Lemnis) -> None:
    code, out, err = lemnis("rows", "--where", "nope > 1", "--json")
    assert (code, out) == (2, "")
    assert "nope" in json.loads(err)["error"]["message"]
    assert lemnis("rows", "v9")[0] == 2
    assert lemnis("rows", "--sort", "nope")[0] == 2


def test_several_conditions_must_all_hold_and_columns_can_be_chosen(lemnis: Lemnis) -> None:
    words = ("--where", "carrier = B6", "--where", "gust is missing", "--columns", "id,gust", "--limit", "1", "--json")
    found = json.loads(lemnis("rows", *words)[1])
    assert (found["total"], found["columns"], found["rows"]) == (150, ["id", "gust"], [[1, None]])


def test_rows_are_exported_once(lemnis: Lemnis, tmp_path: Path) -> None:
    target = tmp_path / "late.csv"
    code, out, _ = lemnis("rows", "--where", "late = true", "--columns", "id", "--export", str(target))
    assert (code, out) == (0, f"180 rows are in {target}.\n")
    assert target.read_text().splitlines()[:2] == ['"id"', "4"]
    assert lemnis("rows", "--export", str(target))[0] == 2


def test_the_values_of_a_column_are_counted_under_conditions(lemnis: Lemnis) -> None:
    found = json.loads(lemnis("values", "gust", "--where", "carrier = UA", "--json")[1])
    assert (found["rows"], found["missing"], found["distinct"]) == (300, 150, 7)
    assert found["values"][0] == {"value": None, "rows": 150, "share": 0.5, "cumulative": 0.5}
    assert "3 of 3; 3 distinct values in 900 rows" in lemnis("values", "carrier")[1]
    assert lemnis("values", "carrier", "--search", "^u", "--csv")[1].split() == [
        "value,rows,share,cumulative",
        f"UA,300,{1 / 3},{1 / 3}",
    ]
    assert "10 to 15" in lemnis("values", "delay", "--bins", "--by", "value")[1]
    assert lemnis("values", "nope")[0] == 2
