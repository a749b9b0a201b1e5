"""Sheets of real workbooks."""

import datetime
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from lemnis.engine.errors import BadInput

DAY = datetime.datetime(2026, 1, 2)
NOON = datetime.datetime(2026, 1, 2, 12, 30)


def workbook(path: Path, **sheets: list[list[Any]]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, datetime.datetime):
                        sheet.write_datetime(number, column, cell, moment if cell.hour else day)
                    elif cell is not None:
                        sheet.write(number, column, cell)


def test_a_sheet_is_a_table_with_the_types_of_its_cells(desk: Any) -> None:
    rows = [
        [],
        ["이름", "n", "x", "day", "at", "ok", "mixed"],
        ["김", 1, 1.5, DAY, NOON, True, 7],
        [],
        ["박", 2, None, None, DAY, False, "일곱"],
    ]
    workbook(desk.root / "고객.xlsx", 표=rows)
    desk.declare(sources={"table": {"path": "고객.xlsx", "format": "excel"}})
    desk.sync()
    assert desk.types() == {
        "이름": "string", "n": "int64", "x": "double", "day": "date32[day]", "at": "timestamp[us]", "ok": "bool",
        "mixed": "string",
    }  # fmt: skip
    assert desk.rows() == [
        {"이름": "김", "n": 1, "x": 1.5, "day": DAY.date(), "at": NOON, "ok": True, "mixed": "7"},
        {"이름": "박", "n": 2, "x": None, "day": None, "at": DAY, "ok": False, "mixed": "일곱"},
    ]


def test_of_several_sheets_one_must_be_named(desk: Any) -> None:
    workbook(desk.root / "t.xlsx", one=[["a"], [1]], two=[["b"], [2]])
    desk.declare(sources={"table": {"path": "t.xlsx", "format": "excel"}})
    with pytest.raises(BadInput, match="has 2 sheets") as refused:
        desk.sync()
    assert "one, two" in refused.value.remedy
    desk.declare(sources={"table": {"path": "t.xlsx", "format": "excel", "sheet": "two"}})
    desk.sync()
    assert desk.rows() == [{"b": 2}]


def test_of_merged_cells_the_first_has_the_value(desk: Any) -> None:
    with xlsxwriter.Workbook(str(desk.root / "t.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.merge_range(1, 0, 2, 0, "both")
        sheet.write(1, 1, 1)
        sheet.write(2, 1, 2)
    desk.declare(sources={"table": {"path": "t.xlsx", "format": "excel"}})
    desk.sync()
    assert desk.rows() == [{"a": "both", "b": 1}, {"a": None, "b": 2}]


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "empty"), ([["a", "a"], [1, 2]], "stands twice"), ([["a", None], [1, 2]], "column 2 has no name")],
)
def test_a_sheet_that_is_no_table_is_refused(desk: Any, rows: list[list[Any]], words: str) -> None:
    workbook(desk.root / "t.xlsx", one=rows)
    desk.declare(sources={"table": {"path": "t.xlsx", "format": "excel"}})
    with pytest.raises(BadInput, match=words):
        desk.sync()


@pytest.mark.parametrize("damage", ["text", "half", "bomb"])
def test_what_is_no_workbook_is_refused(desk: Any, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lemnis.engine.data.excel.MOST_UNPACKED", 8 << 20)
    path = desk.root / "t.xlsx"
    workbook(path, one=[["a"], [1]])
    if damage == "text":
        path.write_text("a\n1\n")
    elif damage == "half":
        path.write_bytes(path.read_bytes()[:-500])
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x", "w") as member:
            for _ in range(9):
                member.write(bytes(1 << 20))
    desk.declare(sources={"table": {"path": "t.xlsx", "format": "excel"}})
    with pytest.raises(BadInput, match=r"no workbook|unpacks to"):
        desk.sync()
