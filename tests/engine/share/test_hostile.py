"""Bundles and remotes that are broken, altered or made to do harm: one sentence each, and nothing has changed."""

import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sharing import Pair

from lemnis.engine.errors import LemnisError
from lemnis.engine.share import bundle
from lemnis.engine.share.manifest import MOST_BYTES

Entries = dict[str, bytes]


@pytest.fixture
def good(pair: Pair, tmp_path: Path) -> Path:
    """A bundle of one dataset version."""
    pair.a.export(tmp_path / "good.zip", "v1")
    return tmp_path / "good.zip"


def entries_of(file: Path) -> Entries:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rebuilt(good: Path, change: Callable[[Entries], None], **options: Any) -> Path:
    """Return a bundle whose entries were changed, and whose archive is in order."""
    entries = entries_of(good)
    change(entries)
    target = good.with_name("bad.zip")
    with zipfile.ZipFile(target, "w", options.get("compression", zipfile.ZIP_STORED)) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target


def refused(pair: Pair, file: Path, words: str) -> LemnisError:
    """Assert that importing a file says these words in one sentence and changes nothing."""
    before = pair.b.state()
    with pytest.raises(LemnisError, match=words) as error:
        pair.b.take(file)
    assert "\n" not in error.value.problem
    assert pair.b.state() == before
    return error.value


