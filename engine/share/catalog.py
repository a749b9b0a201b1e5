"""What stands at a place: its manifests, read and checked, and how that compares with what is here."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.errors import BadInput, LemnisError, NotFound
from lemnis.engine.share.items import item_of, local_items
from lemnis.engine.share.manifest import MOST_BYTES, Manifest, decode
from lemnis.engine.share.records import Item, Overview
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.share.place import Place

MOST_MANIFESTS = 20_000
PATH = re.compile(r"manifests/(dataset|run|model)/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}/[0-9a-f]{64}\.json")


def manifests_at(place: "Place") -> tuple[dict[str, Manifest], list[LemnisError]]:
    """Return every manifest of a place by its id, and why others can't be read.

    Raises:
        BadInput: There are more than is read.
    """
    listed = {path: size for path, size in place.listed("manifests").items() if PATH.fullmatch(path)}
    if len(listed) > MOST_MANIFESTS:
        raise BadInput(f"{place.shown} has {len(listed):,} manifests; {MOST_MANIFESTS:,} are read.", "Use another.")
    large = [path for path, size in listed.items() if size > MOST_BYTES]
    faults: list[LemnisError] = [
        BadInput(f"A manifest has {listed[path]:,} bytes; {MOST_BYTES:,} are read.", "Ask for another.", path)
        for path in large
    ]
    found: dict[str, Manifest] = {}
    for path, content in place.read([path for path in listed if path not in large]).items():
        try:
            manifest = decode(content, path)
        except LemnisError as error:
            faults.append(error)
        else:
            found[manifest.id] = manifest
    return found, faults


def compared(here: Iterable[Item], there: Iterable[Item]) -> list[Item]:
    """Return the things of both sides, each once, newest first: what is called otherwise here says so."""
    found = {item.id: item for item in here}
    for item in there:
        own = found.get(item.id)
        if own is None:
            found[item.id] = item
        else:
            local = own.title if own.title != item.title else ""
            names = [*own.names, *(name for name in (item.ref, *item.names) if name not in own.names)]
            found[item.id] = msgspec.structs.replace(
                own, there=True, bytes=own.bytes or item.bytes, maker=item.maker, local=local, names=names
            )
    return sorted(found.values(), key=lambda item: -item.created_at)


def overview(store: Store, name: str, place: "Place") -> Overview:
    """Return what is here and at a remote."""
    found, faults = manifests_at(place)
    there = [item_of(manifest) for manifest in found.values()]
    return Overview(
        remote=name,
        url=place.shown,
        items=compared(local_items(store), there),
        faults=[f"{error.problem} {error.place}".strip() for error in faults],
    )


def with_needed(
    place: "Place", manifests: dict[str, Manifest], ids: Iterable[str], *, data: bool, here: set[str]
) -> list[Manifest]:
    """Return things with what they need: a model its run, unless that is `here`; with `data` a run its rows.

    Raises:
        NotFound: A thing is not there, or a model's run is not.
    """
    found: dict[str, Manifest] = {}
    waiting = list(ids)
    while waiting:
        id = waiting.pop()
        if id in found:
            continue
        if id not in manifests:
            raise NotFound(f"{place.shown} has no {id[:8]}.", "See `lemnis share list`; it may have to be pushed.")
        manifest = found[id] = manifests[id]
        for reference in manifest.refers:
            needed = manifest.kind == "model" and reference.id not in here
            if needed or (data and reference.id in manifests):
                waiting.append(reference.id)
    order = ("dataset", "run", "model")
    return sorted(found.values(), key=lambda manifest: order.index(manifest.kind))
