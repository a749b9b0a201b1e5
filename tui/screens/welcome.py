"""The first-run screen, where there is no workspace: see the demo, make one here, or leave."""

from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.text import safe
from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets.text import Words

DATA_SUFFIXES = (".csv", ".parquet", ".jsonl", ".zip", ".db", ".sqlite")
LISTED = 8


def data_files(folder: Path) -> list[Path]:
    """Return the files in a folder that could be sources, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in DATA_SUFFIXES and path.is_file())


class Welcome(ThemedApp[str]):
    """Ends with ``demo``, ``init`` or an empty string."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("d", "choose('demo')", "Demo"),
        Binding("i", "choose('init')", "Init"),
        Binding("q,escape", "choose('')", "Leave"),
    ]

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def compose(self) -> ComposeResult:
        with Vertical(classes="welcome"), Vertical(classes="dialog"):
            yield Words(self.text())

    def text(self) -> Content:
        files = data_files(self.folder)
        names = ", ".join(safe(path.name, limit=40) for path in files[:LISTED]) + (" …" if len(files) > LISTED else "")
        found = f"from {names}" if files else "with an empty declaration"
        return Content.assemble(
            ("Lemnis", "bold $stage-accent"),
            ("  the loop of a model's life, from the keyboard\n\n", "$muted"),
            f"There is no workspace in {safe(self.folder, limit=120)} or above it.\n\n",
            (" d ", "$key"), " see the whole loop on the NYC flights of 2013 (makes ./demo)\n",
            (" i ", "$key"), f" make a workspace here, {found}\n",
            (" q ", "$key"), " leave",
        )  # fmt: skip

    def action_choose(self, choice: str) -> None:
        self.exit(choice)
