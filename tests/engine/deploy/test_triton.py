"""Triton's own client, unmodified, against our server: every call it has."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

FEATURES = ["carrier", "distance", "wind", "holiday"]
KINDS = {"carrier": "BYTES", "distance": "FP64", "wind": "FP32", "holiday": "BOOL"}


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[Any]:
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as opened:
        yield opened


def inputs_of(rows: "list[dict[str, Any]]", *, binary: bool = True) -> list[Any]:
    """Return one tensor a feature, as people write them."""
    found: list[Any] = []
    for name in FEATURES:
        values = [row[name] for row in rows]
        if KINDS[name] == "BYTES":
            array = np.array([str(value).encode() for value in values], dtype=object)
        else:
            array = np.array(values, dtype={"FP64": np.float64, "FP32": np.float32, "BOOL": bool}[KINDS[name]])
        tensor = triton.InferInput(name, [len(rows)], KINDS[name])
        tensor.set_data_from_numpy(array, binary_data=binary)
        found.append(tensor)
    return found


def whole_rows(model: Any, count: int) -> list[dict[str, Any]]:
    return [row for row in model.request_rows(200) if None not in row.values()][:count]


def test_health_metadata_and_statistics(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("late")
    assert client.is_model_ready("late", "1")
    assert not client.is_model_ready("late", "7")
    assert not client.is_model_ready("early")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    for version in ("", "1"):
        metadata = client.get_model_metadata("late", version)
        assert [one["name"] for one in metadata["inputs"]] == FEATURES
        assert [one["name"] for one in metadata["outputs"]] == ["probability", "label"]
        config = client.get_model_config("late", version)
        assert {one["name"]: one["data_type"] for one in config["input"]}["carrier"] == "TYPE_STRING"
    for name in ("", "late"):
        (stats,) = client.get_inference_statistics(name)["model_stats"]
        assert (stats["name"], stats["version"]) == ("late", "1")


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("binary", [True, False])
def test_infer_and_async_infer_answer_as_the_model(client: Any, first_model: Any, count: int, binary: bool) -> None:
    rows = whole_rows(first_model, count)
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("probability", "label")]
    for outputs in (None, wanted):
        answer = client.infer("late", inputs_of(rows, binary=binary), request_id="r1", outputs=outputs)
        later = client.async_infer(
            "late", inputs_of(rows, binary=binary), model_version="1", outputs=outputs
        ).get_result()
        scores, labels = answer.as_numpy("probability"), answer.as_numpy("label")
        assert answer.get_response()["id"] == "r1"
        assert scores.shape == (count,)
        assert np.array_equal(scores, later.as_numpy("probability"))
        texts = {text.decode() if isinstance(text, bytes) else text for text in labels.tolist()}
        assert texts <= {"true", "false"}
    recorded = client.infer("late", [matrix(first_model, rows)]).as_numpy("probability")
    assert np.allclose(recorded, scores, atol=1e-6)  # wind came as float32 above


def matrix(model: Any, rows: list[dict[str, Any]]) -> Any:
    from lemnis.engine.features.requests import encode_rows

    encoded = encode_rows(rows, model.signature)
    tensor = triton.InferInput("matrix", list(encoded.shape), "FP64")
    tensor.set_data_from_numpy(encoded)
    return tensor


def test_the_repository_trace_log_and_memory_are_told_and_not_changed(client: Any) -> None:
    assert client.get_model_repository_index() == [{"name": "late", "version": "1", "state": "READY", "reason": ""}]
    client.load_model("late")  # it is loaded
    assert client.get_trace_settings()["trace_level"] == ["OFF"]
    assert client.get_trace_settings("late")["trace_level"] == ["OFF"]
    assert client.get_log_settings()["log_error"]
    assert client.get_system_shared_memory_status() == []
    assert client.get_cuda_shared_memory_status() == []
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()


@pytest.mark.parametrize(
    ("call", "arguments", "says"),
    [
        ("unload_model", ("late",), "promoted by people"),
        ("load_model", ("early",), "nothing at this path"),
        ("update_trace_settings", ("late", {"trace_level": ["TIMESTAMPS"]}), "traces no requests"),
        ("update_trace_settings", (None, {"trace_rate": "1"}), "traces no requests"),
        ("update_log_settings", ({"log_verbose_level": 1},), "can't be changed"),
        ("register_system_shared_memory", ("m", "/m", 64), "not shared"),
        ("register_cuda_shared_memory", ("m", b"h", 0, 64), "not shared"),
        ("get_model_metadata", ("late", "9"), "nothing at this path"),
        ("get_model_config", ("early",), "nothing at this path"),
    ],
)
def test_what_a_client_may_not_do_is_a_sentence(
    client: Any, call: str, arguments: tuple[object, ...], says: str
) -> None:
    with pytest.raises(InferenceServerException, match=says):
        getattr(client, call)(*arguments)


def test_a_wrong_request_names_what_is_wrong(client: Any, first_model: Any) -> None:
    rows = whole_rows(first_model, 2)
    with pytest.raises(InferenceServerException, match="absent"):
        client.infer("late", inputs_of(rows)[:3])
    with pytest.raises(InferenceServerException, match="There is no output 'colour'"):
        client.infer("late", inputs_of(rows), outputs=[triton.InferRequestedOutput("colour")])
    with pytest.raises(InferenceServerException, match="classification"):
        client.infer("late", inputs_of(rows), outputs=[triton.InferRequestedOutput("label", class_count=1)])
    shared = triton.InferRequestedOutput("label")
    shared.set_shared_memory("m", 64)
    with pytest.raises(InferenceServerException, match="shared_memory_region"):
        client.infer("late", inputs_of(rows), outputs=[shared])
    with pytest.raises(InferenceServerException, match="Compressed bodies"):
        client.infer("late", inputs_of(rows), request_compression_algorithm="gzip")
    assert client.is_server_live()
