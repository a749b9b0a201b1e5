"""What MLflow's clients have registered is listed with its flavour, and never loaded."""

from pathlib import Path

import pytest
from registered import mlmodel, register
from support import engine_at

from lemnis.engine.tracking import registry, versions
from lemnis.engine.tracking.clients import flavours_of


def test_versions_of_clients_are_listed_with_aliases_and_why_they_are_not_served(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "w")
    register(engine, "late flights", {"MLmodel": mlmodel("sklearn"), "model.pkl": b"\x80\x05."}, ("champion",))
    register(engine, "late flights", {"MLmodel": mlmodel("lightgbm", "    model_class: lightgbm.sklearn.LGBMModel\n")})
    register(engine, "other", {})
    found = {version.title: version for version in engine.tracking.client_versions()}
    assert list(found) == ["late flights 2", "late flights 1", "other 1"]
    first = found["late flights 1"]
    assert (first.aliases, first.flavours, first.who, first.note) == (["champion"], ["sklearn"], "ana", "d")
    assert first.run_name == "made late flights"
    assert first.why == "not served here: flavour sklearn"
    assert found["late flights 2"].why == "not served here: a pickled LightGBM model"
    assert found["other 1"].why == "not served here: its files are elsewhere"
    registry.delete_alias(engine.store, registry.Alias(name="late flights", alias="champion"))
    versions.delete(engine.store, versions.AskVersion(name="other", version="1"))
    found = {version.title: version for version in engine.tracking.client_versions()}
    assert found["late flights 1"].aliases == []
    assert "other 1" not in found


@pytest.mark.parametrize(
    ("text", "flavours"),
    [
        ("flavors:\n  sklearn:\n    a: 1\n  python_function:\n    b: 2\nx: 1\n", ["sklearn"]),
        ("flavors:\n  python_function:\n    b: 2\n", ["python_function"]),
        ("name: x\n", []),
        ("flavors: {sklearn: 1}\n", []),
        ("", []),
        ("flavors:\n  \x1b[2J:\n", []),
    ],
)
def test_flavours_are_read_without_loading_anything(text: str, flavours: list[str]) -> None:
    assert flavours_of(text) == flavours
