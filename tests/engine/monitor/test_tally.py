import math
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.records import PREDICTION
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.schema.sentences import schema_changes
from lemnis.engine.monitor.spans import WIDTHS, Spans, Width, span_of
from lemnis.engine.monitor.tally import Binning, Tally, count_rows

Rows: TypeAlias = "list[tuple[list[Any], float]]"  # Any: what a request held

NUMBER = Binning(name="n", kind="numeric", edges=[1.0, 2.0], counts=[5, 5, 5, 0], low=0.0, high=3.0)
TEXT = Binning(name="t", kind="categorical", categories=["a"], known=["a", "b"], counts=[9, 3, 1], nullable=True)
TRUTH = Binning(name="b", kind="numeric", edges=[0.5], counts=[4, 4, 0], low=0.0, high=1.0, logical=True)
SCORE = Binning(name=PREDICTION, kind="prediction", edges=[0.5], counts=[6, 6, 0])
BINNINGS = [NUMBER, TEXT, TRUTH, SCORE]
REFERENCE = Reference(
    model="m",
    version=1,
    dataset="d v1",
    rows=15,
    task="binary",
    threshold=0.5,
    binnings=BINNINGS,
    importance={"n": 0.6, "t": 0.3, "b": 0.1},
    held_out="validation",
    held_out_rows=12,
)

cells = st.tuples(
    st.none() | st.floats(-5, 5) | st.integers(-5, 5) | st.just("x") | st.booleans(),
    st.none() | st.sampled_from("abcdef") | st.integers(0, 3),
    st.none() | st.booleans() | st.just(1),
)
rows_of = st.lists(st.tuples(cells.map(list), st.floats(0, 1) | st.just(math.nan)), max_size=30)


def tally(rows: Rows) -> Tally:
    return count_rows(BINNINGS, [row for row, _ in rows], [score for _, score in rows], 0.5)


@given(rows_of, rows_of)
def test_rows_counted_in_two_goes_are_the_rows_counted_at_once(one: Rows, two: Rows) -> None:
    apart, together = tally(one) + tally(two), tally(one + two)
    assert apart.rows == together.rows == len(one) + len(two)
    for name, column in together.columns.items():
        assert apart.columns[name] == column
    assert apart.score_sum == pytest.approx(together.score_sum)
    assert (apart.positives, apart.scored) == (together.positives, together.scored)


@given(rows_of)
def test_every_row_has_one_bin_in_each_feature(rows: Rows) -> None:
    for binning in BINNINGS:
        column = tally(rows).columns[binning.name]
        assert sum(column.counts) == len(rows)
        assert len(column.counts) == len(binning.counts) == len(binning.labels)


def test_the_shape_of_the_rows_is_told_in_sentences() -> None:
    rows: list[list[Any]] = [
        [9.0, "zz", True],
        [-1, None, None],
        ["nine", "a", 1],
        [None, "b", False],
        [1.5, "\x1b[31m", True],
    ]
    said = schema_changes(REFERENCE, tally([(row, 0.5) for row in rows]) + Tally(malformed=2))
    assert said == [
        "2 rows have another number of features",
        "n: 1 rows hold no number",
        "n: 1 rows are missing; training had none",
        "n: down to -1; training began at 0",
        "n: up to 9; training ended at 3",
        "t: 2 rows in categories training did not see: zz (1), ␛[31m (1)",
        "b: 1 rows hold no truth value",
        "b: 1 rows are missing; training had none",
    ]


def test_rows_of_another_width_are_counted_but_in_no_column() -> None:
    found = tally([([1.0, "a"], 0.9), ([1.0, "a", True], 0.1)])
    assert (found.rows, found.malformed) == (2, 1)
    assert sum(found.columns["n"].counts) == 1
    assert sum(found.columns[PREDICTION].counts) == 2


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(WIDTHS))
def test_windows_tile_time(ms: int, width: Width) -> None:
    start, end = span_of(ms, width)
    assert start <= ms < end
    assert span_of(end, width)[0] == end
    assert span_of(start, width) == (start, end)
    assert Spans(width).start(ms) == start
