"""The conditions of a run: which code, which libraries, which machine."""

import os
import platform
import subprocess
from pathlib import Path

LIBRARIES = ("lemnis", "lightgbm", "numpy", "pyarrow", "scipy", "scikit-learn")
GIT_S = 5.0


def code_version(folder: Path) -> str:
    """Return the git commit of a folder, with ``+`` when tracked files were changed; empty outside a repository."""
    commit = git(folder, "rev-parse", "HEAD")
    if not commit:
        return ""
    changed = git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if changed else commit


def git(folder: Path, *arguments: str) -> str:
    """Return what git says, or an empty string when it can't."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_S,
            check=False,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide what a training gives."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """Return the facts of this machine: host, system, processor, cores and memory in bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "host": platform.node(),
        "os": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": memory,
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name, or its architecture where the system does not tell."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
