"""Features as cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.features import FeatureScore, FeatureSet
from lemnis.tui.stages.features import rows
from lemnis.tui.widgets.cells import drawable

SCORE = FeatureScore(name="hour", kind="numeric", missing=0.25, gain_share=0.5, permutation=0.01, single=0.7)


@pytest.mark.parametrize("width", [40, 78, 120])
def test_every_width_shows_name_gain_single_and_leakage(width: int) -> None:
    columns = rows.columns_for(width, "ROC AUC")
    assert {"feature", "gain", "single", "leakage"} <= {column.name for column in columns}
    row = rows.score_row(SCORE, columns, 1.0)
    assert len(row.cells) == len(columns) == len(row.values)
    assert next(drawable(cell).plain for cell in row.cells) == "hour"


def test_the_largest_gain_fills_its_bar_and_none_is_a_dash() -> None:
    assert rows.gain_cell(0.5, 0.5).plain == "██████  50.0"
    assert rows.gain_cell(0.25, 0.5).plain == "███     25.0"
    assert rows.gain_cell(None, 0.5).plain == "–"


def test_a_set_names_what_was_added_and_taken_out() -> None:
    chosen = FeatureSet(name="base", features=["a", "b"], who="ada", at=1)
    assert "not saved: +c, −b" in rows.set_title(chosen, ["a", "c"], 9)[1].plain
    assert rows.set_title(chosen, ["b", "a"], 9)[1].plain.endswith("2 of 9 columns, chosen by ada")


@given(st.text(max_size=60), st.floats(0, 1), st.none() | st.floats(0, 1))
def test_any_name_and_any_share_can_be_drawn(name: str, missing: float, gain: float | None) -> None:
    score = FeatureScore(name=name, kind="numeric", missing=missing, gain_share=gain, leakage=name)
    columns = rows.columns_for(200, "R²")
    for cell in rows.score_row(score, columns, 1.0).cells:
        assert "\x1b" not in drawable(cell).plain
    assert "\x1b" not in rows.leakage_content(score).plain
