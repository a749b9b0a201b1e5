"""Pushing: files first, each verified and only where it is not there yet, then the manifest that makes them a thing."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from lemnis.engine.errors import LemnisError
from lemnis.engine.files import sha256_of
from lemnis.engine.share.catalog import manifests_at
from lemnis.engine.share.leftovers import Swept
from lemnis.engine.share.manifest import Manifest, Stored, encode
from lemnis.engine.share.meter import Meter
from lemnis.engine.share.pack import Packed
from lemnis.engine.share.place import Shared


class Sent(Struct, frozen=True, kw_only=True):
    """What a push did.

    Attributes:
        things: Each thing's kind, ref, title and id, and whether it was ``new`` or ``there already``.
        files, bytes: What was sent; `kept` bytes were there already.
        swept: What transfers had left there that nobody went on with for a week.
    """

    things: list[dict[str, str]]
    files: int
    bytes: int
    kept: int
    swept: Swept = Swept()


def send(place: Shared, things: list[Packed], meter_of: Callable[[int], Meter], *, verify: Path | None) -> Sent:
    """Bring things to a place; with `verify`, a scratch folder, what is there is read again and mended.

    Raises:
        Damaged: A file here is; nothing that needs it becomes visible there.
        Unavailable: The place can't be reached.
    """
    there, _ = manifests_at(place)
    files = {stored: thing.files[stored.sha256] for thing in things for stored in thing.manifest.objects}
    by_hash = {stored.sha256: stored for stored in files}
    missing = {sha256: stored for sha256, stored in by_hash.items() if not is_there(place, stored, verify)}
    meter = meter_of(sum(stored.bytes for stored in missing.values()))
    told: list[dict[str, str]] = []
    sent: set[str] = set()
    for thing in things:
        manifest = thing.manifest
        for stored in manifest.objects:
            if stored.sha256 in missing and stored.sha256 not in sent:
                place.put(thing.files[stored.sha256], stored, meter)
                sent.add(stored.sha256)
        new = not same(there.get(manifest.id), manifest)
        if new:
            place.write(manifest.path, encode(manifest))
        state = "new" if manifest.id not in there else "there already"
        told.append(
            {"kind": manifest.kind, "ref": manifest.ref, "title": manifest.title, "id": manifest.id, "state": state}
        )
    size = sum(missing[sha256].bytes for sha256 in sent)
    kept = sum(stored.bytes for stored in by_hash.values()) - size
    return Sent(things=told, files=len(sent), bytes=size, kept=kept)


def is_there(place: Shared, stored: Stored, verify: Path | None) -> bool:
    """Say whether a place has a file in its full size, or when `verify` is a folder, with its very content."""
    if place.size(stored.path) != stored.bytes:
        return False
    if verify is None:
        return True
    copy = verify / stored.sha256
    try:
        place.get(stored, copy, lambda _: None)
        return sha256_of(copy) == stored.sha256
    except LemnisError:
        return False
    finally:
        copy.unlink(missing_ok=True)


def same(there: Manifest | None, manifest: Manifest) -> bool:
    """Say whether a place's manifest tells what ours does."""
    return there is not None and encode(there) == encode(manifest)
