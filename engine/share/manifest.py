"""The manifest: one JSON document per shared thing that says what it is, which files it has, and what it refers to."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from lemnis.engine.data.reports import LinkReport
from lemnis.engine.data.split import Column, Part
from lemnis.engine.deploy.records import Golden
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.predictions import Gain, HeldOut
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sha256_of
from lemnis.engine.share.records import Kind
from lemnis.engine.text import safe

FORMAT = "lemnis-share"
SCHEMA = 2  # raised when an older Lemnis could not read what a newer one writes
LAYOUT = {"predictions": 2, "measured": 2}  # since which one a use is known; without any an older one reads it too
MOST_BYTES = 8 << 20  # of one manifest
KINDS = ("dataset", "run", "model")

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")]
Amount = Annotated[int, Meta(ge=0, le=1 << 50)]
Moment = Annotated[int, Meta(ge=0, le=1 << 48)]  # epoch ms
Whole = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
Number = Annotated[int, Meta(ge=1, le=1 << 40)]


class Stored(Struct, frozen=True, kw_only=True):
    """One file, named by its content wherever it stands.

    Attributes:
        use: What it is to the thing: the table, a model, its signature, the curves of its training, what it answers
            on held-out rows, what was measured of it.
    """

    sha256: Sha256
    bytes: Amount
    suffix: Literal["parquet", "txt", "json"]
    use: Literal["table", "model", "signature", "curves", "predictions", "measured"]

    @property
    def path(self) -> str:
        """Where it stands at a remote and in a bundle: ``objects/ab/cdef….parquet``."""
        return f"objects/{self.sha256[:2]}/{self.sha256[2:]}.{self.suffix}"


class Reference(Struct, frozen=True, kw_only=True):
    """Another thing that this one was made of."""

    kind: Kind
    name: Slug
    id: Sha256
    title: str = ""

    @property
    def path(self) -> str:
        return manifest_path(self.kind, self.name, self.id)


class Maker(Struct, frozen=True, kw_only=True):
    """Where a thing was made.

    Attributes:
        workspace: The identity of that workspace; `workspace_name` is its folder's name, for people.
        title: What the thing is called there.
        who: Who handed it out there.
    """

    workspace: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    workspace_name: str
    title: str
    who: str = ""


class VersionFacts(Struct, frozen=True, kw_only=True):
    """What is known of a dataset version without its rows; see `data.versions.Version`."""

    id: Sha256
    name: Name
    number: Number
    rows: Amount
    bytes: Amount
    columns: list[Column]
    split: dict[str, Part]
    label_counts: dict[str, int]
    repeated_keys: Amount
    snapshots: dict[str, Sha256]
    recipe: str
    created_at: Moment
    linked_at: Moment


class Verdict(Struct, frozen=True, kw_only=True):
    """How one check of a version's last run went, in words."""

    name: str
    rule: str
    verdict: Literal["pass", "warn", "fail", "not evaluated"]
    failing: int | None = None
    total: int | None = None
    message: str = ""


class DatasetBody(Struct, frozen=True, kw_only=True, tag="dataset"):
    """A dataset version: how it was joined and how its checks went."""

    version: VersionFacts
    joins: list[LinkReport] = []
    checks: list[Verdict] = []


class Predicted(Struct, frozen=True, kw_only=True):
    """What the file of a run's predictions holds; see `experiments.predictions.Kept`."""

    parts: dict[str, HeldOut]
    gains: list[Gain]


class RunBody(Struct, frozen=True, kw_only=True, tag="run"):
    """A run with every condition; the fields are those of `experiments.Run`.

    Attributes:
        version: The dataset version it was trained on; its rows are a thing of their own.
        metric_steps: The step of each metric's value.
        history: Of each metric, how many points its curve has.
        measured: What was measured on each part of the data: name and value by part.
        predicted: What its file of predictions holds; None without one.
    """

    name: str
    number: Number
    state: Literal["finished", "failed", "cancelled", "lost"]
    why: str = ""
    preset: str = ""
    algorithm: str = ""
    group_name: str = ""
    task: str = ""
    target: str = ""
    version: VersionFacts | None = None
    features: list[str] = []
    feature_set: str = ""
    problem_sha256: str = ""
    seed: Whole | None = None
    device_asked: str = ""
    device: str = ""
    executor: Literal["local", "dask"] = "local"
    spread: bool = False
    cluster: dict[str, Any] = {}  # Any: facts of the cluster, texts and numbers
    cores: float = 1.0
    memory_bytes: Amount = 0
    machine: dict[str, Any] = {}  # Any: facts of the machine, texts and numbers
    code_version: str = ""
    libraries: dict[str, str] = {}
    rounds: Whole | None = None
    rounds_done: Whole = 0
    best_round: Whole | None = None
    model_sha256: Sha256 | None = None
    note: str = ""
    user: str = ""
    created_at: Moment
    started_at: Moment | None = None
    ended_at: Moment | None = None
    params: dict[str, str] = {}
    metrics: dict[str, float | None] = {}
    metric_steps: dict[str, Whole] = {}
    tags: dict[str, str] = {}
    history: dict[str, int] = {}
    measured: dict[str, dict[str, float | None]] = {}
    predicted: Predicted | None = None


class ModelBody(Struct, frozen=True, kw_only=True, tag="model"):
    """A registered model: what it takes, and rows whose recorded answers every process must reproduce.

    Attributes:
        run: The id of the run that trained it.
    """

    name: Name
    number: Number
    run: Sha256
    sha256: Sha256
    signature: Signature
    golden: Golden
    who: str = ""
    why: str = ""
    created_at: Moment


