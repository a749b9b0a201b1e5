# pyright: basic

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lemnis.engine import Engine
from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor import Bins, Window
from lemnis.tui.stages.monitor import explain, rows
from lemnis.tui.widgets.cells import plain


@pytest.fixture
def windows(engine: Engine) -> list[Window]:
    return engine.monitor.windows("late")


def texts(row: Any) -> list[str]:
    return [plain(cell) for cell in row.cells]


def test_a_window_says_rows_labels_verdict_and_auc_against_the_held_out_rows(
    engine: Engine, windows: list[Window]
) -> None:
    grid = engine.monitor.grid(windows)
    assert texts(rows.window_row(windows[2], grid, wide=False)) == [
        "2013-09", "28,002", "✖ drift", "wind␛[31m KS 0.30/0.05", "0.640", "▼ −0.110",
    ]  # fmt: skip
    assert len(rows.window_row(windows[2], grid, wide=True).cells) == len(rows.WINDOWS_WIDE)


def test_a_change_within_its_sampling_error_is_called_even(windows: list[Window]) -> None:
    even = replace(windows[0], roc_auc=0.746)
    assert plain(rows.against(even)) == "≈ −0.004"
    assert plain(rows.against(replace(even, roc_auc=0.80))) == "▲ +0.050"
    assert plain(rows.against(replace(even, roc_auc=None))) == "–"


def test_an_open_window_has_an_ellipsis_and_no_figure_it_does_not_have(engine: Engine, windows: list[Window]) -> None:
    early = replace(windows[2], closed=False, rows=0, labelled=0, max_psi=None, roc_auc=None, verdict="no data")
    row = rows.window_row(early, engine.monitor.grid(windows), wide=False)
    assert texts(row) == ["2013-09 …", "0", "○ no data", "–", "–", "–"]


@pytest.mark.parametrize(
    ("start", "end", "long", "short"),
    [
        ("2013-07-01", "2013-08-01", "2013-07", "Jul 13"),
        ("2013-07-01", "2013-07-08", "2013-07-01", "07-01"),
        ("2013-07-01T14:00", "2013-07-01T15:00", "2013-07-01 14h", "14h"),
    ],
)
def test_a_window_is_named_by_its_width(windows: list[Window], start: str, end: str, long: str, short: str) -> None:
    window = replace(windows[0], starts=parse_ms(start), ends=parse_ms(end))
    assert (rows.span_label(window), rows.short_label(window)) == (long, short)


def test_the_heat_strip_says_verdicts_without_colour(engine: Engine, windows: list[Window]) -> None:
    strip = rows.heat_rows(engine.monitor.grid(engine.monitor.windows("late")), windows)
    assert [texts(row) for row in strip][1] == ["wind␛[31m", "70%", "  0.01", "▲ 0.06", "✖ 0.30"]
    assert [column.label for column in rows.heat_columns(windows)] == ["feature", "gain", "Jul 13", "Aug 13", "Sep 13"]


@given(st.integers(10, 200), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_distributions_fit_into_their_width(width: int, shares: list[float]) -> None:
    feature = FEATURE(Bins(labels=[f"bin {n}" for n in range(len(shares))], reference=shares, current=shares[::-1]))
    drawn = rows.bins_content(feature, width)
    assert all(line.cell_length <= max(width, 40) for line in drawn.split("\n"))


def FEATURE(bins: Bins) -> Any:
    from lemnis.engine.monitor import FeatureDrift

    return FeatureDrift(
        window_id=1,
        feature="wind",
        kind="numeric",
        method="kolmogorov_smirnov",
        score=0.12,
        psi=0.3,
        jensen_shannon=0.2,
        kolmogorov_smirnov=0.12,
        chi_square=None,
        wasserstein=0.31,
        p=1e-9,
        p_adjusted=2e-8,
        suspected=True,
        threshold=0.25,
        rule="Drift when …",
        verdict="drift",
        importance=0.5,
        missing_share=0.0,
        reference_missing_share=0.0,
        bins=bins,
    )


@pytest.mark.parametrize(("width", "count"), [(40, 6), (70, 7), (120, 9)])
def test_features_have_the_columns_that_fit(engine: Engine, width: int, count: int) -> None:
    columns = rows.feature_columns(width)
    assert len(columns) == count
    feature = engine.monitor.features(3)[0]
    assert len(rows.feature_row(feature, engine.monitor.grid(engine.monitor.windows("late")), columns).cells) == count


def test_what_k_says_names_the_rule_and_its_source(engine: Engine, windows: list[Window]) -> None:
    config = engine.config()
    title, text = explain.feature(engine.monitor.features(3)[0])
    assert title == "Drift of wind\x1b[31m"
    assert "effect = 0.05 of [monitor]" in text
    assert "KS 0.305 (from 0.050)" in text
    assert "Wasserstein 0.610 sd" in text
    assert "100 runs of three past windows of 20,000 training rows" in explain.window(windows[2])[1]
    assert "17,080 of 28,002 rows (61.0%)" in explain.window(windows[2])[1]
    said = explain.alert(engine.monitor.alerts()[0], config.alerts)[1]
    assert "auc_low: ROC AUC below 0.7 for one complete window (page)" in said
    assert "drift_up" in explain.alert(None, config.alerts)[1]
