import base64
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lemnis.tui.clipboard import LIMIT_BYTES, osc52, save_copy


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_what_is_copied_comes_out_again(text: str) -> None:
    sequence = osc52(text, {})
    assert sequence is not None
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert match is not None
    assert base64.b64decode(match.group(1)).decode() == text


def test_tmux_gets_it_plain_and_passed_through_with_its_escapes_doubled() -> None:
    sequence = osc52("x", {"TMUX": "/tmp/tmux"})
    assert sequence == "\x1b]52;c;eA==\x07\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"


def test_screen_gets_it_in_pieces_it_can_pass_through() -> None:
    sequence = osc52("x" * 5000, {"TERM": "screen-256color"})
    assert sequence is not None
    parts = sequence.split("\x1b\\")[:-1]
    assert len(parts) > 1
    assert all(part.startswith("\x1bP") and len(part) < 768 for part in parts)
    assert "".join(part.removeprefix("\x1bP") for part in parts) == osc52("x" * 5000, {})


def test_what_is_too_long_for_a_terminal_goes_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    assert osc52("x" * LIMIT_BYTES, {}) is None
    path = save_copy("é" * 10, tmp_path / "copies")
    assert path.read_text("utf-8") == "é" * 10
    assert path.stat().st_mode & 0o777 == 0o600
