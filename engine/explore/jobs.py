"""The work of exploring, as the worker does it: one pass over a version, column by column."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.explore.profile import Profile, blank_profile, list_profiles, save_profile

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

KEEP_EVERY_S = 0.1  # a commit waits for the disk; a person can't see more than ten a second


def profile(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Profile the columns of a version that have no profile yet; what is measured can be read while it goes on.

    Args:
        context: The job.
        arguments: ``version``: id of the version; ``again``: measure every column anew.
    """
    version = find_version(context.store, arguments.get("version"))
    if arguments.get("again"):
        with context.store.write() as db:
            db.execute("delete from profiles where version_id = ?", [version.id])
    known = {profile.name for profile in list_profiles(context.store, version.id)}
    wanted = [position for position, column in enumerate(version.columns) if column.name not in known]
    started = monotonic_s()
    measure_columns(context, version, wanted)
    return {"version": version.id, "columns": len(wanted), "seconds": round(monotonic_s() - started, 3)}


def measure_columns(context: "JobContext", version: Version, positions: list[int]) -> None:
    """Read, measure and keep these columns of a version, one after the other.

    Raises:
        Cancelled: The job was asked to stop; what was measured is kept.
    """
    import pyarrow.parquet as pq

    from lemnis.engine.explore.measure import label_classes, measure_column

    texts = [column.name for column in version.columns if column.type in ("string", "large_string")]
    with pq.ParquetFile(version.file, read_dictionary=texts) as file:
        label: Any = file.read(columns=[version.label]).column(0) if version.label else None
        classes = None if label is None else label_classes(label)
        waiting: list[Profile] = []
        kept_at = monotonic_s()
        try:
            for done, position in enumerate(positions):
                column = version.columns[position]
                context.progress(done / len(positions), f"{column.name} ({done + 1} of {len(positions)})")
                values: Any = label if column.name == version.label else file.read(columns=[column.name]).column(0)
                waiting.append(measure_column(values, blank_profile(column, position, version.rows), classes))
                if monotonic_s() - kept_at >= KEEP_EVERY_S:
                    keep(context, version, waiting)
                    kept_at = monotonic_s()
        finally:
            keep(context, version, waiting)


def keep(context: "JobContext", version: Version, waiting: list[Profile]) -> None:
    """Commit the waiting profiles and empty the list."""
    if waiting:
        with context.store.write() as db:
            for measured in waiting:
                save_profile(db, version.id, measured, now=now_ms())
        waiting.clear()
