"""Profiles as cells: short, right, and never wider than the pane."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data import Column
from lemnis.engine.explore import ClassFigures, Findings, Histogram, Note, Profile, TopValue
from lemnis.engine.explore.profile import Extreme
from lemnis.tui.format import figure
from lemnis.tui.stages.explore import rows
from lemnis.tui.stages.explore.detail import Closer, detail_content
from lemnis.tui.stages.explore.multiples import bars, multiples_lines
from lemnis.tui.widgets.cells import plain

HANGUL = "서울특별시 강남구 역삼동 테헤란로"
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
        "notes": [Note(word="skewed", detail="A long tail.", act=False)],
        "findings": Findings(
            classes=[
                ClassFigures(name="no", rows=120, missing=10, mean=2.5),
                ClassFigures(name="yes", rows=60, missing=0, mean=31.0),
            ],
            extremes=[
                Extreme(value=-43.0, row=6, key={"flight": "HA-51"}),
                Extreme(value=13010.0, row=7216, key={"flight": HANGUL}),
            ],
        ),
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
def test_a_detail_never_has_a_line_of_figures_beyond_the_pane(width: int, compact: bool) -> None:
    labels = Histogram(
        labels=["x" * 30, "[b]", HANGUL], counts=[9, 1, 3], by_class={HANGUL: [9, 0, 1], "yes": [0, 1, 2]}
    )
    classes = [ClassFigures(name=name, rows=9, missing=1, mean=None) for name in (HANGUL, "yes")]
    wide = profile(type="string", histogram=labels, quantiles={}, notes=[], findings=Findings(classes=classes))
    for each in (profile(notes=[]), wide, profile(quantiles={}, histogram=Histogram(), top=[], notes=[])):
        for line in detail_content(each, Closer("분류" * 20, each), width, compact=compact).split("\n"):
            assert line.cell_length <= width


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 70), st.integers(1, 5))
def test_upright_bars_fit_and_a_bin_with_rows_is_seen(parts: list[float], cells: int, lines: int) -> None:
    drawn = bars(parts, cells, lines, 1.0)
    assert len(drawn) == lines
    assert {len(line) for line in drawn} == {len(drawn[0])}
    assert len(drawn[0]) <= max(cells, 1)
    if len(parts) <= cells:
        each = len(drawn[0]) // len(parts)
        assert [drawn[-1][place * each] != " " for place in range(len(parts))] == [part > 0 for part in parts]


def test_classes_stand_beside_each_other_on_one_scale_or_below_each_other_where_it_is_narrow() -> None:
    beside = [line.plain for line in multiples_lines(profile(), "late", 58)]
    assert beside[0].startswith("by late")
    assert beside[1].split() == ["█", "no", "▒", "yes"]
    assert [line.split("  ")[0] for line in beside[-3:]] == ["120 rows", "mean 2.500", "missing 8.3%"]
    assert [line.rstrip().split("  ")[-1] for line in beside[-3:]] == ["60 rows", "mean 31", "missing 0"]
    below = [line.plain for line in multiples_lines(profile(), "late", 76, stacked=True)]
    assert len(below) == 3
    assert below[1].startswith("█ no")
    assert below[1].endswith("missing 8.3%")
    assert {len(line) for line in below[1:]} == {76}
    assert multiples_lines(profile(findings=Findings()), "", 58) == []


def test_the_farthest_values_stand_with_their_rows_and_keys() -> None:
    text = detail_content(profile(), Closer("", profile()), 80).plain
    assert "   −43      7  HA-51" in text
    assert f"13,010  7,217  {HANGUL}" in text
    old = profile(findings=Findings(extremes=[Extreme(value=-43.0, row=6)]))  # kept before keys were
    assert "−43    7" in detail_content(old, Closer("", old), 80).plain


def test_only_what_asks_to_act_has_a_mark() -> None:
    quiet = rows.notes_cell(profile(missing=0))
    assert plain(quiet) == "skewed"
    notes = [
        Note(word="drifted", detail="d"),
        Note(word="spellings", detail="s"),
        Note(word="zeros", detail="z", act=False),
    ]
    loud = rows.notes_cell(profile(missing=100, notes=notes, findings=Findings(association=0.02, drift=0.3)))
    assert plain(loud) == "▲ missing 50% · drift 0.30 · spellings · zeros · tells 2% of the target"


def test_a_column_without_a_profile_has_no_figures() -> None:
    row = rows.column_row(Column(name="delay", type="timestamp[us, tz=UTC]", role="time"), None)
    assert [plain(cell) for cell in row.cells][:3] == ["delay", "timestamp time", "–"]
    assert row.values[2] is None


def test_a_column_says_its_figures_and_sorts_by_them() -> None:
    row = rows.column_row(Column(name="delay", type="int64"), profile())
    assert [plain(cell).strip() for cell in row.cells] == [
        "delay", "int64", "10.0 ▰▱▱▱▱", "3", "−43", "−2", "13,010", "█▄", "missing 10% · skewed",
    ]  # fmt: skip
    assert row.values == ["delay", "int64", 0.1, 3, -43.0, -2.0, 13010.0, 4.8, pytest.approx(0.3)]


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
    text = detail_content(profile(), Closer("late", profile()), 80).plain
    assert "10 rows above 50, not drawn" in text
    assert "75.0%" in text  # yes, of the labelled rows of the second bin
