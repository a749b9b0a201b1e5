"""The data room's work, done in a worker process: bringing sources up to date, and making a dataset version."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Config, load_config
from lemnis.engine.data.duck import open_duck, refusals, stream
from lemnis.engine.data.link import Linked, link_sources
from lemnis.engine.data.parquet import ROW_GROUP, sweep
from lemnis.engine.data.reports import save_reports
from lemnis.engine.data.snapshots import snapshot_paths
from lemnis.engine.data.sync import sync_source
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import BadInput, Cancelled, LemnisError, NotFound
from lemnis.engine.jobs.context import JobContext

# Any in this file: arguments and results of a job, as JSON objects.


def sync(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Bring the sources named in `sources` up to date, all when none are named; one that fails stops no other.

    Raises:
        NotFound: A name is no source.
        BadInput: At least one source could not be read; the others are up to date.
    """
    store = context.store
    declared = load_config(context.workspace.config).sources
    names: list[str] = arguments.get("sources") or list(declared)
    for name in names:
        if name not in declared:
            raise NotFound(f"There is no source {name!r}.", f"Sources: {', '.join(declared) or 'none'}.", "lemnis.toml")
    sweep(context.workspace, clock.now_ms() / 1000)
    done: list[dict[str, Any]] = []
    failed: list[LemnisError] = []
    for position, name in enumerate(names):

        def on_step(share: float, text: str, name: str = name, position: int = position) -> None:
            context.progress((position + share) / len(names), f"{name}: {text}")

        on_step(0.0, "looking at the file")
        try:
            synced = sync_source(
                store, name, declared[name], cores=context.cores, job_id=context.job_id, on_step=on_step
            )
        except Cancelled:
            raise
        except LemnisError as error:
            failed.append(error)
            _record_sync(context, name, "failed", f"{error.problem} {error.place}".strip())
            continue
        _record_sync(context, name, "ready", synced.why)
        snapshot = synced.snapshot
        done.append(
            {"source": name, "rows": snapshot.rows, "sha256": snapshot.sha256, "new": synced.new, "read": synced.read}
        )
    if failed:
        first = failed[0]
        count = f" ({len(failed)} of {len(names)} sources failed)" if len(names) > 1 else ""
        raise BadInput(f"{first.problem}{count}", first.remedy, first.place)
    return {"sources": done}


def link(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a dataset version of the current snapshots as lemnis.toml declares it; takes no arguments.

    Raises:
        BadInput: The declaration is not accepted.
        NotFound: A source has no snapshot yet.
    """
    del arguments
    config = load_config(context.workspace.config)
    dataset = config.dataset
    if not dataset.base:
        raise BadInput("No dataset is declared.", "Name its base in [dataset] of lemnis.toml.", "dataset.base")
    names = list(dict.fromkeys([dataset.base, *(link.source for link in dataset.links)]))
    snapshots = snapshot_paths(context.store, names)
    steps = len(dataset.links) + 2
    scratch = Path(tempfile.mkdtemp(dir=context.workspace.data, prefix=".linking."))
    duck = open_duck(context.cores, views={name: snapshots[name].file for name in names}, spill=scratch)
    try:
        linked = link_sources(
            duck,
            dataset,
            snapshots,
            lambda position, source: context.progress(position / steps, f"joining {source}"),
        )
        context.progress((steps - 1) / steps, "writing the version")
        hashes = {name: snapshot.sha256 for name, snapshot in snapshots.items()}
        with refusals("dataset"):
            rows = stream(duck, linked.query, ROW_GROUP)
            version = record_version(
                context.store,
                rows,
                name=dataset.name,
                roles=roles_of(config, linked),
                split=split_of(config),
                snapshots=hashes,
                recipe=linked.recipe,
                sources=linked.sources,
                job_id=context.job_id,
            )
    finally:
        duck.close()
        shutil.rmtree(scratch, ignore_errors=True)
    save_reports(context.store, version.id, linked.reports)
    return _result(version, linked)


def roles_of(config: Config, linked: Linked) -> dict[str, str]:
    """Return the role of each column that is no feature."""
    roles = dict.fromkeys(config.dataset.key, "key")
    if config.dataset.time:
        roles[config.dataset.time] = "time"
    if config.problem.target:
        roles[config.problem.target] = "label"
    for column, role in roles.items():
        if column not in linked.sources:
            place = {"key": "dataset.key", "time": "dataset.time", "label": "problem.target"}[role]
            raise BadInput(
                f"The {role} {column!r} is no column of the dataset.",
                f"Derive it, or change {place}. Columns: {', '.join(linked.sources)}.",
                place,
            )
    return roles


def split_of(config: Config) -> dict[str, tuple[str, str]]:
    """Return start and end of each declared part."""
    split = config.dataset.split
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return {part: (span.start, span.end) for part, span in parts.items() if span is not None}


def _result(version: Version, linked: Linked) -> dict[str, Any]:
    return {
        "version": version.id,
        "name": version.name,
        "number": version.number,
        "rows": version.rows,
        "repeated_keys": version.repeated_keys,
        "links": [
            {"source": report.source, "match_rate": report.match_rate, "orphan_rows": report.orphan_rows}
            for report in linked.reports
        ],
        "multiplied_by": [report.source for report in linked.reports if report.multiplies],
        "quarantined": msgspec.to_builtins(linked.quarantined),
    }


def _record_sync(context: JobContext, source: str, state: str, why: str) -> None:
    row = {"source": source, "state": state, "why": why, "at": clock.now_ms(), "job_id": context.job_id}
    with context.store.write() as db:
        db.table("source_syncs").upsert(msgspec.to_builtins(row), pk="source")
