"""What changed in the code between two runs, as git tells it: bounded, and with no program but git run for it."""

import os
import re
import subprocess
from pathlib import Path

from msgspec import Struct

from lemnis.engine.text import safe

COMMIT = re.compile(r"([0-9a-f]{7,64})(\+?)\Z")
MOST_BYTES, MOST_LINES = 1 << 20, 400
GIT_S = 5.0
# Nothing that the repository or its owner's settings name is run: no pager, no other diff, no text conversion.
DIFF = ("--no-pager", "-c", "core.fsmonitor=false", "diff", "--no-color", "--no-ext-diff", "--no-textconv")


class CodeDiff(Struct, frozen=True, kw_only=True):
    """What git says of two commits.

    Attributes:
        lines: Of a unified diff, each harmless on a terminal.
        more: How many further lines there are.
        why: Why there is no diff, or what it does not show; empty when it shows everything.
    """

    lines: list[str] = []
    more: int = 0
    why: str = ""


def code_diff(folder: Path, before: str, after: str) -> CodeDiff:
    """Return how the code of a folder's repository differs between the commits of two runs; see `code_version`."""
    first, second = COMMIT.match(before), COMMIT.match(after)
    if first is None or second is None:
        return CodeDiff(why="" if before == after else "one of them was not trained in a git repository")
    changed = [words for words, match in (("the baseline", first), ("this run", second)) if match.group(2)]
    why = f"{' and '.join(changed)} had changes that were not committed; they are not shown" if changed else ""
    if first.group(1) == second.group(1):
        return CodeDiff(why=why)
    said = git_diff(folder, first.group(1), second.group(1))
    if said is None:
        return CodeDiff(why="git can't compare the commits here: one of them is not in this repository")
    lines = said.splitlines()
    return CodeDiff(
        lines=[safe(line, limit=300) for line in lines[:MOST_LINES]], more=max(0, len(lines) - MOST_LINES), why=why
    )


def git_diff(folder: Path, before: str, after: str) -> str | None:
    """Return the start of a diff of two commits, None when git can't make one."""
    command = ["git", "-C", str(folder), *DIFF, f"{before}^{{commit}}", f"{after}^{{commit}}", "--"]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError:
        return None
    with child:
        assert child.stdout
        try:
            content = bounded(child, GIT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return None
    return content.decode("utf-8", "replace") if child.returncode == 0 or len(content) == MOST_BYTES else None


def bounded(child: "subprocess.Popen[bytes]", seconds: float) -> bytes:
    """Return the first of what a child says, and end it when it says more or takes too long."""
    from threading import Timer

    assert child.stdout
    late = Timer(seconds, child.kill)
    late.start()
    try:
        content = child.stdout.read(MOST_BYTES)
        if len(content) == MOST_BYTES:
            child.kill()
        child.wait()
    finally:
        late.cancel()
    return content
