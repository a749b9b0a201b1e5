"""The first-run screen, where there is no workspace: see the demo, make one of my files, open another, or leave."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, cast

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input

from lemnis.engine.errors import LemnisError
from lemnis.engine.text import safe
from lemnis.engine.workspace import find_workspace
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.theme import SCREENS, SHEET, ThemedApp
from lemnis.tui.widgets.field import Field
from lemnis.tui.widgets.text import Words

DATA_SUFFIXES = (".csv", ".parquet", ".jsonl", ".zip", ".db", ".sqlite")
LISTED = 8
RECENT, RECENT_NARROW = 5, 3
NARROW, SHORT = 60, 20


class Choice(Struct, frozen=True):
    """What was chosen: ``demo``, ``init``, ``open`` with the workspace's folder, or ``leave``."""

    kind: Literal["demo", "init", "open", "leave"]
    folder: Path | None = None


def data_files(folder: Path) -> list[Path]:
    """Return the files in a folder that could be sources, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in DATA_SUFFIXES and path.is_file())


def completed(text: str) -> str:
    """Return the path with its last part completed to the first folder by name that it begins; as it was if none."""
    path = Path(text).expanduser()
    within, begun = (path, "") if text.endswith("/") else (path.parent, path.name)
    try:
        names = sorted(entry.name for entry in os.scandir(within) if entry.name.startswith(begun) and entry.is_dir())
    except OSError:
        return text
    shown = [name for name in names if begun.startswith(".") or not name.startswith(".")]
    return f"{text[: len(text) - len(begun)]}{shown[0]}/" if shown else text


class Folders(Suggester):
    """Completes the path of a folder while it is typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completed, value) if value else None


class Welcome(ThemedApp[Choice]):
    """Ends with what was chosen; None where it was closed from outside."""

    CSS_PATH: ClassVar[list[str | Path]] = [SHEET, SCREENS]  # type: ignore[assignment]
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]
    BINDINGS = [
        Binding("d", "choose('demo')", "Demo"),
        Binding("i", "choose('init')", "My files"),
        Binding("c", "connect", "Open another"),
        *(Binding(str(number), f"recent({number})", show=False) for number in range(1, RECENT + 1)),
        Binding("tab", "complete", show=False, priority=True),
        Binding("escape", "back", show=False),
        Binding("q", "choose('leave')", "Leave"),
    ]

    def __init__(self, folder: Path, recent: Sequence[Path] = ()) -> None:
        """Welcome somebody in a folder who opened the `recent` workspaces, the last first."""
        super().__init__()
        self.folder, self.recent = folder, list(recent)[:RECENT]

    def compose(self) -> ComposeResult:
        with Vertical(classes="welcome"), Vertical(classes="dialog"):
            yield Words(id="welcome-words")
            yield Field(
                id="welcome-path", placeholder=_('a folder with lemnis.toml'), compact=True, suggester=Folders(),
                disabled=True,
            )  # fmt: skip
            yield Words(id="welcome-hint")

    async def on_mount(self) -> None:
        self.show_choices()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_again)

    def show_again(self) -> None:
        if not self.query_one(Input).display:
            self.show_choices()

    def show_choices(self) -> None:
        path = self.query_one(Input)
        path.disabled, path.display = True, False
        self.query_one("#welcome-hint").display = False
        self.query_one("#welcome-words", Words).say(self.text(narrow=self.size.width < NARROW))

    def text(self, *, narrow: bool) -> Content:
        """Return what can be chosen."""
        files = data_files(self.folder)
        names = ", ".join(safe(path.name, limit=40) for path in files[:LISTED]) + (" …" if len(files) > LISTED else "")
        room, shown = (28, RECENT_NARROW) if narrow else (60, RECENT)
        lines = [
            Content.assemble(
                ("Lemnis", "bold $stage-accent"),
                ("" if narrow else f"""  {_("the loop of a model's life, from the keyboard")}""", "$muted"),
            ),
            Content(_("There is no workspace in {short} or above it.").format(short=short(self.folder, room))),
            Content(""),
            chosen("d", _("the demo"), "" if narrow else _("the whole loop on real flights, made in ./demo")),
            chosen(
                "i",
                _("my files"),
                _("a workspace here, {value}").format(
                    value=_("of {names}").format(names=names) if files else _("with an empty declaration")
                ),
            ),
            chosen(
                "c", _("connect"), _("another workspace") if narrow else _("open another workspace, here or over SSH")
            ),
            *(chosen(str(place), short(path, room)) for place, path in enumerate(self.recent[:shown], 1)),
            chosen("q", _("leave")),
        ]
        return Content("\n").join(lines)

    # Opening another one.

    def action_connect(self) -> None:
        words = Content.assemble(
            (_("Open a workspace"), "bold $stage-accent"),
            f"\n{_('The path of its folder:')}"
            if self.size.height < SHORT
            else f"\n\n{_('The path of its folder, or of one in it:')}",
        )
        self.query_one("#welcome-words", Words).say(words)
        self.hint()
        path = self.query_one(Input)
        path.disabled, path.display = False, True
        self.query_one("#welcome-hint").display = True
        path.focus()

    def hint(self, problem: str = "") -> None:
        """Say what went wrong, if anything, the keys, and how to reach a workspace of another machine."""
        wrong = Content.styled(f"{safe(problem, limit=200)}\n", "$bad") if problem else ""
        keys = Content.assemble(
            ("tab ", "$key"), f"{_('completes')} ", ("enter ", "$key"), f"{_('opens')} ", ("esc ", "$key")
        )
        there = Content.assemble(f"\n{_('Elsewhere:')} ", ("ssh -t HOST lemnis -w DIR", "bold"))
        self.query_one("#welcome-hint", Words).say(Content.assemble(wrong, keys, _("back"), there))

    def action_complete(self) -> None:
        path = self.query_one(Input)
        if path.display:
            path.value = completed(path.value)
            path.cursor_position = len(path.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self.open_folder(Path(message.value.strip() or ".").expanduser())

    def open_folder(self, folder: Path) -> None:
        """End with a workspace, or say why there is none."""
        try:
            found = find_workspace(folder)
        except (LemnisError, OSError) as error:
            self.hint(told(error.problem) if isinstance(error, LemnisError) else str(error))
        else:
            self.exit(Choice("open", found.root))

    def action_recent(self, number: int) -> None:
        if number <= len(self.recent):
            self.exit(Choice("open", self.recent[number - 1]))

    async def action_back(self) -> None:
        if self.query_one(Input).display:
            self.show_choices()
        else:
            self.action_choose("leave")

    def action_choose(self, choice: str) -> None:
        self.exit(Choice(cast("Literal['demo', 'init', 'leave']", choice)))


def chosen(key: str, name: str, does: str = "") -> Content:
    """Return one line of what can be chosen."""
    return Content.assemble((f" {key} ", "$key"), f" {name}", (f"  {does}" if does else "", "$muted"))


def short(path: Path, room: int) -> str:
    """Return a path in at most `room` characters: the home folder as ``~``, its end where it is longer."""
    home = Path.home()
    said = safe(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path), limit=4 * room)
    return said if len(said) <= room else f"…{said[1 - room :]}"
