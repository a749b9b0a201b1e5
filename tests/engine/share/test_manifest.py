"""The manifest's codec: what was written is read, and nothing else is taken for one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data.split import Column, Part
from lemnis.engine.errors import BadInput
from lemnis.engine.share.card import card_of
from lemnis.engine.share.manifest import (
    DatasetBody,
    Maker,
    Manifest,
    RunBody,
    Stored,
    Verdict,
    VersionFacts,
    decode,
    encode,
    id_of,
    slug,
)

hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
texts = st.text(max_size=20)
counts = st.integers(0, 1 << 40)
moments = st.integers(0, 1 << 40)
names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,20}\Z")
figures = st.none() | st.floats(allow_nan=False, allow_infinity=False)
makers = st.builds(
    Maker, workspace=st.text("0123456789abcdef", min_size=32, max_size=32), workspace_name=texts, title=texts, who=texts
)
versions = st.builds(
    VersionFacts,
    id=hashes,
    name=names,
    number=st.integers(1, 1000),
    rows=counts,
    bytes=counts,
    columns=st.lists(st.builds(Column, name=texts, type=texts, role=st.sampled_from(["label", "feature"])), max_size=3),
    split=st.dictionaries(texts, st.builds(Part, start=moments, end=moments, rows=counts, labelled=counts), max_size=2),
    label_counts=st.dictionaries(texts, counts, max_size=3),
    repeated_keys=counts,
    snapshots=st.dictionaries(texts, hashes, max_size=2),
    recipe=texts,
    created_at=moments,
    linked_at=moments,
)
datasets = st.builds(
    DatasetBody,
    version=versions,
    checks=st.lists(
        st.builds(
            Verdict, name=texts, rule=texts, verdict=st.sampled_from(["pass", "fail"]), failing=st.none() | counts
        ),
        max_size=2,
    ),
)
runs = st.builds(
    RunBody,
    name=texts,
    number=st.integers(1, 1000),
    state=st.sampled_from(["finished", "lost"]),
    version=st.none() | versions,
    features=st.lists(texts, max_size=3),
    seed=st.none() | st.integers(-(1 << 60), 1 << 60),
    machine=st.dictionaries(texts, texts | counts, max_size=3),
    created_at=moments,
    started_at=st.none() | moments,
    params=st.dictionaries(texts, texts, max_size=3),
    metrics=st.dictionaries(texts, figures, max_size=3),
    tags=st.dictionaries(texts, texts, max_size=3),
    measured=st.dictionaries(texts, st.dictionaries(texts, figures, max_size=2), max_size=2),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    body: Any = draw(datasets | runs)
    objects = []
    if isinstance(body, DatasetBody):
        objects = [Stored(sha256=body.version.id, bytes=draw(counts), suffix="parquet", use="table")]
    return Manifest(
        kind="dataset" if isinstance(body, DatasetBody) else "run",
        id=id_of(body),
        name=body.version.name if isinstance(body, DatasetBody) else slug(body.name),
        title=draw(texts),
        created_at=draw(moments),
        maker=draw(makers),
        objects=objects,
        body=body,
    )


@given(manifests())
def test_what_was_written_is_read(manifest: Manifest) -> None:
    manifest = msgspec.structs.replace(manifest, card=card_of(manifest))
    read = decode(encode(manifest), manifest.path)
    assert read == manifest
    assert encode(read) == encode(manifest)
    assert id_of(read.body) == manifest.id


@given(manifests(), st.data())
def test_what_was_altered_is_refused_or_says_the_same_of_its_content(manifest: Manifest, data: st.DataObject) -> None:
    content = bytearray(encode(manifest))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    try:
        read = decode(bytes(content), manifest.path)
    except BadInput:
        return
    assert read.path == manifest.path  # neither id, kind nor name was touched


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(BadInput):
        decode(content, "manifests/run/x/y.json")


@given(st.text(max_size=200))
def test_any_name_becomes_part_of_a_path(text: str) -> None:
    part = slug(text)
    assert part
    assert "/" not in part
    assert part.strip(".") != ""
    assert len(part) <= 64
