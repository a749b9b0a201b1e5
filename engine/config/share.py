"""What lemnis.toml declares of sharing: the remotes that datasets, runs and models are pushed to and pulled from."""

import re
from urllib.parse import urlsplit

from lemnis.engine.config.types import Declared

SCHEMES = ("file", "s3", "sftp", "gs", "az", "abfs")


class Remote(Declared, frozen=True):
    """A place that several workspaces share.

    Attributes:
        url: A folder, relative to the workspace unless absolute, or an address such as ``s3://bucket/prefix`` or
            ``sftp://host/folder``; ``${NAME}`` stands for what the environment has.
    """

    url: str


def remote_problems(remotes: dict[str, Remote]) -> list[tuple[str, str, list[str]]]:
    """Return what is wrong with the remotes: the problem, what to do, and the keys that lead to it."""
    found: list[tuple[str, str, list[str]]] = []
    for name, remote in remotes.items():
        scheme = urlsplit(remote.url).scheme if "://" in remote.url else "file"
        password = urlsplit(remote.url).password if scheme != "file" else None
        keys = ["remotes", name, "url"]
        if not remote.url.strip():
            found.append((f"remotes.{name} has no address.", "Write for example s3://bucket/prefix.", keys))
        elif scheme not in SCHEMES or "::" in remote.url:
            known = ", ".join(f"{one}://" for one in SCHEMES)
            found.append((f"remotes.{name}: nothing can be shared over {scheme}://.", f"Known: {known}.", keys))
        elif password and not re.fullmatch(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", password):
            remedy = "Write ${NAME} in its place, and set NAME in the environment."
            found.append((f"remotes.{name}: a password stands in the address.", remedy, keys))
    return found
