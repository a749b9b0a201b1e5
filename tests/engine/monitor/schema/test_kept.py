from pathlib import Path

import msgspec
import pytest

from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.schema.kept import find_finding, keep_findings, list_findings
from lemnis.engine.monitor.schema.records import Finding
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

CODE = Finding(endpoint="late", kind="code", column="carrier", rows=3, since=5, until=6, verdict="watch")
GONE = Finding(endpoint="late", kind="removed", column="wind", rows=1, since=9, until=9, verdict="drift")


def test_a_difference_lasts_from_when_it_was_first_seen_until_it_is_gone(tmp_path: Path) -> None:
    store = Store(create_workspace(tmp_path / "w", ""))
    keep_findings(store, "late", [CODE], 10)
    keep_findings(store, "late", [GONE, msgspec.structs.replace(CODE, rows=8, since=7, until=20)], 20)
    first, second = list_findings(store, "late")
    assert (first.kind, second.kind) == ("removed", "code")  # what breaks comes first
    assert (second.rows, second.since, second.until) == (8, 5, 20)
    assert list_findings(store, "other") == []
    keep_findings(store, "late", [], 30)
    assert list_findings(store) == []
    assert find_finding(store, second.id).rows == 8
    keep_findings(store, "late", [msgspec.structs.replace(CODE, since=40)], 40)
    (again,) = list_findings(store)
    assert (again.since, again.id != second.id) == (40, True)
    with pytest.raises(NotFound):
        find_finding(store, 99)
    store.close()
