"""The command line in this process: what a command returns, and the one JSON document that it writes."""

import json
from typing import Any

import pytest

from lemnis.engine import Engine
from lemnis.tui.commands.group import run
from lemnis.tui.commands.session import hoisted


def call(engine: Engine, *arguments: str) -> int:
    """Return the exit status of `lemnis -w WORKSPACE ARGUMENTS`."""
    return run(hoisted(["-w", str(engine.workspace.root), *arguments]))


def document(engine: Engine, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Return the JSON that a command which ends well writes, and nothing else."""
    assert call(engine, *arguments, "--json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)
