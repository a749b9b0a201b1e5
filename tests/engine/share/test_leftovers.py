"""What transfers that broke off have left at a place is cleared away by a later push, once nobody goes on with it."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from sharing import Pair

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import Cancelled
from lemnis.engine.share import jobs, multipart
from lemnis.engine.share.elsewhere import Elsewhere
from lemnis.engine.share.folder import Folder
from lemnis.engine.share.leftovers import KEPT_MS, Swept, sweep
from lemnis.engine.share.manifest import Stored
from lemnis.engine.share.place import Shared

PART = 64 << 10
DAY_MS = 86_400_000

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["folder", "s3", pytest.param("sftp", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        monkeypatch.setattr("lemnis.engine.share.folder.BLOCK_BYTES", PART)
        return str(tmp_path / "hub")
    if request.param == "s3":
        request.getfixturevalue("bucket")
        monkeypatch.setattr(multipart, "PART_BYTES", PART)
        monkeypatch.setattr("lemnis.engine.share.elsewhere.PART_BYTES", PART)
        return "s3://rows/hub"
    monkeypatch.setattr("lemnis.engine.share.elsewhere.BLOCK_BYTES", PART)
    return f"{request.getfixturevalue('sftp')}{tmp_path}/far/hub"


def opened(url: str, who: str) -> Shared:
    return Elsewhere("team", url, who) if "://" in url else Folder("team", Path(url), who)


def breaks_off(after: int) -> Callable[[int], None]:
    moved: list[int] = []

    def on_bytes(count: int) -> None:
        moved.append(count)
        if sum(moved) >= after:
            raise Cancelled("the line went dead")

    return on_bytes


def send_in_part(url: str, source: Path, who: str) -> Stored:
    """Send the first of the parts of a file."""
    content = source.stem.encode() * (4 * PART // len(source.stem))
    source.write_bytes(content)
    stored = Stored(sha256=sha256(content).hexdigest(), bytes=len(content), suffix="parquet", use="table")
    with pytest.raises(Cancelled):
        opened(url, who).put(source, stored, breaks_off(PART))
    return stored


def test_only_what_nobody_went_on_with_for_a_week_goes(url: str, tmp_path: Path) -> None:
    send_in_part(url, tmp_path / "one", "0" * 32)
    send_in_part(url, tmp_path / "two", "1" * 32)
    place, now = opened(url, "2" * 32), now_ms()
    assert sweep(place, now) == Swept()
    assert sweep(place, now + KEPT_MS - DAY_MS) == Swept()
    gone = sweep(place, now + KEPT_MS + DAY_MS)
    assert (gone.files, gone.problem) == (2, "")
    assert gone.bytes >= 2 * PART
    assert place.leftovers() == []
    assert sweep(place, now + KEPT_MS + DAY_MS) == Swept()


def test_a_push_tells_what_it_cleared_away_and_leaves_what_another_one_goes_on_with(
    url: str, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.a.remote(url)
    send_in_part(url, tmp_path / "one", "0" * 32)
    assert pair.a.push("v1")["swept"]["files"] == 0, "it is young"
    late = now_ms() + KEPT_MS + DAY_MS
    monkeypatch.setattr(jobs, "now_ms", lambda: late)
    waiting = pair.a.engine.share.start_push(["run:1"])
    assert pair.a.push("v1")["swept"]["files"] == 0, "another transfer of ours may be going on with it"
    pair.a.engine.jobs.cancel(waiting)
    swept = pair.a.push("v1")["swept"]
    assert (swept["files"], swept["problem"]) == (1, "")
    assert opened(url, "0" * 32).listed("objects") != {}


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    hub = tmp_path / "hub/incoming"
    hub.mkdir(parents=True)
    (hub / "notes.txt").write_text("mine")
    (hub / ("0" * 32 + "-" + "a" * 64)).write_text("half")
    assert sweep(Folder("team", tmp_path / "hub", "0" * 32), now_ms() + 2 * KEPT_MS) == Swept(files=1, bytes=4)
    assert [path.name for path in hub.iterdir()] == ["notes.txt"]
