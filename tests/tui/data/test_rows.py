from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data import Column, LinkReport, Orphan, Part, TimeTravel, Version
from lemnis.tui.stages.data import details, rows
from lemnis.tui.widgets.cells import plain


def report(**changes: object) -> LinkReport:
    facts = {
        "position": 1, "source": "planes", "keys": {"tailnum": "tailnum"}, "rows_in": 1000, "rows_out": 1000,
        "matched": 844, "null_keys": 6, "orphan_rows": 150, "orphan_keys": 7, "unused_keys": 0, "duplicate_keys": 0,
        "fan_out": {0: 156, 1: 844}, "orphan_sample": [Orphan(key=["N725MQ"], rows=100), Orphan(key=["N1"], rows=1)],
    }  # fmt: skip
    return LinkReport(**facts | changes)  # type: ignore[arg-type]


def version(**changes: object) -> Version:
    columns = [Column(name="x", type="int64"), Column(name="late", type="bool", role="label")]
    facts = {
        "id": "4547a99c" * 8, "name": "flights", "number": 3, "rows": 336_776, "bytes": 11_211_869,
        "columns": columns, "path": Path("/x"), "snapshots": {}, "recipe": "", "repeated_keys": 0, "created_at": 0,
        "linked_at": 0, "label_counts": {"false": 75, "true": 25},
        "split": {"train": Part(start=0, end=86_400_000, rows=10, labelled=9)},
    }  # fmt: skip
    return Version(**facts | changes)  # type: ignore[arg-type]


def texts(row: object) -> list[str]:
    return [plain(cell) for cell in row.cells]  # type: ignore[attr-defined]


def test_a_link_says_what_it_matched_and_what_not() -> None:
    assert texts(rows.link_row(report())) == ["planes", "━━━━━━━━──", "84.4%", "150", "7", "6", "0", "1"]


def test_a_link_that_multiplies_rows_is_marked_with_a_sign() -> None:
    many = report(rows_out=1500, fan_out={1: 500, 2: 500}, duplicate_keys=3)
    assert texts(rows.link_row(many))[-1] == "▲ 2"
    assert ("▲ rows", "the join added 500 rows: a key stands more than once") in [
        (label, plain(value)) for label, value in details.link_facts(many)
    ]


@given(st.floats(0, 1), st.integers(2, 40))
def test_the_bar_is_full_only_when_every_row_matched(rate: float, width: int) -> None:
    text = rows.rate_bar(rate, width).plain
    assert len(text) == width
    assert ("─" in text) == (rate < 1)


def test_orphans_come_with_a_bar_and_none_vanishes() -> None:
    most, least = rows.orphan_rows(report())
    assert texts(most)[:2] == ["N725MQ", "100"]
    assert len(texts(least)[2]) == 1


def test_a_version_shows_its_parts_and_its_label() -> None:
    assert texts(rows.version_row(version())) == ["flights v3", "336,776", "2", "train 10"]
    facts = {label: plain(value) for label, value in details.version_facts(version())}
    assert facts["label"] == "late: false 75.0%, true 25.0%"
    assert facts["train"] == "10 rows, 9 labelled, until 1970-01-02"


def test_the_columns_with_a_role_come_first() -> None:
    assert [row.key for row in rows.column_rows(version())] == ["late", "x"]


@pytest.mark.parametrize(("repeated", "text"), [(0, "id: unique"), (3, "id: ▲ 3 rows repeat one")])
def test_a_key_that_is_not_unique_says_so(repeated: int, text: str) -> None:
    keyed = version(columns=[Column(name="id", type="int64", role="key")], repeated_keys=repeated)
    assert ("key", text) in [(label, plain(value)) for label, value in details.version_facts(keyed)]


def test_an_asof_link_says_what_was_not_in_time_and_how_old_it_took() -> None:
    late = report(kind="asof", untimely_rows=40, ages={"min": 0.0, "p50": 3600.0, "p95": 7200.0, "max": 9000.0})
    facts = {label: plain(value) for label, value in details.link_facts(late)}
    assert facts["on"] == "tailnum = planes.tailnum, the latest in time"
    assert facts["in time"] == "40 rows have the key, but no row early or young enough"
    assert facts["age"] == "median 1h 00m, 95% 2h 00m, most 2h 30m"


def test_a_link_that_knows_the_future_is_marked_with_a_sign() -> None:
    travel = TimeTravel(column="seen_at", rows=10, of=40, most_seconds=60.0)
    facts = {label: plain(value) for label, value in details.link_facts(report(travel=[travel]))}
    assert facts["▲ future"] == "seen_at is later than the decision in 10 of 40 joined rows (25.0%), by up to 1m 00s"
    assert "▲ future" not in dict(details.link_facts(report()))
