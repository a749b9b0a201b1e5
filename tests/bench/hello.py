"""A bare Textual app with a table of 200 rows: what any console of this kind costs at least."""

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header


class Hello(App[None]):
    """The smallest app that is of use."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable[str]()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable[str])
        table.cursor_type = "row"
        table.add_columns("run", "metric", "value")
        for number in range(200):
            table.add_row(f"row {number}", "auc", f"{number / 200:.3f}")


if __name__ == "__main__":
    Hello().run()
