"""The job `experiments.advise`: some rounds on each device with the person's own data, each in a child process."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Pool, load_config
from lemnis.engine.experiments.advice import TRIED_ROUNDS, Advice, Tried, recommended, with_outlook
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.devices import device_name, ending
from lemnis.engine.experiments.fit import feature_names
from lemnis.engine.experiments.known import names_in_lightgbm
from lemnis.engine.experiments.parameters import OURS, TASKS, canonical, completed, metric_name
from lemnis.engine.experiments.runs import as_text
from lemnis.engine.experiments.start import prepare_run
from lemnis.engine.experiments.train import read_rows
from lemnis.engine.experiments.trial import Order
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.resources.gpu_use import GpuWatch

DEVICES = ("cpu", "gpu", "cuda")
LEAST_S, TIMES_AS_LONG = 180.0, 20.0  # how long a device may take: to compile its kernels, or so many times the first
LOOK_EVERY_S = 0.2


def advise(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Try every device for the run that `arguments` describe, and return an `Advice` as JSON. Any: JSON values.

    Args:
        context: The job.
        arguments: ``preset``, ``overrides``, ``version`` and ``features`` as `ExperimentsRoom.start` takes them.

    Raises:
        BadInput: No device could train these rounds.
        Cancelled: The job was asked to stop; its trial is ended with it.
    """
    store, config = context.store, load_config(context.workspace.config)
    context.progress(0.0, "reading the data")
    made = prepare_run(
        store,
        config,
        arguments["preset"],
        overrides=arguments["overrides"],
        version=arguments["version"],
        features=arguments["features"],
    )
    algorithm, task = find_algorithm(str(made.row["algorithm"])), str(made.row["task"])
    features = msgspec.json.decode(str(made.row["features"]), type=list[str])
    rows, signature = read_rows(made.version, features, task=task, target=str(made.row["target"]))
    given = canonical({key: as_text(v) for key, v in made.params.items() if key not in OURS}, names_in_lightgbm(), task)
    rounds = int(str(made.row["rounds"]))
    tried: list[Tried] = []
    with tempfile.TemporaryDirectory(dir=context.directory) as folder:
        for part, held in rows.items():
            np.save(Path(folder) / f"{part}.npy", held.matrix)
            np.save(Path(folder) / f"{part}_target.npy", held.target)
        for place, device in enumerate(DEVICES):
            if device not in algorithm.devices:
                why = f"{algorithm.name} trains on {' or '.join(algorithm.devices)} only."
                tried.append(Tried(device=device, usable=False, why=why))
                continue
            context.progress(place / len(DEVICES), f"{TRIED_ROUNDS} rounds on {device}")
            parameters = completed(
                {**algorithm.usual, **algorithm.sets, **given},
                task=task,
                classes=len(signature.classes),
                seed=int(str(made.row["seed"])),
                device=device,
                cores=context.cores,
            )
            order = Order(
                folder=folder,
                names=feature_names(signature.names),
                categorical=signature.categorical,
                parameters=parameters,
                metric=TASKS[task].metrics[0],
                rounds=min(TRIED_ROUNDS, rounds),
            )
            found = try_device(context, device, order, limit_s=limit_of(tried))
            price = price_hour(config.pool, context.cores, gpu=device != "cpu")
            tried.append(with_outlook(found, rounds=rounds, price_hour=price))
    metric = metric_name("validation" if "validation" in rows else "train", TASKS[task].metrics[0])
    device, why = recommended(tried, metric)
    advice = Advice(
        preset=str(made.row["preset"]),
        algorithm=algorithm.name,
        version=made.version.title,
        rows=len(rows["train"].target),
        rounds=rounds,
        tried_rounds=min(TRIED_ROUNDS, rounds),
        metric=metric,
        tried=tried,
        device=device,
        why=why,
    )
    print(why, flush=True)
    return msgspec.to_builtins(advice)


def try_device(context: JobContext, device: str, order: Order, *, limit_s: float) -> Tried:
    """Return what some rounds on a device took, tried in a child process; raises Cancelled."""
    path = Path(order.folder) / "order.json"
    path.write_bytes(msgspec.json.encode(order))
    command = [sys.executable, "-m", "lemnis.engine.experiments.trial", str(path)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watch = GpuWatch(context.store, child.pid)
        try:
            code = wait_for(context, child, limit_s)
        finally:
            child.kill()
            child.wait()
            used = watch.close()
        out.seek(0)
        err.seek(0)
        said, complaint = out.read(), err.read()
    print(said, flush=True)
    if code is None:
        return Tried(device=device, usable=False, why=f"it was given up after {limit_s:.0f} s.")
    last = said.strip().rpartition("\n")[2]
    if code or not last.startswith("{"):
        return Tried(device=device, usable=False, why=ending(code, said, complaint))
    found: dict[str, Any] = json.loads(last)
    fault = str(found.pop("fault"))
    if fault:
        return Tried(device=device, usable=False, why=fault)
    return Tried(
        device=device,
        usable=True,
        name="" if device == "cpu" else device_name(said),
        gpu_peak_bytes=used.peak_bytes,
        gpu_busy_percent=used.busy_percent,
        **found,
    )


def wait_for(context: JobContext, child: "subprocess.Popen[bytes]", limit_s: float) -> int | None:
    """Return the exit status of a child, None if it took too long; raises Cancelled."""
    began = monotonic_s()
    while monotonic_s() - began < limit_s:
        try:
            return child.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if context.cancelled():
                context.progress(None, "")  # raises
    return None


def limit_of(tried: list[Tried]) -> float:
    """Return how many seconds a device may take: the first as long as it needs, the others in relation to it."""
    if not tried:
        return float("inf")
    first = tried[0]
    taken = (first.prepare_s or 0.0) + (first.round_s or 0.0) * TRIED_ROUNDS
    return max(LEAST_S, TIMES_AS_LONG * taken)


def price_hour(pool: Pool, cores: int, *, gpu: bool) -> float:
    """Return what an hour costs by the declared prices, 0 where one is missing."""
    if not pool.price_core_hour or (gpu and not pool.price_gpu_hour):
        return 0.0
    return cores * pool.price_core_hour + (pool.price_gpu_hour if gpu else 0.0)
