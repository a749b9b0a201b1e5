"""The share room's work, done in a worker process: pushing, pulling, writing a bundle and taking one in."""

import fcntl
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.data.parquet import sweep
from lemnis.engine.errors import NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.share.bundle import Bundle, write_bundle
from lemnis.engine.share.catalog import manifests_at, with_needed
from lemnis.engine.share.items import local_items
from lemnis.engine.share.leftovers import sweep as sweep_place
from lemnis.engine.share.meter import Meter
from lemnis.engine.share.pack import Packed, packed, with_makers
from lemnis.engine.share.place import Place, open_remote
from lemnis.engine.share.sending import send
from lemnis.engine.share.unpack import adopt, checked, told

WAIT_S = 0.2

# Any in this file: arguments and results of a job, as JSON objects.


def push(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Bring the things of the ids in `items` to `remote`, with `data` also the rows that runs were trained on."""
    with alone(context), scratch(context) as folder:
        context.progress(None, f"looking at {arguments['remote']}")
        place = open_remote(context.store, arguments["remote"])
        things = gathered(context, arguments, folder)
        verify = folder if arguments.get("verify") else None
        sent = send(place, things, meter_of(context, "sending"), verify=verify)
        if not others_wait(context):  # what they are going on with is theirs
            sent = msgspec.structs.replace(sent, swept=sweep_place(place, now_ms()))
        return msgspec.to_builtins(sent)


def pull(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take the things of the ids in `items` over from `remote`."""
    with alone(context):
        context.progress(None, f"looking at {arguments['remote']}")
        place = open_remote(context.store, arguments["remote"])
        return taken_over(context, place, arguments, place.shown)


def export(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the things of the ids in `items` to the bundle `file`."""
    with alone(context), scratch(context) as folder:
        things = gathered(context, arguments, folder)
        sizes = {stored.sha256: stored.bytes for thing in things for stored in thing.manifest.objects}
        target = Path(arguments["file"])
        size = write_bundle(target, things, meter_of(context, "writing")(sum(sizes.values())))
        names = [
            {"kind": one.manifest.kind, "ref": one.manifest.ref, "title": one.manifest.title, "id": one.manifest.id}
            for one in things
        ]
        return {"things": names, "file": str(target), "bytes": size}


def bring_in(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take everything in the bundle `file` over."""
    with alone(context):
        bundle = Bundle(Path(arguments["file"]))
        try:
            return taken_over(context, bundle, arguments, bundle.shown)
        finally:
            bundle.close()


def gathered(context: JobContext, arguments: dict[str, Any], folder: Path) -> list[Packed]:
    """Return the things that are named by their ids, ready to be handed out.

    Raises:
        NotFound: One of them is gone.
    """
    store, wanted = context.store, list[str](arguments["items"])
    here = {item.id: item for item in local_items(store)}
    gone = next((id for id in wanted if id not in here), None)
    if gone is not None:
        raise NotFound(f"{gone[:8]} is no longer here.", "See `lemnis share list`.")
    items = with_makers(store, [here[id] for id in wanted], data=bool(arguments.get("data")))
    things: list[Packed] = []
    for number, item in enumerate(items):
        context.progress(number / len(items), f"reading {item.title}")
        things.append(packed(store, item, str(arguments.get("who", "")), folder))
    return things


def taken_over(context: JobContext, place: Place, arguments: dict[str, Any], via: str) -> dict[str, Any]:
    """Fetch, check and keep things of a place: those of the ids in `items`, everything when there are none.

    Raises:
        BadInput: A manifest can't be read; nothing was taken over.
    """
    store, workspace = context.store, context.workspace
    sweep(workspace, now_ms() / 1000)
    manifests, faults = manifests_at(place)
    wanted = list[str](arguments.get("items") or manifests)
    if faults and not arguments.get("items"):
        raise faults[0]
    if not wanted:
        raise NotFound(f"{place.shown} holds nothing.", "Push or export something first.")
    here = {item.id for item in local_items(store)}
    things = with_needed(place, manifests, wanted, data=bool(arguments.get("data")), here=here)
    looked = bool(arguments.get("dry_run"))
    meter = meter_of(context, "fetching")
    if looked:
        with tempfile.TemporaryDirectory(dir=workspace.data, prefix=".looking.") as folder:
            seen = checked(store, place, things, Path(folder), meter, everything=True)
            return {"things": msgspec.to_builtins(told(store, seen, looked=True))}
    found = checked(store, place, things, workspace.data, meter)
    context.progress(1.0, "keeping")
    return {"things": msgspec.to_builtins(adopt(store, found, via))}


def others_wait(context: JobContext) -> bool:
    """Say whether this workspace has another push that is not done yet."""
    live = JobsRoom(context.store).jobs(states=("queued", "preparing", "running"))
    return any(job.kind == "share.push" and job.id != context.job_id for job in live)


def meter_of(context: JobContext, doing: str) -> Callable[[int], Meter]:
    """Return what makes the meter of a transfer once its size is known."""
    return lambda total: Meter(context, total, doing)


@contextmanager
def alone(context: JobContext) -> Generator[None, None, None]:
    """Wait until no other job of this workspace shares anything: partial files have one writer."""
    with open(context.workspace.hidden / "share.lock", "ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                context.progress(None, "waiting for another transfer of this workspace")
                time.sleep(WAIT_S)
        yield


@contextmanager
def scratch(context: JobContext) -> Generator[Path, None, None]:
    """Yield a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(dir=context.workspace.data, prefix=".sharing.") as folder:
        yield Path(folder)
