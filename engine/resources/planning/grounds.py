"""What a plan rests on, read from the workspace: the expected volume, what was measured, and what there is."""

import shutil

from lemnis.engine.config import Config, Infrastructure, find_preset, load_config, read_config
from lemnis.engine.resources.accounting.disk import folder_size
from lemnis.engine.resources.capacity import machine_pool
from lemnis.engine.resources.cgroups import read_limits, usable_cores
from lemnis.engine.resources.planning.plan import Asked, Grounds, Holds, Plan, plan_of
from lemnis.engine.resources.planning.records import Sizes
from lemnis.engine.resources.planning.trainings import USUAL_BINS, USUAL_LEAVES, measured_trainings
from lemnis.engine.store import Store
from lemnis.engine.store.revisions import revisions

NEWEST = 20

NEWEST_VERSION = """
    select rows, name, number, json_array_length(columns) as columns,
      coalesce(json_extract(split, '$.train.labelled'), rows) as train_rows,
      coalesce(json_extract(split, '$.validation.labelled'), 0) as held_rows
    from versions order by linked_at desc, number desc limit 1"""
NEWEST_FEATURES = "select json_array_length(features) from runs where features != '[]' order by id desc limit 1"
CELL_BYTES = """
    select bytes * 1.0 / rows / json_array_length(columns) as each from versions
    where rows > 0 and bytes > 0 order by created_at desc limit ?"""
CORE_US = """
    select json_extract(cell.value, '$.cpu_us_per_row') as each from load_tests, json_each(detail, '$.cells') cell
    where json_extract(cell.value, '$.batch') = 1 and json_extract(cell.value, '$.cpu_us_per_row') > 0
    order by load_tests.at desc limit ?"""
PREDICT_MS = "select value as each from run_metrics where key = 'predict_ms' and value > 0 order by run_id desc limit ?"


# The topics that move with every table of STATE, which itself looks at all the runs.
TOPICS = ("experiments", "data", "deploy")
STATE = """
    select max(ended_at), max(id), count(*) filter (where deleted_at is null),
      (select max(linked_at) from versions), (select max(at) from load_tests)
    from runs"""


def make_plan(store: Store, declared: Infrastructure | None = None) -> Plan:
    """Return what infrastructure the expected volume needs.

    Args:
        store: Of the workspace.
        declared: The volume; None for [infrastructure] of lemnis.toml.

    Raises:
        ConfigError: lemnis.toml is not accepted.
        NotFound: There is no such preset.
    """
    config = load_config(store.workspace.config)
    return plan_of(
        asked_of(store, config, declared or config.infrastructure), grounds_of(store), holds_of(store, config)
    )


def moved_of(store: Store) -> tuple[object, ...]:
    """Return what moves whenever the state may have: cheap to read, unlike the state.

    Raises:
        ConfigError: lemnis.toml can't be read.
    """
    counters = revisions(store)
    return read_config(store.workspace.config), *(counters.get(topic) for topic in TOPICS)


def state_of(store: Store) -> tuple[object, ...]:
    """Return what a plan follows from beside lemnis.toml: one made under an equal state is still right."""
    row = store.row(STATE)
    return tuple(row) if row is not None else ()


def asked_of(store: Store, config: Config, declared: Infrastructure) -> Asked:
    """Return the expected volume with what it leaves open filled in from the newest version and the preset."""
    name, preset = find_preset(config, declared.preset or None)
    version = store.row(NEWEST_VERSION)
    rows, held, columns, known = declared.rows, 0, declared.columns, "as declared"
    cells = rows * columns
    if version is not None:
        title = f"{version['name']} v{version['number']}"
        held_share = version["held_rows"] / max(1, version["train_rows"])
        rows = declared.rows or int(version["train_rows"])
        held = round(rows * held_share)
        used = int(store.value(NEWEST_FEATURES) or version["columns"])
        columns = declared.columns or used
        whole_rows = rows * version["rows"] / max(1, version["train_rows"])
        cells = round(whole_rows * (version["columns"] + columns - used))
        known = known if declared.rows and declared.columns else f"what is not declared is that of {title}"
    sizes = Sizes(
        rows=max(1, rows),
        held_rows=held,
        columns=max(1, columns),
        rounds=preset.rounds,
        leaves=whole(preset.parameters.get("num_leaves"), USUAL_LEAVES),
        bins=whole(preset.parameters.get("max_bin"), USUAL_BINS),
        cores=float(preset.cores),
    )
    return Asked(
        sizes=sizes,
        preset=name,
        known=known if rows else "nothing is known of the rows: declare [infrastructure] rows",
        version_cells=max(1, cells),
        cadence=declared.cadence,
        versions_kept=declared.versions_kept,
        predictions_per_day=declared.predictions_per_day,
        peak_per_s=declared.peak_per_s,
    )


def whole(value: bool | int | float | str | None, usual: int) -> int:
    """Return a parameter that is a whole number, or the usual one where it says none."""
    return int(value) if isinstance(value, int | float) and value >= 1 else usual


def grounds_of(store: Store) -> Grounds:
    """Return what this machine and workspace have measured."""
    return Grounds(
        trainings=measured_trainings(store),
        cell_bytes=figures(store, CELL_BYTES),
        run_bytes=run_bytes(store),
        prediction_bytes=prediction_bytes(store),
        core_us=figures(store, CORE_US),
        predict_ms=figures(store, PREDICT_MS),
    )


def run_bytes(store: Store) -> float | None:
    """Return what one run with a model takes on disk; None where nothing lies there."""
    size, _ = folder_size(store.workspace.runs)
    runs = store.value("select count(*) from runs where model_sha256 is not null") if size else 0
    return size / runs if runs else None


def figures(store: Store, sql: str) -> list[float]:
    """Return the newest figures of a query."""
    return [float(row["each"]) for row in store.rows(sql, [NEWEST]) if row["each"] is not None]


def prediction_bytes(store: Store) -> float | None:
    """Return what one logged prediction takes on disk; None where there are too few to tell."""
    count = int(store.value("select max(id) from predictions", name="predictions") or 0)
    file = store.workspace.predictions
    return file.stat().st_size / count if count >= 1000 and file.exists() else None


def holds_of(store: Store, config: Config) -> Holds:
    """Return what there is to hold it."""
    pool = machine_pool(config.pool, store)
    try:
        free = shutil.disk_usage(store.workspace.root).free
    except OSError:
        free = None
    return Holds(
        cores=pool.cores,
        memory_bytes=pool.memory_bytes,
        disk_free_bytes=free,
        machine_cores=usable_cores(read_limits()),
        prices=config.pool,
        currency=config.problem.currency,
    )
