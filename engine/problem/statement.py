"""Editing lemnis.toml: comments stay, what would not be accepted is refused, and the file is never half."""

import re
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from lemnis.engine.config import Config, parse_config, read_config
from lemnis.engine.errors import BadInput
from lemnis.engine.files import write_atomic
from lemnis.engine.store.connection import exclusive
from lemnis.engine.workspace import Workspace

STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]")
SECTIONS = set(Config.__struct_fields__)


def replace_text(workspace: Workspace, text: str, *, expected: str | None = None) -> bool:
    """Put a new text in place of lemnis.toml; return whether it differs.

    Args:
        workspace: Whose lemnis.toml.
        text: The whole new text.
        expected: What the file held when the edit began; None to replace whatever it holds.

    Raises:
        ConfigError: The text is not accepted; the file stays as it was.
        BadInput: Somebody else changed the file meanwhile.
    """
    parse_config(text)
    with exclusive(workspace.hidden / "config.lock"):
        current = read_config(workspace.config)
        if expected is not None and current != expected:
            raise BadInput(
                f"{workspace.config.name} was changed by somebody else meanwhile.",
                "Look at their change, then edit again.",
                str(workspace.config),
            )
        if current == text:
            return False
        write_atomic(workspace.config, text, mode=workspace.config.stat().st_mode & 0o777)
    return True


# Any: a value of any TOML type.
def text_with(text: str, key: str, value: Any) -> str:
    """Return a lemnis.toml text with one key set; comments and order stay.

    Args:
        text: The text now.
        key: Dotted, such as ``problem.threshold`` or ``problem.criteria[0].min``; without a known section in front
            it is one of the problem.
        value: The new value.

    Raises:
        BadInput: The key can't be followed.
    """
    steps = steps_of(key)
    document = tomlkit.parse(text)
    table: Any = document
    for position, step in enumerate(steps[:-1]):
        if isinstance(step, str) and isinstance(table, dict) and step not in table:
            table[step] = [] if isinstance(steps[position + 1], int) else tomlkit.table()
        table = _follow(table, step, key)
    last = steps[-1]
    if isinstance(last, int) or not isinstance(table, dict):
        _follow(table, last, key)
    try:
        table[last] = value
    except (TOMLKitError, TypeError, ValueError) as error:
        raise BadInput(f"{key} can't be set: {error}.", "Edit the file instead.", key) from None
    return tomlkit.dumps(document)


def steps_of(key: str) -> list[str | int]:
    """Return the names and places of a dotted key, beginning with a section of lemnis.toml."""
    steps: list[str | int] = []
    rest = key
    while rest:
        match = STEP.match(rest)
        if match is None:
            raise BadInput(f"{key!r} is no key.", "Write for example problem.threshold or problem.criteria[0].min.")
        steps.append(match.group(1) or int(match.group(2)))
        rest = rest[match.end() :].removeprefix(".")
    if not steps:
        raise BadInput("No key was given.", "Write for example problem.threshold.")
    return steps if steps[0] in SECTIONS else ["problem", *steps]


def value_of(text: str) -> Any:
    """Return what a person typed as a TOML value; text that is none is taken as a string."""
    try:
        return tomlkit.value(text).unwrap()
    except (TOMLKitError, ValueError):
        return text


def _follow(table: Any, step: str | int, key: str) -> Any:
    try:
        return table[step]
    except (KeyError, IndexError, TypeError, TOMLKitError):
        raise BadInput(f"{key!r} leads nowhere at {step!r}.", "Edit the file instead.", key) from None
