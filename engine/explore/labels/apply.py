"""Labels become part of the dataset: a declared source of their own, linked by the row's key like any other source."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AoT

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Labels, load_config
from lemnis.engine.data import Version
from lemnis.engine.data import jobs as data_jobs
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.explore.labels.cards import check_labelled, key_parts
from lemnis.engine.explore.labels.declared import declared_labels
from lemnis.engine.explore.labels.events import audit_keys, resolved
from lemnis.engine.explore.labels.records import Applied
from lemnis.engine.files import sha256_of, write_atomic
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.jobs.context import JobContext

QUOTE = '"'
FOLDER = "labels"  # beside lemnis.toml: the file is a source like any other


def apply(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the labels that stand as a source, declare and link it where that is missing, and make the version.

    Any: JSON. The result is that of linking, with what was applied.

    Args:
        context: The job.
        arguments: ``labels``: which; ``who``; ``audit``: take the audit slice too.

    Raises:
        BadInput: Nothing is labelled, or the rows have no key.
    """
    store, name, who = context.store, str(arguments["labels"]), str(arguments["who"])
    context.progress(0.0, "writing the labels")
    config = load_config(context.workspace.config)
    labels = declared_labels(config, name)
    version = find_version(store)
    check_labelled(version, name, labels)
    if labels.column in config.dataset.derive:
        raise BadInput(
            f"{labels.column!r} is derived by an expression: labels can't stand in its place.",
            f"Label another column, and name it in the expression: coalesce(label, …) as {labels.column}.",
            f"lemnis.toml: dataset.derive.{labels.column}",
        )
    applied = write_labels(store, version, name, labels, who=who, audit=bool(arguments.get("audit")))
    room = ProblemRoom(store)
    before = room.text()
    declare(store, name, labels, version, who=who)
    after = room.text()
    try:
        data_jobs.sync(context, {"sources": [source_name(name)]})
        made = data_jobs.link(context, {})
    except LemnisError:  # a declaration that can't be linked must not stay
        if room.text() == after:
            room.edit(before, who, f"labels {name} could not be joined")
        raise
    return {**made, "applied": {k: getattr(applied, k) for k in Applied.__struct_fields__}}


def source_name(name: str) -> str:
    """Return the name of the source that labels become."""
    return f"labels_{name}"


def write_labels(store: Store, version: Version, name: str, labels: Labels, *, who: str, audit: bool) -> Applied:
    """Write the file of the labels that stand, the same bytes for the same labels, and keep a record of it."""
    import pyarrow.parquet as pq

    through = int(store.value("select coalesce(max(id), 0) from label_events where labels = ?", [name]))
    standing = resolved(store, name)
    apart = set[str]() if audit else audit_keys(store, name)
    pairs = [(row.row_key, row.value) for row in standing if row.value is not None and row.row_key not in apart]
    if not pairs:
        more = f" {len(standing)} rows are labelled in the audit slice, which is kept apart." if standing else ""
        raise BadInput(f"No row has a label of {name} that stands.{more}", "Label some rows first.", f"labels {name}")
    out = io.BytesIO()
    pq.write_table(label_table(version, labels, pairs), out, compression="zstd")
    path = file_of(store.workspace, name)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, out.getvalue(), mode=0o644)
    applied = Applied(
        labels=name,
        through_event=through,
        rows=len(pairs),
        kept_apart=sum(row.row_key in apart for row in standing if row.value is not None),
        split=sum(row.value is None for row in standing),
        sha256=sha256_of(path),
        who=who,
        at=now_ms(),
    )
    with store.write() as db:
        db.table("label_applications").insert({k: getattr(applied, k) for k in Applied.__struct_fields__})
    return applied


def file_of(workspace: Workspace, name: str) -> Path:
    """Return the file that labels are handed over in."""
    return workspace.root / FOLDER / f"{name}.parquet"


def label_table(version: Version, labels: Labels, pairs: list[tuple[str, str]]) -> "pa.Table":
    """Return key columns and label, typed as in the version; what can't be read as that type stays text.

    Args:
        version: Gives the key columns and the types.
        labels: Gives the label's column.
        pairs: Row key and class.
    """
    import pyarrow as pa

    parts = [key_parts(key, len(version.keys)) for key, _ in pairs]
    columns: dict[str, Any] = {
        name: typed([part[place] for part in parts], version.column(name).type)
        for place, name in enumerate(version.keys)
    }
    known = next((column.type for column in version.columns if column.name == labels.column), "string")
    columns[labels.column] = typed([value for _, value in pairs], known)
    return pa.table(columns)


def typed(values: list[str], kind: str) -> Any:
    """Return texts as an Arrow array of the type of this name."""
    import pyarrow as pa

    array = pa.array(values, pa.string())
    try:
        return array.cast(arrow_type(kind))
    except (pa.ArrowException, ValueError):
        return array


def arrow_type(kind: str) -> Any:
    """Return the Arrow type that ``str()`` names like this; raises ValueError for one it does not know."""
    import pyarrow as pa

    if kind.startswith("timestamp["):
        unit, _, zone = kind.removeprefix("timestamp[").removesuffix("]").partition(", tz=")
        return pa.timestamp(unit, zone or None)
    return pa.type_for_alias(kind)


def declare(store: Store, name: str, labels: Labels, version: Version, *, who: str) -> None:
    """Declare the source, its link and the target in lemnis.toml, comments kept, where they are missing."""
    room = ProblemRoom(store)
    before = room.text()
    document = tomlkit.parse(before)
    config = load_config(store.workspace.config)
    source = source_name(name)
    if source not in config.sources:
        sources: Any = document.setdefault("sources", tomlkit.table(is_super_table=True))
        sources[source] = {"path": f"{FOLDER}/{name}.parquet", "format": "parquet"}
    if all(link.source != source for link in config.dataset.links):
        add_link(document, source, labels, version)
    if not config.problem.target:
        problem: Any = document.setdefault("problem", tomlkit.table())
        problem["target"] = labels.column
    room.edit(tomlkit.dumps(document), who, f"labels {name} joined to the dataset", expected=before)


def add_link(document: Any, source: str, labels: Labels, version: Version) -> None:
    """Append the link of the labels to a document of lemnis.toml."""
    on = tomlkit.inline_table()
    for key in version.keys:
        on[f'"{key.replace(QUOTE, QUOTE * 2)}"'] = (
            key  # the left side is an expression: a name with blanks needs quotes
        )
    link: dict[str, Any] = {"source": source, "on": on, "columns": [labels.column], "overwrite": True}
    links = document["dataset"].get("links")
    if links is None:
        links = document["dataset"]["links"] = tomlkit.aot()
    table = tomlkit.table() if isinstance(links, AoT) else tomlkit.inline_table()
    for name, value in link.items():
        table[name] = value
    links.append(table)
