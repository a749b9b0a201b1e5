"""Profiles as cells: short, right, and never wider than the pane."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data import Column
from lemnis.engine.explore import Histogram, Note, Profile, TopValue
from lemnis.tui.format import figure
from lemnis.tui.stages.explore import rows
from lemnis.tui.stages.explore.detail import detail_content
from lemnis.tui.widgets.cells import plain

counts = st.lists(st.integers(0, 10**7), min_size=1, max_size=5)


def profile(**changes: object) -> Profile:
    given = {
        "position": 0,
        "name": "delay",
        "type": "int64",
        "role": "feature",
        "rows": 200,
        "missing": 20,
        "distinct": 3,
        "minimum": "-43",
        "maximum": "13010",
        "mean": 12.639,
        "deviation": 40.21,
        "skewness": 4.8,
        "quantiles": {
            "0.01": -12.0,
            "0.05": -9.0,
            "0.25": -5.0,
            "0.5": -2.0,
            "0.75": 11.0,
            "0.95": 88.0,
            "0.99": 191.0,
        },
        "top": [TopValue(value="-5", rows=100)],
        "histogram": Histogram(
            edges=[-50.0, 0.0, 50.0], counts=[120, 50], above=10, by_class={"no": [100, 10], "yes": [10, 30]}
        ),
        "notes": [Note(word="skewed", detail="A long tail.")],
    }
    return Profile(**(given | changes))  # type: ignore[arg-type]


@given(counts, st.integers(0, 10**6), st.integers(1, 80))
def test_a_bar_fits_its_room_and_what_is_there_is_seen(parts: list[int], unlabelled: int, room: int) -> None:
    whole = sum(parts) + unlabelled
    bar = rows.stacked(parts, max(1, whole), room, unlabelled)
    assert bar.cell_length == (room if whole else 0)
    small = rows.stacked(parts, 10**9, room, unlabelled)
    assert (1 if whole else 0) <= small.cell_length <= room


@given(st.lists(st.integers(0, 10**6), max_size=60), st.integers(1, 30))
def test_a_shape_is_blank_where_nothing_is(bins: list[int], cells: int) -> None:
    drawn = rows.shape(bins, cells)
    assert len(drawn) == min(cells, len(bins))
    assert bool(drawn.strip()) == any(bins)


@given(st.integers(36, 120), st.booleans())
def test_a_detail_never_has_a_bar_or_a_quantile_beyond_the_pane(width: int, compact: bool) -> None:
    wide = profile(histogram=Histogram(labels=["x" * 30, "[b]"], counts=[9, 1], by_class={"no": [9, 0], "yes": [0, 1]}))
    for each in (profile(), wide, profile(quantiles={}, histogram=Histogram(), top=[])):
        for line in detail_content(each, width, compact=compact).split("\n"):
            assert line.cell_length <= width


def test_a_column_without_a_profile_has_no_figures() -> None:
    row = rows.column_row(Column(name="delay", type="timestamp[us, tz=UTC]", role="time"), None)
    assert [plain(cell) for cell in row.cells][:3] == ["delay", "timestamp time", "–"]
    assert row.values[2] is None


def test_a_column_says_its_figures_and_sorts_by_them() -> None:
    row = rows.column_row(Column(name="delay", type="int64"), profile())
    assert [plain(cell).strip() for cell in row.cells] == [
        "delay", "int64", "10.0 ▰▱▱▱▱", "3", "−43", "−2", "13,010", "█▄", "▲ skewed · missing 10%",
    ]  # fmt: skip
    assert row.values == ["delay", "int64", 0.1, 3, -43.0, -2.0, 13010.0, 4.8, 0.45]


def test_categories_name_their_most_frequent_value_instead_of_ends() -> None:
    words = profile(type="string", quantiles={}, top=[TopValue(value="a[b]", rows=90)], minimum="a", maximum="z")
    row = rows.column_row(Column(name="delay", type="string"), words)
    assert [plain(cell) for cell in row.cells][4:7] == ["–", "a[b] 50%", "–"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(2013.0, "2013"), (-5.0, "−5"), (336776.0, "336,776"), (12.6391, "12.64"), (None, "–"), (float("nan"), "–")],
)
def test_a_figure_is_short(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_the_histogram_says_what_it_does_not_draw() -> None:
    text = detail_content(profile(), 80).plain
    assert "10 rows above 50, not drawn" in text
    assert "75.0%" in text  # yes, of the labelled rows of the second bin
