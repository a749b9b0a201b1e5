"""The shape of the project: packages are complete, imports go one way, files stay small, the lock has no address."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support import engine_at

from lemnis.engine.store.past import TABLES as PAST_TABLES
from lemnis.engine.store.past import TIMELESS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("tui/**/*.py")])


def test_every_folder_with_code_is_in_the_package_list() -> None:
    folders = {"lemnis." + ".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES}
    assert folders == set(PROJECT["tool"]["setuptools"]["packages"])


def test_no_module_has_a_second_copy_under_a_generic_name() -> None:
    code = "import lemnis.engine, lemnis.tui, sys; print([n for n in ('engine', 'tui') if n in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_there_are_no_modules_without_a_noun() -> None:
    assert not [path for path in SOURCES if path.name in ("utils.py", "helpers.py", "misc.py", "common.py")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""'), "a module starts with the sentence that says what it is"
    assert len(text.splitlines()) <= 400, "past 400 lines a file needs a second file"


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    for requirement in re.findall(r"^[a-z0-9_.-]+==.*?(?=^[a-z]|\Z)", lock, re.S | re.M):
        assert "--hash=sha256:" in requirement, requirement


def test_the_lock_pins_what_the_project_asks_for() -> None:
    locked = set(re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    names = {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower() for requirement in asked}
    assert names <= locked


def test_of_every_table_it_is_said_how_it_is_read_as_it_was(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "workspace")
    for name, told in PAST_TABLES.items():
        found = engine.store.rows("select name from sqlite_master where type = 'table'", name=name)
        kept = {row["name"] for row in found} - TIMELESS
        assert kept == set(told), f"engine/store/past.py says nothing of {sorted(kept ^ set(told))} as it was"
    engine.store.close()
