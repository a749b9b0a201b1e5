import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted

EVIL = "\x1b[2J[b]"
BEFORE = {"id": [1, 2, 3, 4], "delay": [1.0, 2.0, None, 4.0], "gate": ["A", "A", "게이트", EVIL], "old": [1, 1, 1, 1]}
AFTER = {"id": [2, 3, 4, 5], "delay": [2.0, 3.0, 4.5, 5.0], "gate": ["A", "B", EVIL, "A"]}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = engine_at(tmp_path_factory.mktemp("work") / "w")
    for table in (BEFORE, AFTER):
        record_version(opened.store, pa.table(table), name="flights", roles={"id": "key"}, split={})
    opened.jobs.ensure_supervisor()
    yield opened
    opened.jobs.stop_supervisor()


def lemnis(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(hoisted(["-w", str(engine.workspace.root), "data", "diff", *arguments, "--json"]))
    out, err = capsys.readouterr()
    return code, json.loads(out or err)


def said(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(hoisted(["-w", str(engine.workspace.root), "data", "diff", *arguments]))
    return code, capsys.readouterr().out


@pytest.mark.slow
def test_the_document_has_its_shape_and_the_other_way_round_is_its_mirror(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = lemnis(engine, capsys)
    assert code == 0
    assert set(found) == {
        "before", "after", "key", "added", "removed", "changed", "same", "repeated_before", "repeated_after",
        "identical", "columns",
    }  # fmt: skip
    assert (found["before"]["title"], found["after"]["rows"], found["key"]) == ("flights v1", 4, ["id"])
    assert (found["added"], found["removed"], found["changed"], found["same"]) == (1, 1, 2, 1)
    columns = {column["name"]: column for column in found["columns"]}
    assert set(columns["delay"]) == {
        "name", "role", "schema", "changed", "share", "filled", "emptied", "before", "after", "shift",
        "shift_deviations", "mean_change", "psi", "noise", "verdict", "bins", "new", "vanished", "new_codes",
        "vanished_codes",
    }  # fmt: skip
    delay, gate = columns["delay"], columns["gate"]
    assert (delay["changed"], delay["filled"], delay["mean_change"], delay["share"]) == (
        2,
        1,
        0.5,
        pytest.approx(2 / 3),
    )
    assert delay["before"] == {
        "type": "double", "missing": 1, "mean": pytest.approx(7 / 3), "deviation": pytest.approx(1.5275, abs=1e-4),
        "low": "1.0", "high": "4.0",
    }  # fmt: skip
    assert gate["new_codes"] == [{"value": "B", "rows": 1}]
    assert gate["vanished_codes"] == [{"value": "게이트", "rows": 1}]
    assert columns["old"]["schema"] == "removed"
    _, mirror = lemnis(engine, capsys, "v2", "v1", "--key", "id")
    assert (mirror["added"], mirror["removed"], mirror["changed"]) == (1, 1, 2)
    assert lemnis(engine, capsys, "1", "1")[1]["identical"]


@pytest.mark.slow
def test_rows_are_listed_by_kind_and_by_column_a_page_at_a_time(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    _, page = lemnis(engine, capsys, "--column", "delay")
    assert set(page) == {"before", "after", "key", "total", "offset", "rows"}
    assert page["rows"] == [
        {"change": "changed", "key": {"id": 3}, "before": {"delay": None}, "after": {"delay": 3.0}},
        {"change": "changed", "key": {"id": 4}, "before": {"delay": 4.0}, "after": {"delay": 4.5}},
    ]
    _, page = lemnis(engine, capsys, "--kind", "removed")
    assert page["rows"] == [
        {"change": "removed", "key": {"id": 1}, "before": {"delay": 1.0, "gate": "A", "old": 1}, "after": None}
    ]
    _, page = lemnis(engine, capsys, "--rows", "--offset", "1", "--limit", "2")
    assert (page["total"], [row["change"] for row in page["rows"]]) == (4, ["changed", "removed"])
    _, page = lemnis(engine, capsys, "--whole", "--rows")
    assert (page["total"], page["key"], page["rows"][0]["key"]) == (6, [], {})


@pytest.mark.slow
def test_people_read_counts_columns_and_rows_without_control_characters(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(engine, capsys)
    assert code == 0
    assert "flights v1 (4 rows) → flights v2 (4 rows)" in text
    assert "+ 1 added   − 1 removed   ~ 2 changed   = 1 same" in text
    assert "+B  −게이트" in text
    assert "old is gone" in text
    code, text = said(engine, capsys, "--rows")
    assert "changed  3   delay – → 3, gate 게이트 → B" in text
    assert "\x1b" not in text
    assert "whole rows: no key" in said(engine, capsys, "--whole")[1]
    assert "the two versions are the same, 4 rows" in said(engine, capsys, "v1", "v1", "--exit-code")[1]


def test_differing_is_1_only_when_asked_and_what_is_wrong_is_2(
    engine: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert lemnis(engine, capsys, "--exit-code")[0] == 1
    assert lemnis(engine, capsys, "v1", "v1", "--exit-code")[0] == 0
    for wrong, problem in (
        (["v9"], "No dataset version fits"),
        (["--key", "none"], "has no column 'none'"),
        (["--column", "none"], "Neither version has a column"),
        (["--column", "id"], "part of the key"),
        (["--kind", "moved"], "no kind 'moved'"),
        (["--export", str(tmp_path / "rows.xlsx")], "none of .csv"),
    ):
        code, refused = lemnis(engine, capsys, *wrong)
        assert (code, problem in refused["error"]["message"]) == (2, True), refused
    path = tmp_path / "rows.csv"
    assert lemnis(engine, capsys, "--kind", "changed", "--export", str(path))[1]["rows"] == 2
    assert path.read_text("utf-8").splitlines()[0].startswith('"change","id","delay before","delay after"')
