"""Files elsewhere: a real S3 service (moto's) and a real SSH server on loopback."""

from pathlib import Path
from typing import Any

import pytest

from lemnis.engine.errors import BadInput, LemnisError


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
class TestS3:
    @pytest.mark.slow
    def test_an_object_is_read_once_and_then_costs_a_stat(
        self, desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from lemnis.engine.data import remote

        bucket("표/a.csv", "이름,n\n김,1\n")
        desk.declare(sources={"table": {"path": "s3://rows/표/a.csv"}})
        desk.sync()
        assert desk.rows() == [{"이름": "김", "n": 1}]
        with monkeypatch.context() as patch:
            patch.setattr(remote, "fetched", lambda *_: pytest.fail("it was fetched"))
            assert desk.sync()["sources"][0]["new"] is False
        bucket("표/a.csv", "이름,n\n박,2\n")  # as many bytes as before
        desk.sync()
        assert desk.rows() == [{"이름": "박", "n": 2}]

    @pytest.mark.slow
    def test_new_objects_of_a_pattern_are_added_without_fetching_the_others(
        self, desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from lemnis.engine.data import remote

        bucket("logs/1.csv", "a\n1\n")
        bucket("logs/2.csv", "a\n2\n")
        desk.declare(sources={"table": {"path": "s3://rows/logs/*.csv", "filename": "file"}})
        desk.sync()
        bucket("logs/3.csv", "a\n3\n")
        seen: list[str] = []
        fetched = remote.fetched
        monkeypatch.setattr(remote, "fetched", lambda *a: seen.append(a[2].name) or fetched(*a))
        assert desk.sync()["sources"][0]["read"] == 1
        assert seen == ["s3://rows/logs/3.csv"]
        assert [(row["a"], row["file"]) for row in desk.rows()] == [(1, "1.csv"), (2, "2.csv"), (3, "3.csv")]

    @pytest.mark.slow
    def test_a_copy_that_broke_off_is_gone_on_with(
        self, desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from lemnis.engine.data import remote

        monkeypatch.setattr(remote, "COPY_BYTES", 1000)
        text = "a\n" + "".join(f"{n}\n" for n in range(20_000))
        bucket("big.csv", text)
        desk.declare(sources={"table": {"path": "s3://rows/big.csv"}})
        go_on, sizes = remote._go_on, list[int]()

        def broken(source: Any, origin: Any, partial: Path, on_step: Any) -> None:
            sizes.append(partial.stat().st_size if partial.exists() else 0)

            def step(share: float, words: str) -> None:
                if len(sizes) < 3 and share > 0.3 * len(sizes):
                    raise remote.Unavailable("the line went dead")
                on_step(share, words)

            go_on(source, origin, partial, step)

        monkeypatch.setattr(remote, "_go_on", broken)
        desk.sync()
        assert sizes[0] == 0
        assert 0 < sizes[1] < sizes[2] < len(text)
        assert len(desk.rows()) == 20_000
        assert list(desk.engine.workspace.data.glob(".*")) == []

    def test_what_is_not_there_is_said(self, desk: Any, bucket: Any) -> None:
        for path, words in (("s3://rows/none.csv", "does not exist"), ("s3://rows/x*.csv", "no file fits")):
            desk.declare(sources={"table": {"path": path}})
            with pytest.raises(BadInput, match=words):
                desk.sync()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
class TestSftp:
    def test_files_are_read_over_ssh(self, desk: Any, sftp: str, tmp_path: Path) -> None:
        (tmp_path / "far").mkdir()
        (tmp_path / "far/1.csv").write_text("이름\n김\n")
        desk.declare(sources={"table": {"path": f"{sftp}{tmp_path}/far/*.csv"}})
        desk.sync()
        (tmp_path / "far/2.csv").write_text("이름\n박\n")
        assert desk.sync()["sources"][0]["read"] == 1
        assert desk.rows() == [{"이름": "김"}, {"이름": "박"}]
        assert desk.sync()["sources"][0]["new"] is False

    def test_a_server_whose_key_is_not_known_is_refused(self, desk: Any, sftp: str, tmp_path: Path) -> None:
        (tmp_path / "home/.ssh/known_hosts").write_text("")
        desk.declare(sources={"table": {"path": f"{sftp}{tmp_path}/x.csv"}})
        with pytest.raises(BadInput, match=r"not in ~/\.ssh/known_hosts"):
            desk.sync()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("https://example.org/a.csv", "https addresses are not read"),
        ("github://x/y", "addresses of github:// are not read"),
        ("s3://a::s3://b", "are not read"),
        ("sftp://me:secret@host/a.csv", "a password stands in the address"),
        ("sftp://me:${NOT_THERE}@host/a.csv", "the environment has no NOT_THERE"),
    ],
)
def test_addresses_that_are_not_read_are_refused(desk: Any, path: str, words: str) -> None:
    desk.declare(sources={"table": {"path": path}})
    with pytest.raises(BadInput, match=words):
        desk.sync()


def test_a_pattern_of_workbooks_is_refused_without_asking_anybody(desk: Any) -> None:
    desk.declare(sources={"table": {"path": "s3://nowhere/*.xlsx", "format": "excel"}})
    with pytest.raises(BadInput, match="can't gather excel files"):
        desk.sync()


def test_a_missing_package_is_named(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    def absent(scheme: str) -> Any:
        raise ImportError(scheme)

    monkeypatch.setattr(fsspec, "get_filesystem_class", absent)
    desk.declare(sources={"table": {"path": "s3://a/b.csv"}})
    with pytest.raises(LemnisError) as refused:
        desk.sync()
    assert refused.value.remedy == "pip install 'lemnis[s3]'"


def test_a_file_address_is_a_file(desk: Any) -> None:
    path = desk.write("한글 a.csv", "a\n1\n")
    desk.declare(sources={"table": {"path": path.as_uri()}})
    desk.sync()
    assert desk.rows() == [{"a": 1}]
