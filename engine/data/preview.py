"""A look at a file before anything of it is kept: how it seems to be written, its columns and its first rows."""

import re
import subprocess
import sys
from pathlib import Path, PurePath

import msgspec
from msgspec import Struct

from lemnis.engine.config import Source
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.workspace import Workspace

SECONDS = 60  # that a look may take


class PreviewColumn(Struct, frozen=True, kw_only=True):
    """A column as the rows looked at show it; `type` is DuckDB's, empty for one without a value."""

    name: str
    type: str


class Preview(Struct, frozen=True, kw_only=True):
    """What a source would hold.

    Attributes:
        source: The declaration it was looked at with, as it would be written into lemnis.toml.
        why: What speaks for the proposed dialect, in words; empty when it is declared already.
        rows: The first rows as text; None is a missing value.
        rows_seen: How many rows the types were looked for in.
        whole: Whether that is all of them.
        warnings: What to look at before it is kept, in words, with the line where there is one.
        refused: Why it can't be read, in one sentence with the place; empty when it can.
    """

    name: str
    source: Source
    why: list[str]
    columns: list[PreviewColumn]
    rows: list[list[str | None]]
    rows_seen: int
    whole: bool
    warnings: list[str]
    refused: str


class Question(Struct, frozen=True, kw_only=True):
    """What the child is asked: `propose` says whether the dialect is to be proposed or is declared."""

    root: str
    name: str
    source: Source
    propose: bool


class Trouble(Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    problem: str
    remedy: str
    place: str


def preview(workspace: Workspace, name: str, source: Source, *, propose: bool) -> Preview:
    """Look at a source in a process of its own, which ends with the look; nothing is kept.

    Args:
        workspace: Relative paths start there.
        name: What the source is or would be called.
        source: Its declaration; of a new one the path alone is enough.
        propose: Propose dialect and format, instead of those of `source`.

    Raises:
        BadInput: There is no such file, or it may not be read.
        Unavailable: It took too long, or the place can't be reached.
    """
    question = Question(root=str(workspace.root), name=name, source=source, propose=propose)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lemnis.engine.data.previewer"],
            input=msgspec.json.encode(question),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=workspace.root,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"Looking at {source.path} took longer than {SECONDS} s.",
            "Try a smaller file.",
            source.path,
        ) from None
    if done.returncode == 0:
        return msgspec.json.decode(done.stdout, type=Preview)
    try:
        trouble = msgspec.json.decode(done.stdout, type=Trouble)
    except msgspec.DecodeError:
        raise Unavailable(
            f"Looking at {source.path} ended its process.", "It may need more memory than there is.", source.path
        ) from None
    kind = BadInput if done.returncode == BadInput.exit_code else Unavailable
    raise kind(trouble.problem, trouble.remedy, trouble.place)


def declared_path(workspace: Workspace, path: str) -> str:
    """Return a path as lemnis.toml would have it: relative to the workspace if it is below it."""
    if "://" in path:
        return path
    full = Path(path).absolute()
    root = workspace.root.absolute()
    return str(full.relative_to(root)) if full.is_relative_to(root) and not (workspace.root / path).exists() else path


def source_name(path: str) -> str:
    """Return a name for a source that is read from here: the file's own, as far as lemnis.toml takes it."""
    stem = PurePath(path.split("?")[0]).name.split(".")[0]
    name = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_")[:50]
    return name if name and not name[0].isdigit() else f"source_{name}".rstrip("_")
