"""The work of validating, as the worker does it."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.data import DataRoom, Version
from lemnis.engine.errors import BadInput
from lemnis.engine.explore import ExploreRoom, Profile
from lemnis.engine.store import Store
from lemnis.engine.validate.circumstances import circumstances
from lemnis.engine.validate.history import record_run
from lemnis.engine.validate.kept import Kept, collect, compare, load, save
from lemnis.engine.validate.records import Compared
from lemnis.engine.validate.runner import Runner, tally
from lemnis.engine.validate.suggest import suggested_checks
from lemnis.engine.validate.tables import table_columns, table_files
from lemnis.engine.validate.trial import VERSIONS, Trial, references_of

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


LOOK_BACK = 10  # runs that are searched for the last one that evaluated a check


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
    around = circumstances(store, config, version, files, now=started_at)
    runner = Runner(
        files, table_columns(files), around=around, threads=context.cores, spill=context.directory / "spill"
    )
    try:
        results = runner.run(checks, lambda n, name: context.progress(n / len(checks), name))
        context.progress(1.0, "comparing with the run before")
        kept = collect(results, runner.questions, files, around.keys, threads=context.cores)
    finally:
        runner.close()
    compared = against_last(store, kept, version.name)
    results = [msgspec.structs.replace(result, compared=compared.get(result.name)) for result in results]
    counts, name = tally(results), f"{context.job_id}-{started_at}.parquet"
    save(store, name, kept)
    check_run = record_run(store, version.id, results, counts, job_id=context.job_id, started_at=started_at, kept=name)
    return {"check_run": check_run, "version": version.id, **counts}


def against_last(store: Store, kept: Kept, dataset: str) -> dict[str, Compared]:
    """Compare each check with the last run over the same dataset that evaluated it; most have the very last one."""
    rows = store.rows(
        """select check_runs.id, kept from check_runs join versions on versions.id = version_id
           where versions.name = ? and kept != '' order by check_runs.id desc limit ?""",
        [dataset, LOOK_BACK],
    )
    found: dict[str, Compared] = {}
    left = set(kept.ids)
    for row in rows:
        before = load(store, row["kept"]) if left else None
        if before is not None:
            known = left & set(before.ids)
            ours = Kept(ids={name: kept.ids[name] for name in known}, by=kept.by)
            found |= compare(ours, before, row["id"])
            left -= known
    return found


def suggest(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Try checks that a version's profile suggests on all its earlier versions and on injected faults.

    Args:
        context: The job.
        arguments: ``version``: id of the version, None for the latest.

    Raises:
        BadInput: The version is not profiled yet.
        NotFound: There is no such version.
        Cancelled: The job was asked to stop.
    """
    store, config = context.store, load_config(context.workspace.config)
    data = DataRoom(store)
    version = data.version(arguments.get("version"))
    profiles = profiles_of(store, version)
    candidates = suggested_checks(
        profiles, config.dataset.key or version.keys, config.checks, references=references_of(config)
    )
    earlier = [each for each in data.versions(version.name) if each.number < version.number]
    versions = [version, *sorted(earlier, key=lambda each: -each.number)][:VERSIONS]
    trial = Trial(
        lambda each: table_files(store, each), context.directory, threads=context.cores, tell=context.progress
    )
    return msgspec.to_builtins(trial.run(candidates, versions))


def profiles_of(store: Store, version: Version) -> list[Profile]:
    """Return the profiles of a version.

    Raises:
        BadInput: A column has none yet.
    """
    profiles = ExploreRoom(store).profiles(version.id)
    if len(profiles) < len(version.columns):
        raise BadInput(f"{version.title} is not profiled yet.", "Run `lemnis explore profile` first.")
    return profiles
