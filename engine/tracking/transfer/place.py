"""Which kind of store a place is: a server's address, a SQLite file, or an mlruns folder."""

from pathlib import Path

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.text import safe
from lemnis.engine.tracking.transfer.records import Source

SQLITE = b"SQLite format 3\0"


def source_of(place: str, artifacts: Path | None = None) -> Source:
    """Return the store at a place.

    Args:
        place: ``http://…``, a path, or MLflow's own spelling of one: ``sqlite:///mlflow.db``, ``file:///…/mlruns``.
        artifacts: Where artifacts are that went through the server of a SQLite store.

    Raises:
        NotFound: There is nothing at this path.
        BadInput: What is there is no store of MLflow's.
    """
    if place.startswith(("http://", "https://")):
        from lemnis.engine.tracking.transfer.server import Server

        return Server(place)
    path = Path(place.removeprefix("sqlite:///").removeprefix("file://"))
    if path.is_dir():
        from lemnis.engine.tracking.transfer.folder import Folder

        return Folder(path)
    try:
        with open(path, "rb") as file:
            head = file.read(len(SQLITE))
    except OSError as error:
        raise NotFound(
            f"{safe(place, limit=200)} can't be read: {error.strerror}.",
            "Name an mlruns folder, a SQLite file or a server.",
        ) from None
    if head != SQLITE:
        raise BadInput(f"{safe(place, limit=200)} is no store of MLflow's.", "Name its folder, SQLite file or server.")
    from lemnis.engine.tracking.transfer.database import Database

    return Database(path, artifacts)
