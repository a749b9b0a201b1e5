"""The model box: loads a model file and asks it its golden rows in a child process that may crash, hang or lie.

Two thirds of damaged LightGBM files end the process that loads them and some never return from predict, so no file is
loaded anywhere else before it has passed here.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.deploy.golden import disagreement
from lemnis.engine.deploy.records import Answers
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sha256_of
from lemnis.engine.models.files import LINEAR
from lemnis.engine.text import safe

CPU_S = 10
WALL_S = 60.0  # only for what waits: on a busy machine ten seconds of CPU take their time
MEMORY_BYTES = 4 << 30
LARGEST_BYTES = 1 << 30
MAGICS = (b"tree\n", LINEAR.encode())  # how the text of every model begins: of LightGBM, of a linear one


class Limits(Struct, frozen=True, kw_only=True):
    """What the child may use before it is killed."""

    cpu_s: int = CPU_S
    wall_s: float = WALL_S
    memory_bytes: int = MEMORY_BYTES


class Order(Struct, frozen=True, kw_only=True):
    """What the child is asked: the model's answers to rows, and whether they are the recorded ones."""

    path: str
    sha256: str
    signature: Signature
    rows: list[dict[str, Any]]  # Any: request values, judged by the signature
    answers: Answers | None
    limits: Limits


class Report(Struct, frozen=True, kw_only=True):
    """What the child found: the answers, or why the model is refused."""

    answers: Answers = []
    refused: str = ""


def reader_of(path: Path) -> str:
    """Return what reads a model file here: LightGBM and its version, or Lemnis for a linear model."""
    with open(path, "rb") as file:
        if file.read(len(LINEAR)) == LINEAR.encode():
            return LINEAR.strip()
    from importlib.metadata import version

    return f"lightgbm {version('lightgbm')}"


def ask_model(
    path: Path,
    sha256: str,
    signature: Signature,
    rows: list[dict[str, Any]],
    recorded: Answers | None = None,
    *,
    limits: Limits | None = None,
) -> Answers:
    """Return a model file's answers to rows, asked in a child process; check them against the recorded ones.

    Raises:
        BadInput: The file is not this model, is damaged, hangs, eats memory, or answers otherwise than recorded.
    """
    limits = limits or Limits()
    order = Order(path=str(path), sha256=sha256, signature=signature, rows=rows, answers=recorded, limits=limits)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
        asked.write(msgspec.json.encode(order))
        asked.seek(0)
        command = [sys.executable, "-m", "lemnis.engine.deploy.modelbox"]
        try:
            done = subprocess.run(
                command,
                stdin=asked,
                stdout=told,
                stderr=subprocess.DEVNULL,
                timeout=limits.wall_s,
                check=False,
                env=environment,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise refused(path, f"it gave no answer within {limits.wall_s:g} s") from None
        told.seek(0)
        said = told.read()
    try:
        report = msgspec.json.decode(said, type=Report)
    except msgspec.DecodeError:
        raise refused(path, ending(done.returncode, limits)) from None
    if report.refused:
        raise refused(path, report.refused)
    return report.answers


def refused(path: Path, why: str) -> BadInput:
    """Say why a model file is not used."""
    return BadInput(f"The model was refused: {why}.", "Train or register the run again.", str(path))


def ending(code: int, limits: Limits) -> str:
    """Say how a child without a report ended."""
    if code >= 0:
        return f"the process that loaded it ended with status {code}"
    number = -code
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return f"it used more than {limits.cpu_s} s of CPU, or was killed for its memory"
    return f"the process that loaded it died of {signal.Signals(number).name}"


def examine(order: Order) -> Report:
    """Load and ask the model in this very process; refuse what can be told without loading first."""
    from lemnis.engine.deploy.predictor import load_predictor
    from lemnis.engine.features.requests import encode_rows

    path = Path(order.path)
    if path.stat().st_size > LARGEST_BYTES:
        return Report(refused=f"its file is larger than {LARGEST_BYTES:,} bytes")
    with open(path, "rb") as file:
        if not file.read(max(map(len, MAGICS))).startswith(MAGICS):
            return Report(refused="its file does not begin as a model does")
    if sha256_of(path) != order.sha256:
        return Report(refused="its file is not the one that was recorded; the hashes differ")
    predictor = load_predictor(path, order.sha256, order.signature)
    matrix = encode_rows(order.rows, order.signature)
    answers = [predictor.one(row) for row in matrix.tolist()]
    expected = answers if order.answers is None else order.answers
    wrong = disagreement(predictor.many(matrix).tolist(), expected) or disagreement(answers, expected)
    return Report(refused=wrong) if wrong else Report(answers=answers)


def confine(limits: Limits) -> None:
    """Bound this process: CPU, memory, no core file, and no file larger than the report."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def main() -> int:
    """Read an Order from stdin and write a Report to stdout."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    report_to = os.dup(1)
    os.dup2(2, 1)  # LightGBM prints warnings to stdout; the report must stand alone
    confine(order.limits)
    try:
        report = examine(order)
    except LemnisError as error:
        report = Report(refused=error.problem.rstrip("."))
    except (MemoryError, OSError, ValueError) as error:
        report = Report(refused=safe(f"{type(error).__name__}: {error}", limit=300))
    except Exception as error:  # a border: LightGBM's own errors derive from Exception alone
        report = Report(refused=f"LightGBM says: {safe(error, limit=300)}")
    os.write(report_to, msgspec.json.encode(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
