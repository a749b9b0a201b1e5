"""A grid: versions × algorithms × values, planned before it is started, and queued as one group of runs."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lemnis.engine.config import Config, find_preset, load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.estimate import Past, expected_time
from lemnis.engine.experiments.parameters import Value, typed
from lemnis.engine.experiments.records import Cell, Grid, Plan, Started
from lemnis.engine.experiments.runs import as_text, pairs_of
from lemnis.engine.experiments.start import (
    NAME_LENGTH,
    Prepared,
    checked_tags,
    left_out_tags,
    named_by_lightgbm,
    prepare_run,
    queue_run,
)
from lemnis.engine.jobs import user_name
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.resources.capacity import machine_pool
from lemnis.engine.store import Store
from lemnis.engine.text import safe

MOST = 1000  # runs of one grid
LOOKED_AT = 2000  # newest runs among which one with the same parameters is looked for
TOLD_BY = 300  # newest finished runs that say how long a training takes
ALIKE = ("version_id", "algorithm", "task", "target", "features", "seed", "device_asked", "rounds")
Conditions: TypeAlias = tuple[Any, ...]  # Any: the columns of ALIKE, then the parameters


def read_axes(words: Sequence[str]) -> dict[str, list[Value]]:
    """Return words such as ``num_leaves=31,63`` as values by name, each once.

    Raises:
        BadInput: A word is not NAME=VALUE,VALUE, or a name is given twice.
    """
    found: dict[str, list[Value]] = {}
    for word in words:
        key, _, texts = (part.strip() for part in word.partition("="))
        values = [typed(text.strip()) for text in texts.split(",") if text.strip()]
        if not (key and values):
            raise BadInput(f"{safe(word, limit=60)!r} is not NAME=VALUE,VALUE.", "Write for example num_leaves=31,63.")
        if key in found:
            raise BadInput(f"{safe(key, limit=60)} is given twice.", "Name all its values at once, with commas.")
        found[key] = list(dict.fromkeys(values))
    return found


class Grids:
    """The grids of a workspace: planned first, then queued."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def plan(self, grid: Grid) -> Plan:
        """Return the runs that a grid would start, those that there are already, and how long the others will take.

        Values that an algorithm has no use for are left out for it, so that two combinations may come to one run.

        Raises:
            NotFound: There is no such preset, version, feature set or column.
            BadInput: A value is not accepted, no algorithm takes a parameter, or there are too many runs.
        """
        store, config = self.store, load_config(self.store.workspace.config)
        made, combinations = prepared_cells(store, config, grid)
        same, past = same_runs(store, list(made)), past_trainings(store)
        cells = [cell_of(name, one, same.get(conditions), past) for conditions, (name, one) in made.items()]
        told = [cell.expected.basis for cell in cells if cell.expected is not None]
        at_once = most_at_once(store, config, next(iter(made.values()))[1])
        return Plan(
            cells=cells,
            combinations=combinations,
            at_once=at_once,
            basis=min(told, default=0),
        )

    def start(self, grid: Grid, *, again: bool = False, user: str = "", despite_checks: str = "") -> Started:
        """Queue the runs of a grid as one group, all or none.

        Args:
            grid: What is varied.
            again: Also train what a finished or waiting run has the same conditions of.
            user: Who starts it; by default who the system says.
            despite_checks: Why it is trained although a check of the data failed; kept with each run.

        Raises:
            NotFound, BadInput: As `plan`.
            ChecksFailed: The data fail a check that nobody waives, and no reason is given.
        """
        store, config = self.store, load_config(self.store.workspace.config)
        made, _ = prepared_cells(store, config, grid)
        same = {} if again else same_runs(store, list(made))
        new = {conditions: cell for conditions, cell in made.items() if conditions not in same}
        left = sorted(run_id for run_id, _ in same.values())
        if not new:
            return Started(group="", run_ids=[], same=left)
        versions = {one.version.id: one.version for _, one in new.values()}
        checked = {key: checked_tags(store, version, despite_checks) for key, version in versions.items()}
        common = {"problem_sha256": ProblemRoom(store).problem_sha256(), "user": user or user_name()}
        run_ids: list[int] = []
        with store.write():
            group = next_group(store)
            for name, one in new.values():
                named = {"name": safe(name or str(one.row["preset"]), limit=NAME_LENGTH), "group_name": group}
                tags = checked[one.version.id] | left_out_tags(one)
                row = one.row | common | named
                run_ids.append(queue_run(store, row, one.params, threshold=config.problem.threshold, tags=tags))
        return Started(group=group, run_ids=run_ids, same=left)


def cell_of(name: str, one: Prepared, same: tuple[int, str] | None, past: Sequence[Past]) -> Cell:
    """Return one run of a grid as it is shown."""
    algorithm, rounds = str(one.row["algorithm"]), int(str(one.row["rounds"]))
    return Cell(
        name=name or str(one.row["preset"]),
        version=one.version.title,
        algorithm=algorithm,
        params={key: as_text(value) for key, value in one.params.items()},
        left_out=one.left_out,
        same_as=same[0] if same else None,
        same_state=same[1] if same else "",
        expected=expected_time(past, algorithm, one.version.id, one.version.rows, rounds),
    )


def next_group(store: Store) -> str:
    """Return the name of the next grid: ``grid 1``, ``grid 2``."""
    last = store.value(
        "select max(cast(substr(group_name, 6) as integer)) from runs where group_name glob 'grid [0-9]*'"
    )
    return f"grid {(last or 0) + 1}"


