"""Features as cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.features import FeatureScore, FeatureSet, Spread
from lemnis.tui.stages.features import rows
from lemnis.tui.widgets.cells import drawable

LOSS = Spread(mean=0.01, deviation=0.002, low=0.008, high=0.012)
SCORE = FeatureScore(name="hour", kind="numeric", missing=0.25, importance={"permutation": LOSS}, single=0.7)


@pytest.mark.parametrize("width", [40, 78, 120])
def test_every_width_shows_name_loss_single_and_verdict(width: int) -> None:
    columns = rows.columns_for(width)
    assert {"feature", "permutation", "single", "verdict"} <= {column.name for column in columns}
    row = rows.score_row(SCORE, columns, (0, 0.02))
    assert len(row.cells) == len(columns) == len(row.values)
    assert next(drawable(cell).plain for cell in row.cells) == "hour"


def test_an_interval_is_drawn_on_the_scale_of_all_rows() -> None:
    assert rows.interval_cell(Spread(mean=0.5, low=0.0, high=1.0), (0.0, 1.0), 5).plain == "──●──"
    assert rows.interval_cell(Spread(mean=0.5, low=0.25, high=0.75), (-1.0, 1.0), 9).plain == "    ┊─●─ "
    assert rows.interval_cell(Spread(mean=0.0), (0.0, 0.0), 3).plain == "●  "
    assert rows.interval_cell(None, (0.0, 1.0)).plain == "–"


def test_groups_have_letters_and_their_representative_a_star() -> None:
    assert [rows.letter(number) for number in (1, 26, 27, 703)] == ["A", "Z", "AA", "AAA"]
    kept = FeatureScore(name="a", kind="numeric", missing=0, group=2)
    assert rows.group_cell(kept).plain == "B★"
    assert rows.group_cell(FeatureScore(name="a", kind="numeric", missing=0)).plain == "·"


def test_a_set_names_what_was_added_and_taken_out() -> None:
    chosen = FeatureSet(name="base", features=["a", "b"], who="ada", at=1)
    assert "not saved: +c, −b" in rows.set_title(chosen, ["a", "c"], 9)[1].plain
    assert rows.set_title(chosen, ["b", "a"], 9)[1].plain.endswith("2 of 9 columns, chosen by ada")


@given(st.text(max_size=60), st.floats(0, 1), st.none() | st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_any_name_and_any_number_can_be_drawn(name: str, missing: float, loss: list[float] | None) -> None:
    low, mean, high = sorted(loss or [0.0, 0.0, 0.0])
    importance = {} if loss is None else {"permutation": Spread(mean=mean, low=low, high=high)}
    score = FeatureScore(name=name, kind="numeric", missing=missing, importance=importance, leakage=name, doubt=name)
    columns = rows.columns_for(200)
    for cell in rows.score_row(score, columns, rows.reach_of([score])).cells:
        assert "\x1b" not in drawable(cell).plain
    assert "\x1b" not in rows.verdict_content(score).plain
