"""An unmodified MLflow client loads what Lemnis has registered."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tracking_server import Served, run_client

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.tracking.artifacts import located


@pytest.fixture
def served(registered: Any, tmp_path: Path) -> Served:
    shutil.copytree(registered.store.workspace.root, tmp_path / "workspace")
    return Served(tmp_path / "workspace")


def test_a_version_has_a_directory_of_mlflows_that_is_made_once_and_never_changed(served: Served) -> None:
    store = served.engine.store
    folder = located(store, "lemnis/late/1")
    assert {path.name for path in folder.iterdir()} >= {"MLmodel", "data", "code", "requirements.txt"}
    made = (folder / "MLmodel").stat().st_mtime_ns
    assert located(store, "lemnis/late/1/MLmodel").stat().st_mtime_ns == made
    with pytest.raises(BadInput, match="never change"):
        located(store, "lemnis/late/1/MLmodel", write=True)
    with pytest.raises(NotFound):
        located(store, "lemnis/late/7")
    with pytest.raises(BadInput):
        located(store, "lemnis/late/1/../2")


@pytest.mark.slow
def test_the_real_client_loads_a_version_by_its_alias(served: Served) -> None:
    golden = located(served.engine.store, "lemnis/late/1/data/golden.json")
    served.start()
    try:
        run_client(Path(__file__).parent / "client_loads.py", served.url, str(golden))
    finally:
        served.stop()
