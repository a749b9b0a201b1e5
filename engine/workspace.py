"""Where things are: the paths of one workspace, and how a workspace is found or made."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from lemnis.engine.errors import BadInput, NoWorkspace

CONFIG_NAME = "lemnis.toml"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A directory with a lemnis.toml; everything that happened lives in its `.lemnis`."""

    root: Path
    declared: Path | None = None  # what is read as its lemnis.toml instead, for a workspace as it was

    @property
    def config(self) -> Path:
        return self.declared or self.root / CONFIG_NAME

    @property
    def hidden(self) -> Path:
        return self.root / ".lemnis"

    @property
    def state(self) -> Path:
        return self.hidden / "state.db"

    @property
    def metrics(self) -> Path:
        return self.hidden / "metrics.db"

    @property
    def predictions(self) -> Path:
        return self.hidden / "predictions.db"

    @property
    def data(self) -> Path:
        return self.hidden / "data"

    @property
    def runs(self) -> Path:
        return self.hidden / "runs"

    @property
    def jobs(self) -> Path:
        return self.hidden / "jobs"

    @property
    def services(self) -> Path:
        return self.hidden / "services"

    def run_dir(self, run_id: int) -> Path:
        return self.runs / str(run_id)

    def job_dir(self, job_id: int) -> Path:
        return self.jobs / str(job_id)

    def service_dir(self, name: str) -> Path:
        return self.services / name

    def make_dirs(self) -> None:
        """Create `.lemnis` and its folders, readable by their owner alone."""
        for folder in (self.hidden, self.data, self.runs, self.jobs, self.services):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = self.hidden / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def exposed(workspace: Workspace) -> str:
    """Return who besides its owner may change what the workspace declares or keeps, in a sentence; empty if nobody.

    What lemnis.toml says is done by whoever opens it: its sources are read and its queries are run.
    """
    for path in (workspace.config, workspace.root, workspace.hidden):
        try:
            facts = path.stat()
        except OSError:
            continue  # whoever reads it says why it can't be read
        shared = stat.S_ISDIR(facts.st_mode) and bool(facts.st_mode & stat.S_ISVTX)
        if facts.st_mode & stat.S_IWOTH and not shared:
            return f"everybody can change {path.name}: chmod o-w"
        if facts.st_uid not in (os.getuid(), 0):
            return f"{path.name} belongs to another user"
    return ""


def find_workspace(start: Path) -> Workspace:
    """Return the workspace of `start` or of the nearest folder above it.

    Raises:
        NoWorkspace: There is no lemnis.toml up to the root.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return Workspace(folder)
    raise NoWorkspace(
        f"There is no {CONFIG_NAME} in {start} or above it.",
        "Make a workspace with `lemnis init`, or try `lemnis demo`.",
    )


def create_workspace(root: Path, config_text: str) -> Workspace:
    """Write lemnis.toml into `root` and make its folders; an existing lemnis.toml is never replaced.

    Raises:
        BadInput: `root` has a lemnis.toml already, or can't be written.
    """
    root = root.absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with open(root / CONFIG_NAME, "x", encoding="utf-8") as file:
            file.write(config_text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise BadInput(f"{root} has a {CONFIG_NAME} already.", f"Open it with `lemnis -w {root}`.") from None
    except OSError as error:
        raise BadInput(
            f"A workspace can't be made in {root}: {error.strerror}.", "Choose a folder you can write."
        ) from None
    workspace = Workspace(root)
    workspace.make_dirs()
    return workspace
