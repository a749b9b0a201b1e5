"""How each form of export is written into an empty folder, and compared with the version it is made of."""

import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import msgspec
import numpy as np

from lemnis.engine.clock import iso_utc
from lemnis.engine.deploy.exports import descriptors, parity
from lemnis.engine.deploy.exports.ensemble import Ensemble, Harm, harmed, narrowed, narrowed_text, native_features
from lemnis.engine.deploy.exports.records import Checked, Form, Outcome
from lemnis.engine.deploy.exports.subject import Subject
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.errors import BadInput
from lemnis.engine.models.files import LINEAR, read_answering
from lemnis.engine.models.linear import read_linear
from lemnis.engine.text import safe

SCORE = Path(__file__).with_name("score.py")
CHECK_S = 120.0
ASK = """
import runpy, sys
from pathlib import Path
for name in ("sklearn", "pandas", "polars", "dask", "matplotlib", "graphviz", "joblib", *sys.argv[3:]):
    sys.modules[name] = None  # the requirements do not ask for them
wrong = runpy.run_path(sys.argv[1])["check"](Path(sys.argv[2]))
print(wrong)
sys.exit(bool(wrong))
"""
ANOTHER = "Export it as a folder, or train without what float32 can't hold: the difference to a fixed number will do."


def write_native(folder: Path, subject: Subject) -> Outcome:
    """Write the model's own text with what is needed to ask it, which the modelbox has done already."""
    (folder / "model.txt").write_text(subject.text, encoding="utf-8")
    (folder / "signature.json").write_bytes(msgspec.json.format(msgspec.json.encode(subject.signature), indent=1))
    (folder / "golden.json").write_text(subject.golden.save(), encoding="utf-8")
    count = len(subject.golden.rows)
    return Outcome(checked=Checked(rows=count, farthest=0.0, against=f"{count} golden rows"))


def write_bare(folder: Path, subject: Subject) -> Outcome:
    """Write the model's own text for who asks it with their own program.

    Raises:
        BadInput: Its answers are calibrated, which no text of LightGBM's says.
    """
    version = subject.version
    if version.calibration:
        raise BadInput(
            f"{version.model} version {version.version} answers with what its {version.calibration} map makes of the"
            " model's probabilities, and the model's text alone holds no such map.",
            "Export it as folder, mlflow or onnx, which do.",
        )
    return write_native(folder, subject)


def write_onnx(folder: Path, subject: Subject, *, float32: bool = False, against: str = "", cores: int = 1) -> Outcome:
    """Write one ONNX file and ask it every row there is.

    Raises:
        BadInput: The model can't be written so, or a row is answered otherwise; features that lose digits are named.
        Unavailable: The packages are missing.
    """
    from lemnis.engine.deploy.exports.graph import onnx_answers, onnx_model

    made = read_linear(subject.text) if is_linear(subject) else Ensemble.read(subject.text)
    signature, version = subject.signature, subject.version
    facts = {"model": version.model, "version": str(version.version), "sha256": version.sha256}
    facts |= {"target": signature.target, "threshold": str(signature.threshold)}
    native = native_features(subject.rows) if float32 else None
    content = onnx_model(made, signature, facts, native=native)
    if isinstance(made, Ensemble):
        placed, where = parity.threshold_rows(made, subject.rows, float32=float32), "at thresholds"
        harms = harmed(made, signature.names, subject.rows) if float32 else []
    else:
        placed, where, harms = parity.effect_rows(made, signature, subject.rows), "with one value moved", []
    rows = np.vstack([subject.rows, placed])
    ours = parity.answers_of(subject.predictor, rows)
    scores, labels = onnx_answers(content, signature, rows, cores=cores)
    theirs = parity.Answers(scores=scores, labels=labels)
    remedy = "Leave --float32 out: with double inputs no digit is lost." if float32 else ANOTHER
    parity.check_same(ours, theirs, harms, remedy=remedy)
    (folder / "model.onnx").write_bytes(content)
    (folder / "signature.json").write_bytes(msgspec.json.format(msgspec.json.encode(signature), indent=1))
    checked = Checked(
        rows=len(rows),
        farthest=parity.farthest(ours, theirs),
        against=f"{against}, {len(placed):,} {where}",
    )
    return Outcome(checked=checked, warnings=[at_risk(harm) for harm in harms])


