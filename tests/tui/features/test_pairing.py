"""Two columns side by side as text: clouds, boxes and tables of any numbers and names."""

import math

from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.features.records import Box, PairDetail
from lemnis.tui.stages.features.heat import words_of
from lemnis.tui.stages.features.pairing import drawn_box, pair_content, shade

MEASURES = {"pearson": 0.5, "spearman": 0.61, "cramers_v": None, "ratio": None, "information": 0.2}
COMMON = {"first": "a", "second": "b\x1b[2J", "measure": "spearman", "measures": MEASURES, "rows": 12, "missing": 3}


def test_a_cloud_rises_upwards_and_has_its_axes() -> None:
    detail = PairDetail(**COMMON, grid=[[0, 9], [1, 0]], across=[0.0, 5.0], up=[-1.0, 1.0])
    lines = pair_content(detail).plain.split("\n")
    assert "Pearson 0.5000   Spearman 0.6100   mutual information 0.2000" in lines[0]
    assert lines[1] == "12 sampled rows, 3 more lack one of them"
    assert lines[4].endswith("1 │ █")
    assert lines[5].endswith("−1 │▒ ")
    assert "\x1b" not in pair_content(detail).plain


def test_a_box_has_its_five_quantiles_in_place() -> None:
    assert drawn_box([0, 2, 5, 7, 10], 0, 10, 11) == "├─▒▒▒┃▒▒──┤"
    assert drawn_box([3, 3, 3, 3, 3], 3, 3, 4) == "┃   "
    box = Box(name="[b]\x1b", rows=7, quantiles=[0, 1, 2, 3, 4])
    assert "[b]␛" in pair_content(PairDetail(**COMMON, boxes=[box])).plain


def test_a_table_shows_shares_of_its_lines() -> None:
    detail = PairDetail(**COMMON, lines=["x", "others"], columns=["p", "others"], counts=[[3, 1], [0, 0]])
    text = pair_content(detail).plain
    assert "75.0%" in text
    assert "25.0%" in text
    assert text.count("others") == 1  # a line without rows is not shown


@given(st.floats(-1, 1) | st.just(math.nan))
def test_every_value_fits_its_cell(value: float) -> None:
    assert len(words_of(value)) <= 3


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_single_row_is_seen(count: int, most: int) -> None:
    assert (shade(min(count, most), most) == " ") == (count == 0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5).map(sorted))
def test_any_box_fits_its_scale(quantiles: list[float]) -> None:
    assert len(drawn_box(quantiles, quantiles[0], quantiles[-1], 36)) == 36
