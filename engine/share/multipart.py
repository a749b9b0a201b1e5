"""Sending a large file to S3 in parts; parts that an earlier attempt has sent are not sent again."""

import hashlib
import re
from pathlib import Path
from typing import Any

from lemnis.engine.share.leftovers import Leftover
from lemnis.engine.share.manifest import Stored
from lemnis.engine.share.place import OnBytes, not_as_named

PART_BYTES = 8 << 20
MOST_PARTS = 10_000  # of one upload, by S3's own rule
OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.[a-z]+\Z")  # what we send, below ``objects/``

# Any in this file: s3fs and the documents of S3 are untyped.


def put_in_parts(store: Any, path: str, source: Path, stored: Stored, on_bytes: OnBytes) -> None:
    """Send a file in parts and put it together, once all of it was found to hold what its hash says.

    Raises:
        Damaged: It holds something else; the upload is given up.
    """
    bucket, _, key = path.partition("/")
    size = max(PART_BYTES, -(-stored.bytes // MOST_PARTS))
    upload, held = open_upload(store, bucket, key)
    digest = hashlib.sha256()
    parts: list[dict[str, Any]] = []
    with open(source, "rb") as file:
        while block := file.read(size):
            number = len(parts) + 1
            digest.update(block)
            tag = held.get((number, len(block), hashlib.md5(block, usedforsecurity=False).hexdigest()))
            if tag is None:
                sent = store.call_s3(
                    "upload_part", Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=block
                )
                tag = sent["ETag"]
            parts.append({"PartNumber": number, "ETag": tag})
            on_bytes(len(block))
    if digest.hexdigest() != stored.sha256:
        store.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=upload)
        raise not_as_named(source)
    store.call_s3(
        "complete_multipart_upload", Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    store.invalidate_cache()


def open_upload(store: Any, bucket: str, key: str) -> tuple[str, dict[tuple[int, int, str], str]]:
    """Return the newest unfinished upload of a key, or a new one, and its parts by number, size and MD5."""
    listed = store.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=key)
    found: list[dict[str, Any]] = listed.get("Uploads") or []
    mine = sorted((one for one in found if one["Key"] == key), key=lambda one: one["Initiated"])
    if not mine:
        return store.call_s3("create_multipart_upload", Bucket=bucket, Key=key)["UploadId"], {}
    upload: str = mine[-1]["UploadId"]
    parts = parts_of(store, {"Bucket": bucket, "Key": key, "UploadId": upload})
    return upload, {(part["PartNumber"], part["Size"], part["ETag"].strip('"')): part["ETag"] for part in parts}


def parts_of(store: Any, upload: dict[str, str]) -> list[dict[str, Any]]:
    """Return the parts that are there of an upload, in their order."""
    found: list[dict[str, Any]] = []
    marker = 0
    while True:
        page = store.call_s3("list_parts", **upload, PartNumberMarker=marker)
        found += page.get("Parts") or []
        if not page.get("IsTruncated"):
            return found
        marker = int(page["NextPartNumberMarker"])


def unfinished(store: Any, root: str) -> list[Leftover]:
    """Return the uploads of shared files below a root that were not put together."""
    bucket, _, folder = root.partition("/")
    prefix = f"{folder}/objects/" if folder else "objects/"
    found: list[Leftover] = []
    after: dict[str, str] = {}
    while True:
        page = store.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **after)
        uploads: list[dict[str, Any]] = page.get("Uploads") or []
        for one in uploads:
            if OBJECT.match(one["Key"].removeprefix(prefix)):
                upload = {"Bucket": bucket, "Key": one["Key"], "UploadId": one["UploadId"]}
                parts = parts_of(store, upload)
                last = max([one["Initiated"], *(part["LastModified"] for part in parts)])
                size = sum(part["Size"] for part in parts)
                found.append(Leftover(bytes=size, at=round(last.timestamp() * 1000), handle=upload))
        if not page.get("IsTruncated"):
            return found
        after = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def abandon(store: Any, upload: dict[str, str]) -> None:
    """Give up an upload and its parts; it may have been put together or given up already."""
    try:
        store.call_s3("abort_multipart_upload", **upload)
    except FileNotFoundError:
        return
