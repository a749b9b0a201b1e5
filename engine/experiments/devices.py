"""Devices: what LightGBM can really train on here, tried out in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

from lemnis.engine.errors import Unavailable

PROBE_S = 180  # the first use of an OpenCL device compiles its kernels
SIGNS_OF_A_GPU = ("/proc/driver/nvidia/gpus", "/dev/nvidia0", "/dev/kfd")
ADVICE = {
    "gpu": "Install an OpenCL driver for the device, or train with --device cpu.",
    "cuda": "Build LightGBM with CUDA (`make cuda`), or train with --device cpu.",
}


class Probe(Struct, frozen=True, kw_only=True):
    """What came of trying a device: its name if it works, else why it does not."""

    device: str
    usable: bool
    name: str = ""
    why: str = ""


def machine_has_gpu(signs: tuple[str, ...] = SIGNS_OF_A_GPU) -> bool:
    """Say whether the kernel shows a GPU; asks no driver."""
    return any(Path(sign).exists() for sign in signs)


def choose_device(asked: str) -> Probe:
    """Return the device to train on: the one that was asked for, or for `auto` the best that works.

    `auto` is the CPU unless there is a GPU and LightGBM could train on it just now.

    Raises:
        Unavailable: The device that was asked for can't be used; nothing is trained elsewhere instead.
    """
    if asked == "cpu":
        return Probe(device="cpu", usable=True)
    if asked == "auto":
        tried = (probe_device(device) for device in ("cuda", "gpu") if machine_has_gpu())
        return next((probe for probe in tried if probe.usable), Probe(device="cpu", usable=True))
    probe = probe_device(asked)
    if not probe.usable:
        raise Unavailable(f"LightGBM can't train on {asked} here: {probe.why}", ADVICE[asked], f"device {asked}")
    return probe


def probe_device(device: str, timeout_s: float = PROBE_S) -> Probe:
    """Train a tiny model on a device in a child process, which may crash or hang without harm."""
    command = [sys.executable, "-m", "lemnis.engine.experiments.devices", device]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Probe(device=device, usable=False, why=f"a tiny training did not end within {timeout_s:.0f} s.")
    except OSError as error:
        return Probe(device=device, usable=False, why=f"the trial could not be started: {error.strerror}.")
    return read_probe(device, done.returncode, done.stdout, done.stderr)


def read_probe(device: str, code: int, out: str, err: str) -> Probe:
    """Return what a trial said; one that died without a word died by a signal."""
    last = out.strip().rpartition("\n")[2]
    if code == 0 and last.startswith("{"):
        fault = str(json.loads(last)["fault"])
        if not fault:
            return Probe(device=device, usable=True, name=device_name(out))
        return Probe(device=device, usable=False, why=fault)
    return Probe(device=device, usable=False, why=ending(code, out, err))


def device_name(out: str) -> str:
    """Return what LightGBM calls the device it trains on, empty if it does not say."""
    name = re.search(r"Using GPU Device: ([^\n]*)", out)
    return name.group(1).strip() if name else ""


def ending(code: int, out: str, err: str) -> str:
    """Say how a trial ended that did not say so itself."""
    words = (err.strip() or out.strip()).rpartition("\n")[2]
    reason = f"the trial was killed by signal {-code}" if code < 0 else f"the trial ended with status {code}"
    return f"{reason}{f' ({words[:200]})' if words else ''}."


def main(device: str) -> None:
    """Train on `device` and say on the last line what went wrong, if anything did."""
    import numpy as np

    from lemnis.engine.trees import lightgbm

    rows = np.random.default_rng(0).normal(size=(500, 4))
    data = lightgbm.Dataset(rows, (rows[:, 0] > 0).astype(float))
    parameters = {"objective": "binary", "device_type": device, "num_leaves": 4, "num_threads": 1, "verbosity": 1}
    fault = ""
    try:
        lightgbm.train(parameters, data, 2)
    except lightgbm.basic.LightGBMError as error:
        fault = f"{str(error).strip().splitlines()[0].rstrip('.')}."
    print(f"\n{json.dumps({'fault': fault})}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
