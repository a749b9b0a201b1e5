import pytest
from rich.style import Style
from support import becomes, screen_text, settle
from textual.app import ComposeResult

from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets import Chart, Series
from lemnis.tui.widgets.canvas import Canvas, clipped
from lemnis.tui.widgets.plot import Plot, round_ticks


class Sheet(ThemedApp[None]):
    """One chart."""

    def compose(self) -> ComposeResult:
        yield Chart()


async def test_a_chart_that_is_being_left_draws_no_more() -> None:
    async with Sheet().run_test(size=(60, 12)) as pilot:
        chart = pilot.app.query_one(Chart)
        chart.show([Series("auc", [1, 2], [0.5, 0.7])])
        await settle(pilot)
        await chart.query(Plot).remove()  # leaving takes the parts first
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


def test_a_line_is_dots_of_braille_that_end_where_the_picture_ends() -> None:
    canvas = Canvas(4, 2)
    canvas.line(1, 0, [(0.0, 0.0), (9.0, 0.0)], Style.parse("red"))
    assert "".join(segment.text for segment in canvas.segments(0, Style())) == " ⠉⠉⠁"
    assert clipped((0.0, 5.0, 4.0, 9.0), 3.0, 3.0) is None
    assert clipped((-2.0, 0.0, 2.0, 2.0), 3.0, 3.0) == (0.0, 1.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (12.0, 12.9, ["12.0", "12.2", "12.4", "12.6", "12.8"]),
        (-350.0, 900.0, ["-200", "0", "200", "400", "600", "800"]),
    ],
)
def test_an_axis_has_round_numbers(low: float, high: float, told: list[str]) -> None:
    assert [text for _, text in round_ticks(low, high)] == told
