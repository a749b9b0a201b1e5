"""The work of validating, as the worker does it."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.data import DataRoom
from lemnis.engine.errors import BadInput
from lemnis.engine.validate.circumstances import circumstances
from lemnis.engine.validate.history import record_run
from lemnis.engine.validate.runner import Runner, tally
from lemnis.engine.validate.tables import table_columns, table_files

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


def run(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Evaluate every declared check over a version and keep the verdicts.

    Args:
        context: The job.
        arguments: ``version``: id of the version, None for the latest.

    Raises:
        BadInput: No check is declared.
        NotFound: There is no such version.
        Cancelled: The job was asked to stop; nothing is kept.
    """
    store, started_at = context.store, now_ms()
    config = load_config(context.workspace.config)
    checks = config.checks
    if not checks:
        raise BadInput("No check is declared.", "Take proposals from `lemnis validate suggest`.", "lemnis.toml")
    version = DataRoom(store).version(arguments.get("version"))
    files = table_files(store, version)
    runner = Runner(
        files,
        table_columns(files),
        around=circumstances(store, config, version, files, now=started_at),
        threads=context.cores,
        spill=context.directory / "spill",
    )
    try:
        results = runner.run(checks, lambda n, name: context.progress(n / len(checks), name))
    finally:
        runner.close()
    counts = tally(results)
    check_run = record_run(store, version.id, results, counts, job_id=context.job_id, started_at=started_at)
    return {"check_run": check_run, "version": version.id, **counts}
