"""The doctor: what this machine and this workspace offer Lemnis, each finding with what to do about it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import LemnisError, StoreError
from lemnis.engine.store import Store, journal_notice, sqlite_version
from lemnis.engine.workspace import exposed

Verdict: TypeAlias = Literal["pass", "warn", "fail"]

LOW_DISK_BYTES = 2 << 30
SKEW_MS = 2_000
CHILD_SECONDS = 20.0
RELEASED_MS = 1_767_225_600_000  # 2026-01-01: a clock before it is wrong
NVML = """
import json, pynvml
pynvml.nvmlInit()
def text(value): return value.decode() if isinstance(value, bytes) else value
handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
names = [text(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
print(json.dumps({"driver": text(pynvml.nvmlSystemGetDriverVersion()), "names": names}))
"""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `remedy` is empty where nothing needs doing."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


def examine(store: Store | None, folder: Path) -> list[Finding]:
    """Return everything found; takes some seconds, GPUs are tried in child processes.

    Args:
        store: The workspace's store, None where there is none.
        folder: Where work would be done.
    """
    return [
        python(),
        sqlite(store),
        *owners(store),
        disk(folder),
        clock(folder),
        port(),
        nvml(),
        *devices(),
        *cluster(store),
    ]


def python() -> Finding:
    """Look at the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(name="Python", verdict="pass", text=f"{version}, {os.cpu_count()} CPUs, {sys.platform}")


def sqlite(store: Store | None) -> Finding:
    """Look at the SQLite library and, in a workspace, at the journal mode in force."""
    try:
        mode = f", journal {store.value('pragma journal_mode')}" if store else ""
    except StoreError as error:
        return Finding(name="SQLite", verdict="fail", text=error.problem, remedy=error.remedy)
    text = f"{sqlite_version()}{mode}"
    notice = journal_notice()
    return Finding(name="SQLite", verdict="warn" if notice else "pass", text=text, remedy=notice)


def owners(store: Store | None) -> list[Finding]:
    """Look at who may change the workspace."""
    if store is None:
        return []
    found = exposed(store.workspace)
    remedy = "Whoever changes lemnis.toml decides what is read and run here: take the right away, or make it yours."
    return [
        Finding(name="owners", verdict="warn", text=found, remedy=remedy)
        if found
        else Finding(name="owners", verdict="pass", text="nobody else can change lemnis.toml or what is kept")
    ]


def disk(folder: Path) -> Finding:
    """Look at the free space where the workspace is."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:,.1f} GiB free at {folder}"
    if free < LOW_DISK_BYTES:
        return Finding(name="disk", verdict="warn", text=text, remedy="Free some: training and snapshots need it.")
    return Finding(name="disk", verdict="pass", text=text)


def clock(folder: Path) -> Finding:
    """Compare the machine's clock with the file system's, which may be another machine's."""
    now = now_ms()
    if now < RELEASED_MS:
        return Finding(name="clock", verdict="fail", text="it is set years back", remedy="Set the clock.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            skew = os.fstat(file.fileno()).st_mtime_ns // 1_000_000 - now
    except OSError as error:
        remedy = "Choose a folder you can write."
        return Finding(name="clock", verdict="warn", text=f"{folder} can't be written: {error.strerror}", remedy=remedy)
    if abs(skew) > SKEW_MS:
        text = f"the file system's clock differs by {skew / 1000:+.1f} s"
        return Finding(name="clock", verdict="warn", text=text, remedy="Synchronise both machines (NTP).")
    return Finding(name="clock", verdict="pass", text=f"agrees with the file system's within {SKEW_MS // 1000} s")


def port() -> Finding:
    """Try to listen on the loopback address, as model servers do."""
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
    except OSError as error:
        text = f"no port can be opened on 127.0.0.1: {error.strerror}"
        return Finding(name="ports", verdict="fail", text=text, remedy="Models can't be served here.")
    return Finding(name="ports", verdict="pass", text="127.0.0.1 can be listened on")


def nvml() -> Finding:
    """Ask NVIDIA's management library in a child process, which may crash or hang without harm."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", NVML],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CHILD_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return Finding(name="NVML", verdict="warn", text=f"no answer: {error}", remedy="Look at the NVIDIA driver.")
    if done.returncode == 0:
        found = json.loads(done.stdout)
        return Finding(name="NVML", verdict="pass", text=f"{', '.join(found['names'])}; driver {found['driver']}")
    said = (done.stderr.strip() or f"ended with {done.returncode}").rpartition("\n")[2]
    return Finding(name="NVML", verdict="pass", text=f"no NVIDIA GPU: {said[:200]}")


def cluster(store: Store | None) -> list[Finding]:
    """Ask the Dask cluster for its workers, where one is declared."""
    from lemnis.engine.cluster import cluster_words
    from lemnis.engine.config import load_config

    if store is None:
        return []
    try:
        declared = load_config(store.workspace.config).cluster
        if not declared.address:
            return []
        text = cluster_words(declared, store.workspace.root)
    except LemnisError as error:
        return [Finding(name="cluster", verdict="warn", text=error.problem, remedy=error.remedy)]
    return [Finding(name="cluster", verdict="pass", text=text)]


def devices() -> list[Finding]:
    """Train a tiny model on each kind of GPU that LightGBM knows, in child processes."""
    from lemnis.engine.experiments.devices import probe_device

    findings: list[Finding] = []
    for device, name in (("gpu", "LightGBM on OpenCL"), ("cuda", "LightGBM on CUDA")):
        try:
            probe = probe_device(device)
        except LemnisError as error:
            findings.append(Finding(name=name, verdict="warn", text=error.problem, remedy=error.remedy))
            continue
        text = f"works{f' on {probe.name}' if probe.name else ''}" if probe.usable else f"not usable: {probe.why}"
        findings.append(Finding(name=name, verdict="pass", text=text))
    return findings
