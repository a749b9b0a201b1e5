"""Plot: textual-plot's widget, in which a chart draws; it imports NumPy, so a chart imports it with its first data."""

from contextlib import ExitStack

from textual.events import Mount
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget


class Plot(PlotWidget):
    """A plot that bears being left in the moment it is made: then it has no parts to set up."""

    def on_mount(self, event: Mount) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.children:
            event.prevent_default()

    def _update_margin_sizes(self) -> None:
        if self.children:
            super()._update_margin_sizes()

    def paint(self) -> None:
        """Draw on the canvases now, so that they are seen with what is drawn beside them, not one picture later."""
        if self._needs_rerender and not self._needs_canvas_resize and self.size:
            self._needs_rerender = False
            with ExitStack() as once:
                for canvas in self.query(Canvas):
                    once.enter_context(canvas.batch_refresh())
                self._render_plot()
