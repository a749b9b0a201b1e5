import pytest
from support import becomes, screen_text, settle
from textual.app import ComposeResult
from textual_plot import PlotWidget

from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets import Chart, Series


class Sheet(ThemedApp[None]):
    """One chart."""

    def compose(self) -> ComposeResult:
        yield Chart()


async def test_a_chart_that_is_being_left_draws_no_more() -> None:
    async with Sheet().run_test(size=(60, 12)) as pilot:
        chart = pilot.app.query_one(Chart)
        chart.show([Series("auc", [1, 2], [0.5, 0.7])])
        await settle(pilot)
        plot = chart.query_one(PlotWidget)
        await plot.query("*").remove()  # leaving takes the parts first
        plot.margin_left = 5
        chart.show([Series("auc", [1, 2, 3], [0.5, 0.7, 0.6])])
        await settle(pilot)
        await chart.query(".legend").remove()
        chart.show([])
        await settle(pilot)
        assert pilot.app.is_running


@pytest.mark.parametrize("width", [40, 61, 80])
async def test_the_newest_point_at_the_end_of_the_axis_is_drawn(width: int) -> None:
    async with Sheet().run_test(size=(width, 16)) as pilot:
        chart = pilot.app.query_one(Chart)
        chart.show([Series("each", [1, 2, 3, 4, 7], [0.1, 0.2, 0.3, 0.4, 0.9], points=True)])
        await becomes(pilot, lambda: screen_text(pilot).count("●") == 5)
