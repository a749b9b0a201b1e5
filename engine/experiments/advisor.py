"""Asking which device to train on: a job tries them all, and its result is the advice."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.algorithms import find_algorithm
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.experiments.advice import Advice

KIND = "experiments.advise"


class Advisor:
    """Says on which device to train, by training some rounds on each with the person's own data."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def start(
        self,
        preset: str | None = None,
        *,
        overrides: Mapping[str, Value] | None = None,
        version: str | int | None = None,
        features: Sequence[str] | str | None = None,
    ) -> int:
        """Queue the trials for one way to train and return the job's id; the arguments are those of a training.

        Raises:
            NotFound: There is no such preset, version, feature set or column.
            BadInput: A value is not accepted, or the algorithm trains on the CPU alone.
        """
        from lemnis.engine.experiments.devices import machine_has_gpu
        from lemnis.engine.experiments.start import prepare_run

        asked = {key: value for key, value in (overrides or {}).items() if key != "device"}
        config = load_config(self.store.workspace.config)
        made = prepare_run(self.store, config, preset, overrides=asked, version=version, features=features)
        algorithm = find_algorithm(str(made.row["algorithm"]))
        if len(algorithm.devices) == 1:
            raise BadInput(f"{algorithm.name} trains on the CPU only.", "Nothing is to be chosen.")
        return JobsRoom(self.store).submit(
            KIND,
            f"Devices for {made.row['preset']}",
            {"preset": preset, "overrides": asked, "version": made.version.id, "features": features},
            cores=float(str(made.row["cores"])),
            memory_bytes=int(str(made.row["memory_bytes"])),
            gpu=1.0 if machine_has_gpu() else 0.0,
        )

    def read(self, job_id: int) -> "Advice":
        """Return what a job found, once it has finished.

        Raises:
            NotFound: There is no such job.
            BadInput: It gave no advice (yet).
        """
        from lemnis.engine.experiments.advice import read_advice

        return read_advice(JobsRoom(self.store).job(job_id).result)