def named(entries: Entries, prefix: str) -> str:
    return next(name for name in entries if name.startswith(prefix))


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Entries], None]:
    """Return a change of the manifest's document."""

    def apply(entries: Entries) -> None:
        name = named(entries, "manifests/")
        document = msgspec.json.decode(entries[name])
        change(document)
        entries[name] = msgspec.json.encode(document)

    return apply


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt", "/etc/cron.d/evil", "objects/../../evil.json", "C:\\evil.txt", "evil.txt", "objects/ab/c.txt",
        "manifests/dataset/../../../evil.json", "cards/\x1b[31m.md", "objects/", "README.txt\x00.exe",
    ],
)  # fmt: skip
def test_an_entry_that_no_bundle_has(pair: Pair, good: Path, name: str) -> None:
    with zipfile.ZipFile(good, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        archive.writestr(info, b"x")
    error = refused(pair, good, "which no bundle has|no bundle, or is not whole")
    assert "\x1b" not in error.problem


def test_a_compressed_bomb(pair: Pair, good: Path) -> None:
    refused(pair, rebuilt(good, lambda entries: None, compression=zipfile.ZIP_DEFLATED), "is compressed")


def test_entries_that_say_more_than_the_file_has() -> None:
    entries = [zipfile.ZipInfo(f"objects/ab/{n:062x}.txt") for n in range(3)]
    for one in entries:
        one.file_size = one.compress_size = 500  # overlapping: each speaks of the same bytes
    assert bundle.wrong_entry(entries, 1499) == "its entries say 1,500 bytes, the file has 1,499"
    assert bundle.wrong_entry(entries, 1500) == ""


def test_a_link(pair: Pair, good: Path) -> None:
    with zipfile.ZipFile(good, "a") as archive:
        info = zipfile.ZipInfo("cards/link.md")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
    refused(pair, good, "is a link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_twice(pair: Pair, good: Path) -> None:
    with zipfile.ZipFile(good, "a") as archive:
        archive.writestr("README.txt", b"another")
    refused(pair, good, "two entries 'README.txt'")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_was_cut_off(pair: Pair, good: Path, share: float) -> None:
    os.truncate(good, int(good.stat().st_size * share))
    refused(pair, good, "no bundle, or is not whole")


def test_a_directory_too_large_to_be_read(pair: Pair, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "DIRECTORY_BYTES", 100)
    refused(pair, good, "bytes of names")
    monkeypatch.undo()
    monkeypatch.setattr(bundle, "MOST_ENTRIES", 2)
    refused(pair, good, "a bundle has at most 2")


def test_files_that_are_none(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("PK, but no archive")
    refused(pair, tmp_path / "text.zip", "no bundle, or is not whole")
    refused(pair, tmp_path, "no bundle, or is not whole")
    refused(pair, tmp_path / "none.zip", "There is no file")


def test_a_flipped_bit_anywhere_is_found(pair: Pair, good: Path) -> None:
    content = good.read_bytes()
    with zipfile.ZipFile(good) as archive:
        table = archive.getinfo(named({name: b"" for name in archive.namelist()}, "objects/"))
    for place in (table.header_offset + 200, table.header_offset + table.file_size // 2):
        good.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        refused(pair, good, "is damaged|does not hold what its hash says")


def test_a_table_of_another_content_under_the_right_name(pair: Pair, good: Path) -> None:
    def change(entries: Entries) -> None:
        entries[named(entries, "objects/")] = b"PAR1 something else"

    refused(pair, rebuilt(good, change), "does not hold what its hash says")


def test_a_table_that_is_missing(pair: Pair, good: Path) -> None:
    def change(entries: Entries) -> None:
        entries.pop(named(entries, "objects/"))

    refused(pair, rebuilt(good, change), "is missing")


def test_a_table_that_lemnis_did_not_write(pair: Pair, good: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "plain.parquet")
    content = (tmp_path / "plain.parquet").read_bytes()
    hashed = sha256(content).hexdigest()

    def change(entries: Entries) -> None:
        name = named(entries, "manifests/")
        document = msgspec.json.decode(entries.pop(name))
        document["id"] = document["body"]["version"]["id"] = document["objects"][0]["sha256"] = hashed
        document["objects"][0]["bytes"] = len(content)
        entries[f"manifests/dataset/small/{hashed}.json"] = msgspec.json.encode(document)
        entries[f"objects/{hashed[:2]}/{hashed[2:]}.parquet"] = content

    refused(pair, rebuilt(good, change), "can't be read as a dataset version")


def test_a_huge_manifest(pair: Pair, good: Path) -> None:
    def change(entries: Entries) -> None:
        entries[named(entries, "manifests/")] += b" " * MOST_BYTES

    refused(pair, rebuilt(good, change), f"{MOST_BYTES:,} are read")


def test_manifests_that_were_altered(pair: Pair, good: Path) -> None:
    def set_schema(document: dict[str, Any]) -> None:
        document["schema"] = 99

    def set_rows(document: dict[str, Any]) -> None:
        document["body"]["version"]["rows"] += 1

    def set_name(document: dict[str, Any]) -> None:
        document["name"] = "../../evil"

    def set_id(document: dict[str, Any]) -> None:
        document["id"] = "0" * 64

    def set_size(document: dict[str, Any]) -> None:
        document["objects"][0]["bytes"] = -1

    def set_kind(document: dict[str, Any]) -> None:
        document["kind"] = "run"

    for change, words in (
        (set_schema, "written by a newer Lemnis"),
        (set_rows, "rows, not of"),
        (set_name, "can't be read"),
        (set_id, "contradicts itself"),
        (set_size, "can't be read"),
        (set_kind, "contradicts itself"),
    ):
        refused(pair, rebuilt(good, edited(change)), words)
    for content in (b"", b"{", b"[]", b'{"format": "x", "schema": 1}', b"[" * 50_000, b"\xff\xfe"):

        def replace(entries: Entries, content: bytes = content) -> None:
            entries[named(entries, "manifests/")] = content

        refused(pair, rebuilt(good, replace), "can't be read|of no format")


def test_a_model_that_does_not_answer_as_recorded(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "good.zip", "late@1")

    def change(entries: Entries) -> None:
        from lemnis.engine.share.manifest import decode, encode, id_of

        name = named(entries, "manifests/model/")
        manifest = decode(entries.pop(name), name)
        body: Any = manifest.body
        golden = msgspec.structs.replace(body.golden, answers=[[0.5]] * len(body.golden.rows))
        body = msgspec.structs.replace(body, golden=golden)
        manifest = msgspec.structs.replace(manifest, body=body, id=id_of(body))
        entries[manifest.path] = encode(manifest)

    refused(pair, rebuilt(tmp_path / "good.zip", change), "The model was refused")


@given(st.text(min_size=1, max_size=80) | st.from_regex(r"\A(objects|manifests|cards)/[a-z0-9./\\-]{1,80}\Z"))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    if not bundle.wrong_entry([info], 1 << 20):
        path = os.path.normpath(f"/here/{name}")
        assert path == f"/here/{name}"
        assert ".." not in name.split("/")


class TestRemotes:
    @pytest.fixture
    def hub(self, pair: Pair, tmp_path: Path) -> Path:
        for desk in pair:
            desk.remote("../hub")
        pair.a.push("v1")
        return tmp_path / "hub"

    def refused(self, pair: Pair, words: str) -> None:
        before = pair.b.state()
        with pytest.raises(LemnisError, match=words):
            pair.b.pull("v1")
        assert pair.b.state() == before

    def test_files_that_are_torn_altered_or_gone_are_refused_and_mended(self, pair: Pair, hub: Path) -> None:
        table = next(hub.rglob("*.parquet"))
        content = table.read_bytes()
        for bad in (content[: len(content) // 2], content[:100] + b"\x00" + content[101:], b""):
            table.write_bytes(bad)
            self.refused(pair, "does not hold what its hash says")
            assert pair.a.push("v1", verify=True)["bytes"] == len(content)
            assert table.read_bytes() == content
        table.unlink()
        self.refused(pair, "is missing")
        pair.a.push("v1")  # what is missing, or has another size, is sent without being asked
        pair.b.pull("v1")

    def test_a_manifest_that_can_not_be_read_hides_no_other(self, pair: Pair, hub: Path) -> None:
        pair.a.push("run:1")
        next(hub.glob("manifests/run/*/*.json")).write_text("{}")
        (hub / "manifests/run/notes.txt").write_text("left by somebody")
        found = pair.b.engine.share.overview()
        assert [item.ref for item in found.items] == ["small@v1"]
        assert len(found.faults) == 1
        pair.b.pull("v1")

    def test_a_link_at_a_remote_is_no_file(self, pair: Pair, hub: Path, tmp_path: Path) -> None:
        manifest = next(hub.glob("manifests/dataset/*/*.json"))
        shutil.move(manifest, tmp_path / "elsewhere.json")
        manifest.symlink_to(tmp_path / "elsewhere.json")
        assert pair.b.engine.share.overview().items == []

    def test_a_file_here_that_is_damaged_is_not_sent(self, pair: Pair, hub: Path) -> None:
        shutil.rmtree(hub)
        path = pair.a.engine.data.version(1).path
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        with pytest.raises(LemnisError, match="damaged"):
            pair.a.push("v1")
        assert not list(hub.rglob("*.json"))
        assert not list(hub.rglob("*.parquet"))
