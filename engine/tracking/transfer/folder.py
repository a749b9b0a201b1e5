"""MLflow's folder store (`mlruns/`): read as a source, and written for its client and its own tools to read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.experiments.tracked import Logged
from lemnis.engine.jobs.states import JobState
from lemnis.engine.text import safe
from lemnis.engine.tracking import protocol
from lemnis.engine.tracking.protocol import Dataset, DatasetInput, ModelLink, Pair
from lemnis.engine.tracking.transfer.records import (
    MODEL_STATUS,
    File,
    Group,
    Judged,
    Moved,
    MovedModel,
    MovedRegistered,
    MovedVersion,
)
from lemnis.engine.tracking.transfer.trees import files_below

META, TRASH, REGISTRY = "meta.yaml", ".trash", "models"
LONGEST_META = 4 << 20  # bytes
NOT_RUNS = ("tags", "datasets", "traces", "models")
STATES: dict[int, JobState] = {1: "running", 2: "queued", 3: "finished", 4: "failed", 5: "cancelled"}


class Folder:
    """One `mlruns` folder."""

    def __init__(self, path: Path) -> None:
        """Open it; raises BadInput if it is none, Unavailable without PyYAML."""
        try:
            import yaml
        except ModuleNotFoundError:
            raise Unavailable(
                "Reading an mlruns folder needs PyYAML.", "Install it with `pip install 'lemnis[mlflow]'`."
            ) from None
        self.path = path
        self._load: Any = yaml.load  # Any: YAML has values of every kind
        self._loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        if not any(path.glob(f"*/{META}")):
            raise BadInput(f"{path} is no store of MLflow's.", "Name its mlruns folder, its SQLite file or its server.")

    def meta(self, folder: Path) -> dict[str, Any]:
        """Return a folder's description; raises BadInput. Any: values of every kind."""
        path = folder / META
        try:
            if path.stat().st_size > LONGEST_META or path.is_symlink():
                raise BadInput(f"{path} is too large to be a description.", "Take it away.")
            found = self._load(path.read_bytes(), Loader=self._loader)
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{path} can't be read: {safe(str(error), limit=200)}.", "Mend or remove it.") from None
        except Exception as error:  # PyYAML's own errors have no common type without importing it
            raise BadInput(f"{path} is no YAML: {safe(str(error), limit=200)}.", "Mend or remove it.") from None
        if not isinstance(found, dict):
            raise BadInput(f"{path} holds no description.", "Mend or remove it.")
        return found  # pyright: ignore[reportUnknownVariableType]

    def folders(self) -> Iterator[tuple[Path, bool]]:
        """Return the experiments' folders, and whether each is in the trash."""
        for top, deleted in ((self.path, False), (self.path / TRASH, True)):
            for path in sorted(top.glob(f"*/{META}")):
                if path.parent.name != TRASH:
                    yield path.parent, deleted

    def groups(self) -> list[Group]:
        """Return every experiment."""
        found: list[Group] = []
        for folder, deleted in self.folders():
            meta = self.meta(folder)
            found.append(
                Group(
                    key=str(folder.relative_to(self.path)),
                    name=str(meta.get("name") or folder.name),
                    tags=texts(folder / "tags"),
                    created_at=whole(meta.get("creation_time")),
                    deleted=deleted or meta.get("lifecycle_stage") == "deleted",
                )
            )
        return found

    def runs(self, group: Group) -> Iterator[Moved]:
        """Return the runs of an experiment."""
        for path in sorted((self.path / group.key).glob(f"*/{META}")):
            if path.parent.name in NOT_RUNS:
                continue
            meta = self.meta(path.parent)
            uid = str(meta.get("run_id") or meta.get("run_uuid") or path.parent.name)
            tags = texts(path.parent / "tags")
            deleted = meta.get("lifecycle_stage") == "deleted"
            yield Moved(
                uid=uid,
                group=group.key,
                name=str(meta.get("run_name") or tags.get("mlflow.runName", "")),
                user=str(meta.get("user_id") or ""),
                state=STATES.get(whole(meta.get("status")) or 1, "failed"),
                started_at=whole(meta.get("start_time")),
                ended_at=whole(meta.get("end_time")),
                deleted_at=(whole(meta.get("deleted_time")) or 0) if deleted else None,
                params=texts(path.parent / "params"),
                tags=tags,
                datasets=list(self._datasets(path.parent)),
                inputs=[link for link, kind in self._links(path.parent / "inputs") if kind == "MODEL"],
                outputs=[link for link, _ in self._links(path.parent / "outputs")],
                artifact_uri=str(path.parent / "artifacts"),
            )

    def _links(self, folder: Path) -> Iterator[tuple[ModelLink, str]]:
        for path in sorted(folder.glob(f"*/{META}")):
            meta = self.meta(path.parent)
            # A folder is named by the model that a run made; what MLflow writes inside is the run.
            model_id = path.parent.name if folder.name == "outputs" else str(meta.get("source_id"))
            yield ModelLink(model_id=model_id, step=whole(meta.get("step")) or 0), str(meta.get("source_type"))

    def _datasets(self, run: Path) -> Iterator[DatasetInput]:
        for path in sorted((run / "inputs").glob(f"*/{META}")):
            link = self.meta(path.parent)
            kept = run.parent / "datasets" / Path(str(link.get("source_id"))).name
            if link.get("source_type") != "DATASET" or not (kept / META).is_file():
                continue
            said = {key: str(value) for key, value in self.meta(kept).items() if value is not None}
            tags: dict[str, Any] = link.get("tags") or {}
            yield DatasetInput(
                dataset=msgspec.convert(said, Dataset),
                tags=[Pair(key=str(key), value=str(value)) for key, value in tags.items()],
            )

    def models(self, group: Group) -> Iterator[MovedModel]:
        """Return the logged models of an experiment."""
        for path in sorted((self.path / group.key / "models").glob(f"*/{META}")):
            meta = self.meta(path.parent)
            yield MovedModel(
                id=str(meta.get("model_id") or path.parent.name),
                name=str(meta.get("name")),
                type=str(meta.get("model_type") or ""),
                run_uid=str(meta.get("source_run_id") or ""),
                status=MODEL_STATUS.get(whole(meta.get("status")) or 0, MODEL_STATUS[0]),
                created_at=whole(meta.get("creation_timestamp")) or 0,
                updated_at=whole(meta.get("last_updated_timestamp")) or 0,
                deleted=meta.get("lifecycle_stage") == "deleted",
                tags=texts(path.parent / "tags"),
                params=texts(path.parent / "params"),
                metrics=list(judged(path.parent / "metrics")),
                artifact_uri=str(path.parent / "artifacts"),
            )

    def registered(self) -> Iterator[MovedRegistered]:
        """Return the registered models."""
        for path in sorted((self.path / REGISTRY).glob(f"*/{META}")):
            meta, folder = self.meta(path.parent), path.parent
            created = whole(meta.get("creation_timestamp")) or 0
            yield MovedRegistered(
                name=str(meta.get("name") or folder.name),
                description=str(meta.get("description") or ""),
                created_at=created,
                updated_at=whole(meta.get("last_updated_timestamp")) or created,
                tags=texts(folder / "tags"),
                aliases={alias: int(text) for alias, text in texts(folder / "aliases").items() if text.isdecimal()},
                versions=[self._version(one.parent) for one in sorted(folder.glob(f"version-*/{META}"))],
            )

    def _version(self, folder: Path) -> MovedVersion:
        meta = self.meta(folder)
        created = whole(meta.get("creation_timestamp")) or 0
        return MovedVersion(
            version=whole(meta.get("version")) or 0,
            source=str(meta.get("source") or ""),
            run_uid=str(meta.get("run_id") or ""),
            run_link=str(meta.get("run_link") or ""),
            model_id=str(meta.get("model_id") or ""),
            description=str(meta.get("description") or ""),
            stage=str(meta.get("current_stage") or "None"),
            user=str(meta.get("user_id") or ""),
            created_at=created,
            updated_at=whole(meta.get("last_updated_timestamp")) or created,
            tags=texts(folder / "tags"),
        )

    def points(self, run: Moved) -> Iterator[Logged]:
        """Return every value of every metric; raises BadInput for a line that is none."""
        folder = Path(run.artifact_uri).parent / "metrics"
        for file in files_below(folder):
            with file.open() as lines:
                for line in lines:
                    words = line.split()
                    try:
                        at, value, step = int(words[0]), words[1], int(words[2]) if len(words) > 2 else 0
                        yield Logged(file.path, step, at, protocol.number(value.decode()))
                    except (IndexError, ValueError):
                        raise BadInput(f"{folder / file.path} has a line that is no point.", "Mend it.") from None

    def files(self, owner: Moved | MovedModel) -> Iterator[File]:
        """Return the artifacts of a run or a logged model; raises NotFound when they are elsewhere."""
        folder = Path(owner.artifact_uri)
        if folder.is_symlink():
            raise NotFound("Its artifacts are behind a link.", "Put them into its folder.")
        return files_below(folder)

    def close(self) -> None:
        """There is nothing to close."""


def judged(folder: Path) -> Iterator[Judged]:
    """Return the values of a logged model's metrics; a line that is none is left out."""
    for key, content in texts(folder).items():
        for line in content.splitlines():
            words = line.split()
            if len(words) in (4, 6) and words[0].isdecimal() and words[2].lstrip("-").isdecimal():
                yield Judged(words[3], key, protocol.number(words[1]), int(words[2]), int(words[0]), *words[4:])


def texts(folder: Path) -> dict[str, str]:
    """Return the texts of the files below a folder, by path."""
    found: dict[str, str] = {}
    for file in files_below(folder):
        with file.open() as content:
            found[file.path] = content.read(protocol.LONGEST_PARAM * 64).decode("utf-8", "replace")
    return found


def whole(value: object) -> int | None:
    """Return a whole number as YAML has it, None for anything else."""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def write_meta(folder: Path, values: dict[str, Any]) -> None:
    """Write a folder's description: JSON, which is YAML too. Any: JSON values."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / META).write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")


def write_texts(folder: Path, values: Iterable[tuple[str, str]]) -> None:
    """Write texts as files, by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in values:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value.encode("utf-8", "surrogatepass"))