def prepared_cells(store: Store, config: Config, grid: Grid) -> tuple[dict[Conditions, tuple[str, Prepared]], int]:
    """Return the runs of a grid with their names by their conditions, so that no two are the same, and how many asked.

    Raises:
        NotFound: There is no such preset, version, feature set or column.
        BadInput: A value is not accepted, no algorithm takes a parameter, or there are too many runs.
    """
    axes = axes_of(config, grid)
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MOST:
        raise BadInput(f"A grid of {count:,} runs is too large; {MOST:,} can be queued.", "Name fewer values.")
    varied = [name for name, values in axes.items() if len(values) > 1]
    made: dict[Conditions, tuple[str, Prepared]] = {}
    idle = set(axes) - {"data", "algorithm"}
    for combination in combinations_of(axes):
        version, overrides = combination["data"], {key: v for key, v in combination.items() if key != "data"}
        one = prepare_run(
            store,
            config,
            grid.preset,
            overrides=overrides,
            version=None if version == "" else str(version),
            features=grid.features,
            strict=False,
        )
        one = named_by_lightgbm(one)
        idle &= set(one.left_out) | ({"rounds"} if not find_algorithm(str(one.row["algorithm"])).trees else set())
        words = [
            one.version.title
            if key == "data"
            else as_text(combination[key])
            if key == "algorithm"
            else f"{key}={as_text(combination[key])}"
            for key in varied
            if key not in one.left_out
        ]
        made.setdefault(conditions_of(one), (" ".join(words), one))
    if idle:
        name = sorted(idle)[0]
        raise BadInput(f"No algorithm of this grid takes {safe(name, limit=60)}.", "Leave it out.", f"parameter {name}")
    return made, count


def axes_of(config: Config, grid: Grid) -> dict[str, list[Value]]:
    """Return what is varied, by name: `data` and `algorithm` first; raises BadInput for a name that can't be."""
    _, preset = find_preset(config, grid.preset)
    for name in grid.values:
        if name in ("algorithm", "data"):
            raise BadInput(f"{name} is no parameter.", f"Name it with --{name}.")
    algorithms = [find_algorithm(name).name for name in grid.algorithms or [preset.algorithm]]
    return {
        "data": list(dict.fromkeys(grid.versions)) or [""],
        "algorithm": list(dict.fromkeys(algorithms)),
        **grid.values,
    }


def combinations_of(axes: Mapping[str, Sequence[Value]]) -> Iterator[dict[str, Value]]:
    """Yield every combination, the last name's values changing first."""
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def conditions_of(one: Prepared) -> Conditions:
    """Return everything that decides what a run's training gives, but for the machine."""
    return (*(one.row[name] for name in ALIKE), frozenset((key, plain(as_text(v))) for key, v in one.params.items()))


def plain(text: str) -> Value:
    """Return a parameter's value so that ``0.1`` and ``0.10`` are the same."""
    found = typed(text)
    return float(found) if isinstance(found, int) and not isinstance(found, bool) else found


def same_runs(store: Store, wanted: Sequence[Conditions]) -> dict[Conditions, tuple[int, str]]:
    """Return the newest run, finished or on its way, with each of these conditions, and its state.

    Of the runs that are alike but for their parameters only the LOOKED_AT newest are looked at.
    """
    alike = sorted({conditions[: len(ALIKE)] for conditions in wanted})
    marks = ", ".join(f"({', '.join('?' * len(ALIKE))})" for _ in alike)
    rows = store.rows(
        f"""select id, state, {", ".join(ALIKE)} from runs where ({", ".join(ALIKE)}) in (values {marks})
              and state in ('queued', 'preparing', 'running', 'finished') and deleted_at is null
            order by id desc limit ?""",
        [*(value for head in alike for value in head), LOOKED_AT],
    )
    params = pairs_of(store, "run_params", [row["id"] for row in rows])
    asked, found = set(wanted), dict[Conditions, tuple[int, str]]()
    for row in rows:
        given = frozenset((key, plain(value)) for key, value in params[row["id"]].items())
        conditions = (*(row[name] for name in ALIKE), given)
        if conditions in asked:
            found.setdefault(conditions, (row["id"], row["state"]))
    return found


def past_trainings(store: Store) -> list[Past]:
    """Return the newest finished trainings that say how long one takes."""
    rows = store.rows(
        """select r.algorithm, r.version_id, v.rows, r.rounds_done, m.value, (r.ended_at - r.started_at) / 1000.0
           from runs r join versions v on v.id = r.version_id
             join run_metrics m on m.run_id = r.id and m.key = 'train_seconds'
           where r.state = 'finished' and r.deleted_at is null and r.archived_at is null and m.value is not null
             and r.started_at is not null and r.ended_at is not null
           order by r.id desc limit ?""",
        [TOLD_BY],
    )
    return [Past(*row) for row in rows]


def most_at_once(store: Store, config: Config, one: Prepared) -> int:
    """Return how many such trainings the pool can hold at once, at least 1."""
    pool = machine_pool(config.pool, store)
    by_cores = pool.cores // float(str(one.row["cores"]))
    by_memory = pool.memory_bytes // max(1, int(str(one.row["memory_bytes"])))
    return max(1, int(min(by_cores, by_memory)))