Body: TypeAlias = DatasetBody | RunBody | ModelBody


class Manifest(Struct, frozen=True, kw_only=True):
    """One shared thing.

    Attributes:
        id: What it is in every workspace: of a dataset version the hash of its file, of others of what never changes.
        name: What it is filed under: the dataset, the model, the run's name as far as a path can hold it.
        refers: What it was made of; those are things of their own.
        card: What a person wants to know of it, as Markdown.
    """

    format: Literal["lemnis-share"] = FORMAT
    schema: int = 1
    kind: Kind
    id: Sha256
    name: Slug
    title: str
    created_at: Moment
    maker: Maker
    objects: list[Stored] = []
    refers: list[Reference] = []
    card: str = ""
    body: Body

    @property
    def path(self) -> str:
        """Where it stands at a remote and in a bundle."""
        return manifest_path(self.kind, self.name, self.id)

    @property
    def bytes(self) -> int:
        """How large its files are."""
        return sum({one.sha256: one.bytes for one in self.objects}.values())

    @property
    def ref(self) -> str:
        """How it is named in a command: ``flights@v3``, ``run:12``, ``late@v2``."""
        return reference_of(self.body)

    def object(self, use: str) -> Stored | None:
        """Return the file of this use, or None."""
        return next((one for one in self.objects if one.use == use), None)


class Head(Struct, frozen=True, kw_only=True):
    """What must be known of a document before it is read as a manifest."""

    format: str
    schema: int


def object_of(path: Path, suffix: str, use: str) -> Stored:
    """Return a file as the object it becomes."""
    facts = {"sha256": sha256_of(path), "bytes": path.stat().st_size, "suffix": suffix, "use": use}
    return msgspec.convert(facts, Stored)


def manifest_path(kind: str, name: str, id: str) -> str:
    """Return where a manifest stands at a remote and in a bundle."""
    return f"manifests/{kind}/{name}/{id}.json"


def reference_of(body: Body) -> str:
    """Return how a thing is named in a command."""
    if isinstance(body, RunBody):
        return f"run:{body.number}"
    if isinstance(body, DatasetBody):
        return f"{body.version.name}@v{body.version.number}"
    return f"{body.name}@v{body.number}"


def slug(text: str) -> str:
    """Return a text as far as it can be part of a path: ``lr=0.1 deep`` is ``lr-0.1-deep``; never empty."""
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:64]
    return kept or "run"


def id_of(body: Body) -> str:
    """Return what a thing is in every workspace; what may still change (tags, notes, names) takes no part."""
    if isinstance(body, DatasetBody):
        return body.version.id
    if isinstance(body, RunBody):
        version = body.version.id if body.version else None
        facts: list[object] = [
            "run", body.created_at, body.user, body.task, body.target, version, body.features, body.seed,
            body.machine, body.model_sha256,
        ]  # fmt: skip
    else:
        facts = ["model", body.name, body.run, body.sha256, body.created_at, body.signature, body.golden]
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as the JSON that stands at a remote and in a bundle."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def decode(content: bytes, where: str) -> Manifest:
    """Return the manifest of a document; `where` is the path it stood under, which must be the manifest's own.

    Raises:
        BadInput: It is none, is damaged or altered, or a newer Lemnis wrote it.
    """
    remedy = "Ask for it to be pushed or exported again."
    if len(content) > MOST_BYTES:
        raise BadInput(f"A manifest has {len(content):,} bytes; {MOST_BYTES:,} are read.", remedy, where)
    try:
        head = msgspec.json.decode(content, type=Head)
        if head.format != FORMAT:
            raise BadInput("A manifest is of no format that Lemnis knows.", remedy, where)
        if head.schema > SCHEMA:
            raise BadInput(
                f"This was written by a newer Lemnis (layout {head.schema}; this one knows {SCHEMA}).",
                "Upgrade Lemnis.",
                where,
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"A manifest can't be read: {safe(error, limit=200)}.", remedy, where) from None
    wrong = contradiction(manifest, where)
    if wrong:
        raise BadInput(f"A manifest contradicts itself: {wrong}.", remedy, where)
    return manifest


def contradiction(manifest: Manifest, where: str) -> str:
    """Return what in a manifest does not fit together; empty when all does."""
    body, uses = manifest.body, [one.use for one in manifest.objects]
    name = {"dataset": getattr(body, "version", None), "model": body, "run": None}[manifest.kind]
    model = manifest.object("model")
    table = manifest.object("table")
    found = {
        "it stands under another path": manifest.path != where,
        "its body is of another kind": getattr(type(body), "__struct_config__").tag != manifest.kind,  # noqa: B009
        "it has another id than its content": manifest.id != id_of(body),
        "it is filed under another name": name is not None and getattr(name, "name", "") != manifest.name,
        "it has two files of one use": len(set(uses)) != len(uses),
        "it does not tell of its predictions": isinstance(body, RunBody)
        and (manifest.object("predictions") is None) != (body.predicted is None),
        "its table is not the version's": isinstance(body, DatasetBody)
        and (table is None or table.sha256 != body.version.id),
        "its model is not the one that was recorded": (
            model is not None and isinstance(body, RunBody) and model.sha256 != body.model_sha256
        )
        or (isinstance(body, ModelBody) and (model is None or model.sha256 != body.sha256)),
        "it refers to no run": isinstance(body, ModelBody)
        and not any(one.kind == "run" and one.id == body.run for one in manifest.refers),
    }
    return next((words for words, wrong in found.items() if wrong), "")
