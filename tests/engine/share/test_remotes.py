"""What lemnis.toml may declare as a remote, and what is refused with its line."""

from pathlib import Path

import pytest

from lemnis.engine.config import parse_config
from lemnis.engine.errors import BadInput, ConfigError, NotFound
from lemnis.engine.share.place import declared_remote, open_remote
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "remotes.team has no address"),
        ("https://example.org/hub", "nothing can be shared over https://"),
        ("postgresql://host/db", "nothing can be shared over postgresql://"),
        ("s3://a::s3://b", "nothing can be shared over s3://"),
        ("sftp://me:secret@host/hub", "a password stands in the address"),
    ],
)
def test_addresses_that_can_not_be_shared_at_are_refused_with_their_line(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        parse_config(f'[problem]\ntitle = "x"\n[remotes.team]\nurl = "{url}"\n')
    assert refused.value.place == "lemnis.toml:4"
    assert "secret" not in str(refused.value.problem)


def test_a_remote_may_be_left_out_where_there_is_one(tmp_path: Path) -> None:
    text = '[remotes.one]\nurl = "hub"\n'
    store = Store(create_workspace(tmp_path / "w", text))
    assert declared_remote(store)[0] == "one"
    assert open_remote(store).shown == str(tmp_path / "w/hub")
    store.workspace.config.write_text(text + '[remotes.two]\nurl = "sftp://me:${NOT_THERE}@host/hub"\n')
    with pytest.raises(NotFound, match="There are 2 remotes"):
        open_remote(store)
    with pytest.raises(NotFound, match="There is no remote 'three'"):
        open_remote(store, "three")
    with pytest.raises(BadInput, match="the environment has no NOT_THERE") as refused:
        open_remote(store, "two")
    assert refused.value.place == "remotes.two.url"
    store.close()
