"""Every kind of place keeps the same promises: whole or absent, verified, and gone on with where it broke off."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.errors import Cancelled, Damaged
from lemnis.engine.share import multipart
from lemnis.engine.share.elsewhere import Elsewhere
from lemnis.engine.share.folder import Folder
from lemnis.engine.share.manifest import Stored
from lemnis.engine.share.place import Shared, fetched

WHO = "0" * 32
PART = 5 << 20  # the smallest that S3 takes
SIZE = 3 * PART + 12_345

pytestmark = [
    pytest.mark.slow,  # real servers and megabytes; the quick round trips use them too
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(params=["folder", "s3", "sftp"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Shared]:
    """Open the place anew, as another process would."""
    if request.param == "folder":
        return lambda: Folder("team", tmp_path / "hub", WHO)
    if request.param == "s3":
        request.getfixturevalue("bucket")
        monkeypatch.setattr(multipart, "PART_BYTES", PART)
        monkeypatch.setattr("lemnis.engine.share.elsewhere.PART_BYTES", PART)
        return lambda: Elsewhere("team", "s3://rows/hub", WHO)
    address = request.getfixturevalue("sftp")
    return lambda: Elsewhere("team", f"{address}{tmp_path}/far/hub", WHO)


class Line:
    """Counts bytes, and goes dead after some of them."""

    def __init__(self, most: int = 1 << 60) -> None:
        self.calls: list[int] = []
        self.most = most

    def __call__(self, count: int) -> None:
        self.calls.append(count)
        if sum(self.calls) > self.most:
            raise Cancelled("the line went dead")


def written(path: Path) -> Stored:
    content = b"".join(sha256(str(n).encode()).digest() for n in range(SIZE // 32 + 1))[:SIZE]
    path.write_bytes(content)
    return Stored(sha256=sha256(content).hexdigest(), bytes=SIZE, suffix="parquet", use="table")


def test_a_transfer_that_broke_off_is_gone_on_with_both_ways(
    opened: Callable[[], Shared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "rows.parquet"
    stored = written(source)
    with pytest.raises(Cancelled):
        opened().put(source, stored, Line(2 * PART))
    assert opened().size(stored.path) is None
    assert opened().listed("objects") == {}
    place, sent = opened(), list[int]()
    if isinstance(place, Elsewhere) and place.scheme == "s3":
        real: Any = place.store.call_s3

        def call(method: str, **named: Any) -> Any:
            if method == "upload_part":
                sent.append(len(named["Body"]))
            return real(method, **named)

        monkeypatch.setattr(place.store, "call_s3", call)
        place.put(source, stored, Line())
        assert sent == [12_345]  # the three whole parts were there
    else:
        line = Line()
        place.put(source, stored, line)
        assert 2 * PART <= line.calls[0] < SIZE  # what was there already, told at once
        assert sum(line.calls) == SIZE
    assert opened().listed("objects") == {stored.path: SIZE}

    target = tmp_path / "copy"
    with pytest.raises(Cancelled):
        fetched(opened(), stored, target, Line(PART))
    held = target.stat().st_size
    assert PART <= held < SIZE
    line = Line()
    fetched(opened(), stored, target, line)
    assert line.calls[0] == held
    assert sum(line.calls) == SIZE
    assert target.read_bytes() == source.read_bytes()


def test_what_does_not_hold_what_its_hash_says_never_appears(opened: Callable[[], Shared], tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    stored = written(source)
    source.write_bytes(source.read_bytes()[:-1] + b"?")
    for _ in range(2):  # what the first attempt left is not trusted by the second
        with pytest.raises(Damaged, match="was not sent"):
            opened().put(source, stored, Line())
        assert opened().listed("objects") == {}
    written(source)
    opened().put(source, stored, Line())
    target = tmp_path / "copy"
    target.write_bytes(b"something else that was here")
    assert fetched(opened(), stored, target, Line()).read_bytes() == source.read_bytes()


def test_a_small_file_is_replaced_in_one_step(opened: Callable[[], Shared]) -> None:
    path, other = (f"manifests/run/x/{letter * 64}.json" for letter in "01")
    for content in (b"one", b"two, longer", b"3"):
        opened().write(path, content)
        assert opened().read([path]) == {path: content}
    opened().write(other, b"another")
    assert set(opened().listed("manifests")) == {path, other}
    assert len(opened().read([path, other])) == 2
    assert opened().listed("nothing") == {}
