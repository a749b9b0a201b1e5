"""Devices: what is asked for is what is used, or an error."""

from pathlib import Path

import pytest
from small_problem import do_train

from lemnis.engine import Engine
from lemnis.engine.errors import Unavailable
from lemnis.engine.experiments import devices, train
from lemnis.engine.experiments.devices import Probe, choose_device, machine_has_gpu, probe_device, read_probe

OPENCL = list(Path("/etc/OpenCL/vendors").glob("*.icd"))


def test_a_run_on_opencl_really_trains_there(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    if not OPENCL:
        pytest.skip("no OpenCL driver is installed (pocl-opencl-icd brings one)")
    run = do_train(engine, engine.experiments.start(device="gpu", overrides={"rounds": 2, "num_leaves": 4}))
    assert "This is the GPU trainer" in capfd.readouterr().out
    assert (run.device_asked, run.device[:5], run.rounds_done) == ("gpu", "gpu: ", 2)


def test_a_device_that_is_asked_for_and_absent_is_an_error_and_not_a_cpu_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Probe(device="cuda", usable=False, why="CUDA Tree Learner was not enabled in this build.")
    monkeypatch.setattr(devices, "probe_device", lambda device: absent)
    run_id = engine.experiments.start(device="cuda")
    with pytest.raises(Unavailable, match="can't train on cuda here: CUDA Tree Learner"):
        do_train(engine, run_id)
    assert engine.experiments.run(run_id).rounds_done == 0


def test_auto_takes_a_gpu_only_if_there_is_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "machine_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "probe_device", lambda device: Probe(device=device, usable=device == "gpu"))
    assert choose_device("auto").device == "gpu"
    monkeypatch.setattr(devices, "probe_device", lambda device: Probe(device=device, usable=False))
    assert choose_device("auto").device == "cpu"
    monkeypatch.setattr(devices, "machine_has_gpu", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == Probe(device="cpu", usable=True)


def test_a_gpu_is_seen_by_what_the_kernel_shows(tmp_path: Path) -> None:
    assert not machine_has_gpu((str(tmp_path / "nvidia0"),))
    assert machine_has_gpu((str(tmp_path),))


def test_a_trial_that_dies_says_how() -> None:
    assert read_probe("gpu", -6, "", "terminate called\n").why == "the trial was killed by signal 6 (terminate called)."
    said = "[LightGBM] [Info] Using GPU Device: Tesla, Vendor: N\n\n" + '{"fault": ""}\n'
    assert read_probe("gpu", 0, said, "") == Probe(device="gpu", usable=True, name="Tesla, Vendor: N")
    assert read_probe("cuda", 0, '\n{"fault": "No CUDA."}\n', "").why == "No CUDA."


def test_a_trial_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe_device("gpu", timeout_s=0.01).why.startswith("a tiny training did not end")


def test_training_looks_at_the_device_that_the_run_asked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(asked: str) -> Probe:
        seen.append(asked)
        return Probe(device="cpu", usable=True)

    monkeypatch.setattr(train, "choose_device", look)
    do_train(engine, engine.experiments.start(device="auto", overrides={"rounds": 1}))
    assert seen == ["auto"]
