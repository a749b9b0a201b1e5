"""The console over SSH in tmux, with 100,000 runs, against a bare Textual app and other consoles, in one run.

Through an OpenSSH server of its own on loopback, on a terminal of 120x40: start to the complete picture, key to paint,
an idle screen, memory, a switch of the tab, and the live machine. Each line is one figure of one program as JSON with
the ratio to the bare app in this run. The workspace is `many_runs`'s, filled when it is not there. Peers that are not
installed are left out and named.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from many_runs import fill
from ssh_probe import SETTLED_S, Remote

from lemnis.engine import Engine
from lemnis.engine.workspace import Workspace
from lemnis.tui.stages import STAGES

sys.path.insert(0, str(Path(__file__).parents[1]))
from ssh_server import ssh_server

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / "build/peers"
RUNS = 100_000
STARTS, PRESSES, WARM_S, IDLE_S, LIVE_S = 3, 20, 7.0, 8.0, 8.0
BARE, LEMNIS, DOWN = "bare Textual app", "Lemnis", "\x1b[B"


@dataclass(frozen=True, slots=True)
class Case:
    """One program: how it is started, what its first picture shows, and a key that changes it."""

    command: list[str]
    wanted: Sequence[str]
    key: str
    settled_s: float = SETTLED_S


class Figures:
    """What was measured: by figure and program, the values of all rounds."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, program: str, figure: str, unit: str, *values: float) -> None:
        self.units[figure] = unit
        self.values[figure][program].extend(values)

    def report(self) -> None:
        """Print one line of JSON for each figure of each program."""
        for figure, programs in self.values.items():
            floor = statistics.median(programs[BARE]) if BARE in programs else 0.0
            for program, values in programs.items():
                value = statistics.median(values)
                document = {"program": program, "figure": figure, "unit": self.units[figure], "value": round(value, 2)}
                if floor and program != BARE:
                    document["ratio"] = round(value / floor, 2)
                print(json.dumps(document), flush=True)


def cases(root: Path, *, peers: bool) -> dict[str, Case]:
    """Return the programs to measure; names those that are not installed."""
    found = {
        BARE: Case([sys.executable, str(HERE / "hello.py")], ("row 9 ",), DOWN),
        LEMNIS: Case([sys.executable, "-m", "lemnis.tui", "-w", str(root)], ("6●Expe", "How fast?", "engine ●"), DOWN),
    }
    if peers:
        nvitop = [str(PEERS / "nvitop/bin/python"), str(HERE / "peer_nvitop.py")]
        found["Harlequin"] = Case([str(PEERS / "harlequin/bin/harlequin")], ("Query Editor", "Results"), "a")
        found["Posting"] = Case([str(PEERS / "posting/bin/posting")], ("Collection is empty", "Response"), "a")
        found["nvitop"] = Case(nvitop, ("PID",), DOWN, 0.3)  # it draws every second
        found["btop"] = Case([shutil.which("btop") or ""], ("Pid:", "Program:"), DOWN, 0.3)  # every two
    for name, case in list(found.items()):
        if not Path(case.command[0]).is_file():
            print(json.dumps({"program": name, "figure": "not installed"}), flush=True)
            del found[name]
    return found


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is measured")
    parser.add_argument("--no-peers", action="store_true", help="only the bare app and Lemnis")
    wishes = parser.parse_args()
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as name:
        folder = Path(name)
        with engine_on(folder / "runs") as root, ssh_server(folder) as ssh:
            programs = cases(root, peers=not wishes.no_peers)
            try:
                for number in range(wishes.rounds):
                    measure(figures, programs, ssh, folder / str(number))
            finally:  # what was measured until it was broken off
                figures.report()
    return 0 if LEMNIS in programs else 1


def measure(figures: Figures, programs: dict[str, Case], ssh: Sequence[str], folder: Path) -> None:
    """Measure every program once, its starts in turn with the others'; one that doesn't show up is left out."""
    for start in range(STARTS + 1):
        for program, case in list(programs.items()):
            home = folder / f"{start}-{program.replace(' ', '-')}"
            home.mkdir(parents=True)
            remote = Remote(ssh, home)
            try:
                took_ms, sent = remote.start(case.command, case.wanted, case.settled_s)
                if start:  # the first start fills the file cache
                    figures.add(program, "start to the complete picture", "ms", took_ms)
                    figures.add(program, "bytes of the start", "kB", sent / 1000)
                if start == STARTS:
                    use(figures, program, remote, case)
            except RuntimeError as error:
                print(f"{program}: {error}", file=sys.stderr, flush=True)
                del programs[program]
            finally:
                remote.close()


@contextmanager
def engine_on(root: Path):
    """Give a copy of the workspace with many runs, with its engine at work."""
    made = HERE.parents[1] / "build/many-runs"
    if not made.exists():
        fill(made, RUNS, points=True).store.close()
    shutil.copytree(made, root)
    Engine(Workspace(root)).store.close()  # one of an earlier schema is brought up to date
    lemnis = [sys.executable, "-m", "lemnis.tui", "-w", str(root), "engine"]
    subprocess.run([*lemnis, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield root
    finally:
        subprocess.run([*lemnis, "stop"], check=True, stdout=subprocess.DEVNULL)


def use(figures: Figures, program: str, remote: Remote, case: Case) -> None:
    """Measure a program that shows its first picture."""
    time.sleep(WARM_S)  # what is imported or made once, the other tabs among it
    if program == LEMNIS:
        remote.press("6", lambda text: f"run-{RUNS:06}" in text)
    keys = [remote.key_ms(case.key) for _ in range(PRESSES)]
    figures.add(program, "key to paint, median", "ms", statistics.median(keys))
    figures.add(program, "key to paint, 95th percentile", "ms", sorted(keys)[round(0.95 * (PRESSES - 1))])
    time.sleep(2.0)
    idle = remote.idle(IDLE_S)
    figures.add(program, "nobody types: processor", "% of a core", idle.cpu_percent)
    figures.add(program, "nobody types: sent", "bytes/s", idle.bytes_per_s)
    if program == LEMNIS:
        tabs = [[tab(remote, stage.key) for stage in STAGES] for _ in range(2)][1]  # once every tab has been seen
        figures.add(program, "a switch of the tab, median", "bytes", statistics.median(sent for _, sent in tabs))
        figures.add(program, "a switch of the tab, the largest", "bytes", max(sent for _, sent in tabs))
        figures.add(
            program, "a switch of the tab to its picture, median", "ms", statistics.median(took for took, _ in tabs)
        )
        remote.press("0", lambda text: "Processes" in text, 0.2)
        time.sleep(3.0)
        idle = remote.idle(LIVE_S)
        figures.add("Lemnis, Resources", "nobody types: processor", "% of a core", idle.cpu_percent)
        figures.add("Lemnis, Resources", "nobody types: sent", "bytes/s", idle.bytes_per_s)
    figures.add(program, "memory", "MiB", remote.pss_mib())


def tab(remote: Remote, key: str) -> tuple[float, int]:
    """Return the milliseconds and the bytes of a switch to a tab."""
    return remote.press(key, lambda text: True, 0.3)


if __name__ == "__main__":
    sys.exit(main())
