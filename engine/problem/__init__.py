"""Stage 1, Problem: the question, its value in money, its success criteria, and the history of all of it."""

from typing import Any

from lemnis.engine.config import Problem, load_config, read_config
from lemnis.engine.errors import ReadOnly
from lemnis.engine.problem.history import (
    Change,
    Difference,
    last_sha256,
    list_changes,
    problem_sha256,
    record_text,
    text_sha256,
)
from lemnis.engine.problem.value import Confusion, break_even, money
from lemnis.engine.store import Store

FOUND, FIRST = "found changed on disk", "as it was first found"


class ProblemRoom:
    """What is to be answered, and who changed it when and why."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def statement(self) -> Problem:
        """Return the problem as lemnis.toml states it now.

        Raises:
            ConfigError: The file is not accepted.
        """
        return load_config(self.store.workspace.config).problem

    def text(self) -> str:
        """Return the text of lemnis.toml."""
        return read_config(self.store.workspace.config)

    def problem_sha256(self) -> str:
        """Return a hash of what the problem says now; comments do not count."""
        return problem_sha256(self.statement())

    def history(self, limit: int = 500) -> list[Change]:
        """Return every recorded change of lemnis.toml, newest first, with what it changed in the problem."""
        return list_changes(self.store, limit)

    def change_text(self, change_id: int) -> str:
        """Return the whole text of one recorded change; empty when there is none."""
        return str(self.store.value("select text from config_history where id = ?", [change_id]) or "")

    def record(self, who: str, why: str) -> bool:
        """Keep the text as it is now, if it differs from the last one kept; return whether it did.

        Raises:
            ConfigError: The file is not accepted.
        """
        return record_text(self.store, self.text(), who, why)

    def notice(self) -> bool:
        """Keep a change that was made outside Lemnis, so that history has no gap; return whether there was one."""
        last = last_sha256(self.store)
        if self.store.read_only or text_sha256(self.text()) == last:
            return False
        return self.record("", FOUND if last else FIRST)

    def edit(self, text: str, who: str, why: str, *, expected: str | None = None) -> bool:
        """Replace lemnis.toml by `text` and keep the change; return whether it differs.

        Args:
            text: The whole new text.
            who: Who changed it.
            why: The reason, for the history.
            expected: The text when the edit began; when given, a change by somebody else meanwhile is not lost.

        Raises:
            ConfigError: The text is not accepted; the file stays as it was.
            BadInput: Somebody else changed the file meanwhile.
            ReadOnly: The workspace is open read-only.
        """
        from lemnis.engine.problem.statement import replace_text

        if self.store.read_only:
            raise ReadOnly("This workspace is open read-only.", "Leave out --read-only to change something.")
        self.notice()
        changed = replace_text(self.store.workspace, text, expected=expected)
        if changed:
            self.record(who, why)
        return changed

    # Any: a value of any TOML type.
    def set(self, key: str, value: Any, who: str, why: str) -> bool:
        """Set one dotted key of lemnis.toml, comments kept; return whether the file differs.

        Args:
            key: Such as ``problem.threshold``, ``threshold`` or ``problem.criteria[0].min``.
            value: The new value.
            who: Who changed it.
            why: The reason, for the history.

        Raises:
            BadInput: The key can't be followed.
            ConfigError: The value is not accepted; the file stays as it was.
        """
        from lemnis.engine.problem.statement import text_with

        before = self.text()
        return self.edit(text_with(before, key, value), who, why, expected=before)


__all__ = ["Change", "Confusion", "Difference", "ProblemRoom", "break_even", "money"]
