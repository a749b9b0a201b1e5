"""Versions that MLflow's clients have registered, as Deploy lists them: of any framework, and never loaded here."""

import re
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Store
from lemnis.engine.text import safe

MLMODEL = "MLmodel"
LARGEST = 1 << 20  # bytes of an MLmodel
MOST = 500  # newest versions that are listed
PROXIED = "mlflow-artifacts:/"
FLAVOUR = re.compile(r"^  ([A-Za-z_][\w.-]*):", re.MULTILINE)
BOOSTER = "lightgbm.basic.Booster"  # every other model class of that flavour is a pickle


class ClientVersion(Struct, frozen=True, kw_only=True):
    """A version that a client has registered.

    Attributes:
        flavours: How MLflow could load it, such as sklearn; empty where its files are not here.
        why: Why it is not served here, or what can be done with it.
    """

    name: str
    version: int
    aliases: list[str]
    run_uid: str
    run_name: str
    flavours: list[str]
    why: str
    who: str
    note: str
    created_at: int

    @property
    def title(self) -> str:
        """``late flights 3``."""
        return f"{self.name} {self.version}"


LISTED = """
    select v.*, coalesce(r.name, '') as run_name,
      (select json_group_array(a.alias) from registered_aliases a where a.name = v.name and a.version = v.version)
        as aliases
    from registered_versions v left join runs r on r.uid = v.run_uid
    where v.deleted_at is null order by v.name, v.version desc limit ?
"""


def client_versions(store: Store) -> list[ClientVersion]:
    """Return what clients have registered, by name and newest first."""
    found: list[ClientVersion] = []
    for row in store.rows(LISTED, [MOST]):
        text = mlmodel_text(store, row["name"], row["version"])
        flavours = flavours_of(text)
        found.append(
            ClientVersion(
                name=row["name"],
                version=row["version"],
                aliases=sorted(msgspec.json.decode(row["aliases"], type=list[str])),
                run_uid=row["run_uid"],
                run_name=row["run_name"],
                flavours=flavours,
                why=reason(flavours, text),
                who=row["user"],
                note=row["description"],
                created_at=row["created_at"],
            )
        )
    return found


def mlmodel_text(store: Store, name: str, version: int) -> str:
    """Return the MLmodel of a version, empty where it is not here."""
    try:
        path = folder_of(store, name, version) / MLMODEL
        return read_text(path, path.stat().st_mtime_ns)
    except (LemnisError, OSError):
        return ""


def folder_of(store: Store, name: str, version: int) -> Path:
    """Return where the files of a client's version are; raises NotFound or BadInput where they are not here."""
    from lemnis.engine.tracking import artifacts, versions

    asked = versions.AskVersion(name=name, version=str(version))
    uri = str(versions.download_uri(store, asked)["artifact_uri"])
    return artifacts.located(store, uri.removeprefix(PROXIED))


@lru_cache(maxsize=MOST)
def read_text(path: Path, changed: int) -> str:
    """Return a small text file; `changed` is when it was, so that it is read once."""
    from lemnis.engine.tracking import artifacts

    with artifacts.opened(path) as file:
        return file.read(LARGEST).decode("utf-8", "replace")


def flavours_of(text: str) -> list[str]:
    """Return the flavours that an MLmodel names, without the one that every model has."""
    _, _, block = f"\n{text}".partition("\nflavors:\n")
    indented = re.match(r"(?:[ ].*\n?)*", block)
    names = FLAVOUR.findall(indented[0]) if indented else []
    return [safe(name, limit=40) for name in names if name != "python_function"] or ["python_function"] * bool(names)


def reason(flavours: list[str], text: str) -> str:
    """Say why a client's version is not served here."""
    if not flavours:
        return "not served here: its files are elsewhere"
    if flavours != ["lightgbm"]:
        return f"not served here: flavour {', '.join(flavours)}"
    if BOOSTER not in text:
        return "not served here: a pickled LightGBM model"
    return "LightGBM: `lemnis models adopt` can take it over"
