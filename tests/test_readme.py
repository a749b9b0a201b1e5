"""What the README says is true: its keys, its pictures, its commands."""

import re

import pytest
from readme import README, ROOT, written

from lemnis.tui.commands.group import run

TEXT = README.read_text()


def test_the_keys_and_pictures_are_those_of_the_console() -> None:
    assert written(TEXT) == TEXT, "run `make docs`"


def test_every_picture_and_every_target_of_make_exists() -> None:
    for picture in re.findall(r"\]\((screenshots/[^)]+)\)", TEXT):
        assert (ROOT / picture).exists(), picture
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", TEXT):
        assert re.search(rf"^{target}:", makefile, re.M), target


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^\$ lemnis ([a-z]+(?: [a-z][a-z-]*)?)", TEXT, re.M))))
def test_every_command_in_the_readme_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0, capsys.readouterr().err