def write_mlflow(folder: Path, subject: Subject) -> Outcome:
    """Write a model directory of MLflow's: pyfunc and, for trees, LightGBM's own flavour; there is no pickle in it.

    Raises:
        BadInput: It answers a golden row otherwise.
    """
    for part in ("data", "code"):
        (folder / part).mkdir()
    outcome = write_native(folder / "data", subject)
    (folder / "code" / "lemnis_score.py").write_bytes(SCORE.read_bytes())
    python, versions = platform.python_version(), packages(*needed(subject), "pandas")
    # LightGBM's own flavour would answer without the map.
    told = {} if subject.version.calibration else versions
    facts = {"python": python, **told, "created": iso_utc(subject.version.created_at)}
    text = descriptors.mlmodel(subject.version, subject.signature, subject.integers, facts)
    (folder / "MLmodel").write_text(text, encoding="utf-8")
    (folder / "requirements.txt").write_text(descriptors.requirements(versions))
    (folder / "conda.yaml").write_text(descriptors.conda(python, versions))
    (folder / "python_env.yaml").write_text(descriptors.python_env(python))
    answer_golden(folder / "code" / "lemnis_score.py", folder / "data", subject)
    return outcome


def write_folder(folder: Path, subject: Subject) -> Outcome:
    """Write a folder that answers rows by itself, and descriptors for KServe and for Triton.

    Triton has trees alone and takes float32; where that changes an answer its part is left out, and a warning says why.

    Raises:
        BadInput: It answers a golden row otherwise.
    """
    outcome = write_native(folder, subject)
    (folder / "score.py").write_bytes(SCORE.read_bytes())
    (folder / "requirements.txt").write_text(descriptors.requirements(packages(*needed(subject))))
    python = ".".join(platform.python_version_tuple()[:2])
    (folder / "Dockerfile").write_text(descriptors.dockerfile(subject.version, python, trees=not is_linear(subject)))
    (folder / "kserve.yaml").write_text(descriptors.kserve(subject.version))
    answer_golden(folder / "score.py", folder, subject)
    return Outcome(checked=outcome.checked, warnings=write_triton(folder / "triton" / subject.version.model, subject))


def write_triton(folder: Path, subject: Subject) -> list[str]:
    """Write a model of Triton's, its thresholds rounded to float32 as Triton's numbers are; return warnings.

    Where that changes an answer nothing is written.
    """
    if is_linear(subject):
        return ["Triton is left out: it has no backend for a linear model."]
    if subject.version.calibration:
        return [f"Triton is left out: its backend of trees has no {subject.version.calibration} map of their answers."]
    text, signature = narrowed_text(subject.text, native_features(subject.rows)), subject.signature
    rounded = narrowed(subject.rows).astype(np.float64)
    theirs = parity.answers_of(Predictor(read_answering(text), signature), rounded)
    warnings = [at_risk(harm) for harm in harmed(Ensemble.read(subject.text), signature.names, subject.rows)]
    try:
        parity.check_same(parity.answers_of(subject.predictor, subject.rows), theirs, [], remedy="")
    except BadInput as error:
        return [f"Triton is left out, because it takes float32. {error.problem}", *warnings]
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(descriptors.triton(subject.version, signature))
    (folder / "1" / "model.txt").write_text(text, encoding="utf-8")
    return warnings


WRITERS: Mapping[Form, Callable[[Path, Subject], Outcome]] = {
    "native": write_bare,
    "mlflow": write_mlflow,
    "folder": write_folder,
}


def is_linear(subject: Subject) -> bool:
    """Say whether the model is a linear one, or a constant."""
    return subject.text.startswith(LINEAR)


def needed(subject: Subject) -> list[str]:
    """Return the packages without which the exported program can't answer."""
    return ["numpy"] if is_linear(subject) else ["lightgbm", "numpy"]


def packages(*names: str) -> dict[str, str]:
    """Return the versions of packages as they are here; empty for one that is not."""
    found = dict.fromkeys(names, "")
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = installed(name)
    return found


def at_risk(harm: Harm) -> str:
    """Say what float32 does to a feature."""
    return f"{safe(harm.feature)}: rounding to float32 moves {harm.rows:,} of the checked rows across a threshold"


def answer_golden(script: Path, folder: Path, subject: Subject) -> None:
    """Ask the exported program its golden rows, in a process that has what it asks for alone; raises BadInput."""
    absent = ["lightgbm", "scipy"] if is_linear(subject) else []
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", ASK, script, folder, *absent],
            capture_output=True,
            text=True,
            timeout=CHECK_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        told = (done.stdout + done.stderr).strip().rpartition("\n")[2]
        wrong = (told or f"status {done.returncode}") if done.returncode else ""
    except subprocess.TimeoutExpired:
        wrong = f"it gave no answer within {CHECK_S:g} s"
    if wrong:
        raise BadInput(
            f"The export does not answer as the version does: {safe(wrong, limit=300)}.", "Register the run again."
        )
