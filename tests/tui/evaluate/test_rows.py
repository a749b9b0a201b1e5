"""Evaluations as cells and lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.evaluate import Contribution, Evaluation, Explanation, Month
from lemnis.tui.stages.evaluate import rows
from lemnis.tui.stages.evaluate.waterfall import waterfall_lines

numbers = st.floats(-50, 50).map(lambda value: round(value, 3))


def measured(part: str, **metrics: float) -> Evaluation:
    return Evaluation(run_id=1, version_id="v", part=part, rows=10, metrics=dict(metrics), created_at=1)


def test_a_gap_is_how_much_poorer_later_rows_are_whichever_end_is_better() -> None:
    assert rows.gap("roc_auc", 0.8, 0.7) == pytest.approx(0.1)
    assert rows.gap("log_loss", 0.4, 0.5) == pytest.approx(0.1)
    assert rows.gap("positive_share", 0.4, 0.5) is None
    assert rows.gap_content("roc_auc", 0.1, 0.8).plain == "▲ −0.100"
    assert rows.gap_content("roc_auc", -0.01, 0.8).plain == "+0.010"


def test_the_measures_stand_side_by_side_with_their_gap() -> None:
    evaluations = [measured("train", roc_auc=0.8, recall=0.5), measured("test", roc_auc=0.7, recall=0.45)]
    columns = rows.metric_columns(["train", "test"], 60)
    assert [column.name for column in columns] == ["measure", "train", "test", "gap"]
    auc, recall = rows.metric_rows(evaluations, columns)
    assert list(auc.cells[:3]) == ["ROC AUC", "0.800", "0.700"]
    assert list(recall.cells[:3]) == ["recall", "50.0%", "45.0%"]


def test_every_measure_a_gate_can_name_has_a_title() -> None:
    assert rows.title_of("roc_auc_gap") == "ROC AUC gap"
    assert rows.title_of("worst_month_log_loss") == "log loss, worst month"
    assert rows.title_of("latency_p99_ms") == "one row p99 ms"


def test_the_worst_month_is_named_and_a_month_without_a_measure_is_a_dash() -> None:
    months = [
        Month(name=name, rows=9, part="", positive_share=0.2, metrics={"roc_auc": value})
        for name, value in (("2013-07", 0.7), ("2013-08", None))
    ]
    lines = [line.plain for line in rows.month_lines(months, "2013-07", "roc_auc", 80)]
    assert "▲ worst" in lines[0]
    assert " – " in lines[1]


steps = st.lists(st.tuples(st.text(max_size=50), st.text(max_size=50), numbers), min_size=1, max_size=30)


@settings(deadline=None)
@given(steps, numbers, st.integers(40, 200), st.integers(4, 40))
def test_a_waterfall_fits_its_width_and_ends_at_the_sum(
    parts: list[tuple[str, str, float]], bias: float, width: int, most: int
) -> None:
    total = bias + sum(amount for _, _, amount in parts)
    explanation = Explanation(
        run_id=1, version_id="v", key="k", row=0, kind="asked", score=0.5, raw=total, bias=bias, answer="late",
        actual="", contributions=[Contribution(feature=f, value=v, amount=a) for f, v, a in parts],
    )  # fmt: skip
    lines = waterfall_lines(explanation, width, most)
    assert len(lines) <= most + 3
    assert all(line.cell_length <= max(width, 40) + 2 for line in lines[1:])
    assert rows.number(total) in lines[-1].plain or abs(total) < 0.001
    assert not any("\x1b" in line.plain for line in lines)
