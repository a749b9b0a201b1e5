import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext


class Desk:
    """A workspace to try things in: files, declarations, and the room's two jobs done here and now."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.root = engine, engine.workspace.root
        self.context = JobContext.for_test(engine.store)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def declare(self, **sections: Any) -> None:
        document = tomllib.loads(self.engine.workspace.config.read_text()) | sections
        self.engine.workspace.config.write_text(tomlkit.dumps(document))

    def source(self, content: str | bytes, name: str = "table", **facts: Any) -> None:
        """Write a file and declare it as a source."""
        path = facts.pop("path", f"{name}.csv")
        self.write(path, content)
        known = tomllib.loads(self.engine.workspace.config.read_text()).get("sources", {})
        self.declare(sources=known | {name: {"path": path, **facts}})

    def sync(self, *names: str) -> dict[str, Any]:
        return jobs.sync(self.context, {"sources": list(names)})

    def link(self) -> dict[str, Any]:
        return jobs.link(self.context, {})

    def rows(self, name: str = "table") -> list[dict[str, Any]]:
        """The rows of a source's newest snapshot."""
        import pyarrow.parquet as pq

        return pq.read_table(self.engine.data.snapshots(name)[0].path).to_pylist()

    def types(self, name: str = "table") -> dict[str, str]:
        return {field.name: field.type for field in self.engine.data.snapshots(name)[0].columns}

    def touch(self, path: Path, seconds: int) -> None:
        os.utime(path, (seconds, seconds))


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)
