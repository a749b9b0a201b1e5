"""What the console remembers for a person between sessions: the workspaces opened last, and how far a tour came."""

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

KEPT = 20
WRITING = Lock()


class Known(Struct, frozen=True):
    """A workspace that was opened here.

    Attributes:
        path: Its folder.
        tour: The place of the tour's step that was shown last, from 0.
    """

    path: str
    tour: int = 0


def state_file(environment: Mapping[str, str]) -> Path:
    """Return where it is kept: below $XDG_STATE_HOME, else below ~/.local/state."""
    home = Path(environment.get("HOME") or Path.home())
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "lemnis" / "workspaces.json"


def known_workspaces(path: Path | None = None) -> list[Known]:
    """Return the workspaces that were opened, the last first; none where the file is missing or damaged."""
    try:
        listed: object = msgspec.json.decode((path or state_file(os.environ)).read_bytes())
    except (OSError, ValueError, RecursionError, msgspec.DecodeError):
        return []
    # Any: what a file holds that a person may have edited.
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    tables = [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]
    good = [entry for entry in tables if isinstance(entry.get("path"), str)]
    return [Known(entry["path"], entry["tour"] if isinstance(entry.get("tour"), int) else 0) for entry in good]


def remember(root: Path, *, tour: int | None = None, path: Path | None = None) -> None:
    """Put a workspace first among those opened, with the tour's place if given; what can't be written is forgotten."""
    path = path or state_file(os.environ)
    with WRITING:
        entries = known_workspaces(path)
        entry = next((each for each in entries if each.path == str(root)), Known(str(root)))
        if tour is not None:
            entry = replace(entry, tour=tour)
        kept = [entry, *(each for each in entries if each.path != entry.path)][:KEPT]
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1))
            fresh.replace(path)
        except OSError:
            return


def tour_place(root: Path, path: Path | None = None) -> int:
    """Return the place of the tour's step that was shown last in a workspace; 0 where there was none."""
    return next((each.tour for each in known_workspaces(path) if each.path == str(root)), 0)
