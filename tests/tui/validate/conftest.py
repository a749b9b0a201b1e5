"""A workspace whose checks pass, warn, fail and can't be evaluated, with names that try to be markup."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs
from lemnis.engine.workspace import create_workspace

CONFIG = """
[[checks]]
name = "rows"
kind = "row_count"
min = 100

[[checks]]
name = "code_known"
kind = "code_list"
column = "code"
values = ["a", "b"]
owner = "[bold]nobody"
why = "Other codes mean nothing."

[[checks]]
name = "size_range"
kind = "range"
column = "size"
max = 298
severity = "warn"

[[checks]]
name = "gone"
kind = "not_null"
column = "codex"
"""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    """The version, its checks not run yet."""
    engine = Engine(create_workspace(tmp_path / "box", CONFIG))
    codes = ["a", "b", "[/x]\x1b[2J"] * 100
    table = pa.table({"code": codes, "size": list(range(300))})
    record_version(engine.store, table, name="trips", roles={}, split={}, now=1)
    yield engine
    engine.store.close()


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """The version and one run of its checks."""
    jobs.run(JobContext.for_test(bare.store), {})
    return bare
