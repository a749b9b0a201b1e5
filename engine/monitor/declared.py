"""The last good lemnis.toml, for processes that must go on while a person edits it."""

from lemnis.engine.config import Config, load_config
from lemnis.engine.errors import ConfigError
from lemnis.engine.workspace import Workspace


class LastGood:
    """Reads lemnis.toml again when it changed; while it is not accepted, what was declared before stays in force.

    Attributes:
        config: What is in force; nothing declared before the first reading.
        problem: Why the file as it is now is not; empty when it is.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.config
        self.config, self.problem = Config(), ""
        self._read = False
        self._modified = 0

    def reread(self) -> bool:
        """Read the file if it changed and say whether that brought a new declaration.

        Raises:
            ConfigError: It is not accepted, and there is none before.
        """
        modified = self.path.stat().st_mtime_ns if self.path.exists() else 0
        if self._read and modified == self._modified:
            self.problem = ""
            return False
        try:
            self.config, self._modified, self._read = load_config(self.path), modified, True
        except ConfigError as error:
            if not self._read:
                raise
            self.problem = f"{error.problem} {error.place}".strip()
            return False
        self.problem = ""
        return True
