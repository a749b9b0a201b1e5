"""What workers do for deployment: scoring a whole file with a registered version."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.deploy import batch, registry
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.predictor import load_predictor

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


def predict(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Score a file; returns its rows and where the answers are. Any: JSON of the job.

    Args:
        context: Where the job runs.
        arguments: ``model``, ``version``, ``file`` and ``out``.

    Raises:
        BadInput: The file lacks a feature, or a value can't be read.
        Cancelled: The job was asked to stop; nothing is left behind.
    """
    store, model, number = context.store, arguments["model"], arguments["version"]
    version = registry.version(store, model, number)
    signature, golden = registry.signature_of(store, model, number), registry.golden_of(store, model, number)
    context.progress(0.0, "checking the model")
    ask_model(version.path, version.sha256, signature, golden.rows, golden.answers)
    predictor = load_predictor(version.path, version.sha256, signature, cores=context.cores)
    out = Path(arguments["out"])
    rows = batch.score_file(Path(arguments["file"]), out, predictor, progress=context.progress)
    return {"rows": rows, "out": str(out), "model": model, "version": number}
