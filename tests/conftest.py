"""Every test sees the same terminal, new workspaces are copies, no property fails because the machine was busy."""

# pyright: basic

import gc
import os
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from lemnis.engine.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

for name in ("NO_COLOR", "SSH_TTY", "TMUX", "EDITOR", "VISUAL", "PYTHONUNBUFFERED"):
    os.environ.pop(name, None)
os.environ.update(
    TEXTUAL_ANIMATIONS="none", COLORTERM="truecolor", TERM="xterm-256color", TEXTUAL_COLOR_SYSTEM="truecolor"
)
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="lemnis-state-")  # what the console remembers for a person
# The same examples every time: a failure belongs to the change that is tested. `make properties` looks for others.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("search", deadline=None, max_examples=400)
settings.load_profile("same")
gc.disable()  # until all is collected: that stays to the end


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the wide screen of what is tested at both sizes to the long tests; begin with what takes longest.

    Journeys wait more than they compute: begun last, they would leave the other cores without work.
    """
    items.sort(key=lambda item: "journeys" not in item.path.parts)
    for item in items:
        call = getattr(item, "callspec", None)
        if call is not None and (160, 48) in (call.params.get("size"), call.params.get("console")):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Look through what tests leave behind, not through thousands of tests: a sixth of the time of the console's."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter clear away everything when it ends; extensions complain about what it can not."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def copied_schema() -> "Iterator[None]":
    """Give a new database what the migrations make of an empty one, made once; making it takes 0.2 s each time."""
    from sqlite_utils import Database

    migrate, made = schema.apply_migrations, dict[str, Any]()

    def copy(db: Database, name: Any) -> None:
        if db.table_names():
            migrate(db, name)
            return
        if name not in made:
            made[name] = Database(memory=True)
            migrate(made[name], name)
        made[name].conn.backup(db.conn)

    schema.apply_migrations = copy
    yield
    schema.apply_migrations = migrate


@pytest.fixture(scope="session", autouse=True)
def parsed_sheets() -> "Iterator[None]":
    """Parse a style sheet once a process; each console that is started would parse all of them anew."""
    from textual.css.model import RuleSet
    from textual.css.stylesheet import Stylesheet

    parse, parsed = Stylesheet._parse_rules, dict[Any, list[RuleSet]]()

    def once(self: Stylesheet, *source: Any, **options: Any) -> list[RuleSet]:
        key = (source, *options.items(), frozenset(self._variables.items()))
        if key not in parsed:
            parsed[key] = parse(self, *source, **options)
        return parsed[key]

    Stylesheet._parse_rules = once
    yield
    Stylesheet._parse_rules = parse
