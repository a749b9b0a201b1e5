"""Expected failures: each says what happened, where, and what to do next."""


class LemnisError(Exception):
    """Shown to a person without a traceback; anything else that is raised is a bug.

    Attributes:
        code: A stable word for programs, e.g. ``run_not_found``.
        exit_code: What a command ends with: 2 for bad input, 3 when the engine could not do it.
        problem: What happened, one sentence, naming the value that caused it.
        place: Where: a file and line, a column, a row, a run. Empty when the problem says it all.
        remedy: What the reader can do next, an imperative sentence.
    """

    code = "failed"
    exit_code = 3

    def __init__(self, problem: str, remedy: str = "", place: str = "") -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.place = problem, remedy, place

    def __reduce__(self) -> tuple[type["LemnisError"], tuple[str, str, str]]:
        return type(self), (self.problem, self.remedy, self.place)


class BadInput(LemnisError):
    """What was typed, declared or sent can't be used; nothing was changed."""

    code = "bad_input"
    exit_code = 2


class NotFound(BadInput):
    """A name or id that is not in this workspace."""

    code = "not_found"


class ConfigError(BadInput):
    """lemnis.toml can't be read; `place` names the line and the key."""

    code = "bad_config"


class NoWorkspace(BadInput):
    """No lemnis.toml here or in any folder above."""

    code = "no_workspace"


class ReadOnly(BadInput):
    """A change was asked of a workspace that was opened read-only."""

    code = "read_only"


class StoreError(LemnisError):
    """The state can't be opened, read or written."""

    code = "store"


class Unavailable(LemnisError):
    """Something outside is missing: a device, a port, a package, a disk."""

    code = "unavailable"


class Damaged(LemnisError):
    """A file of ours no longer holds what its hash says."""

    code = "damaged"


class Cancelled(LemnisError):
    """The work was asked to stop and has stopped cleanly."""

    code = "cancelled"


class ChecksFailed(LemnisError):
    """The data fail a check that must hold before anything is trained on them."""

    code = "checks_failed"
    exit_code = 1
