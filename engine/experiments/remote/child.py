"""The process that trains on a worker: a crash or a hang of LightGBM ends it alone, and it ends with its worker."""

import os
import re
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import LemnisError
from lemnis.engine.experiments.remote.order import Fault, Order, Outcome, Told
from lemnis.engine.experiments.rounds import Rounds, values_of

MARK = "\x1e"  # before a line of ours; every other line is LightGBM's, or a crash's
ORPHANED = 3  # exit status of one whose worker has died
# Addresses are of one training: with LightGBM's own values the same rows on as many workers give the same bytes.
NETWORK = re.compile(r"^\[(machines|local_listen_port|time_out): [^\n]*\]$", re.MULTILINE)
USUAL = {"machines": "", "local_listen_port": "12400", "time_out": "120"}


class Teller:
    """Says every round on the standard output."""

    before_iteration = False

    def __init__(self, order: Order, signature_task: str) -> None:
        self.told = Rounds(signature_task, order.rounds, order.early_stopping)
        self.all: list[Told] = []
        self._began = monotonic_s()
        self.seconds_taken: float | None = None

    @property
    def seconds(self) -> float:
        """Time spent training so far, or in all."""
        return self.seconds_taken if self.seconds_taken is not None else monotonic_s() - self._began

    def __call__(self, env: Any) -> None:
        """Take one round. Any: LightGBM's CallbackEnv, which has no types."""
        step, values = int(env.iteration) + 1, values_of(env.evaluation_result_list or ())
        self.told.take(step, values)
        self.all.append((step, values))
        say((step, values))
        if self.told.enough:
            from lemnis.engine.trees import lightgbm

            raise lightgbm.callback.EarlyStopException((self.told.best_round or 1) - 1, env.evaluation_result_list)

    def close(self) -> None:
        """Take the time."""
        self.seconds_taken = monotonic_s() - self._began


def say(value: object) -> None:
    """Write one line of ours."""
    sys.stdout.write(f"{MARK}{msgspec.json.encode(value).decode()}\n")
    sys.stdout.flush()


def perform(order: Order, folder: Path) -> Outcome:
    """Read the rows, train, and return what came of it; what goes wrong is its `fault`."""
    import pyarrow.parquet as pq

    from lemnis.engine.experiments.fit import fit
    from lemnis.engine.experiments.remote.pieces import encoded, read_piece

    signature = order.signature
    columns = [*signature.names, signature.target]

    def rows(name: str) -> Any:  # Any: Rows or None
        piece = order.train if name == "train" else order.validation
        if name in order.sent:
            table = pq.ParquetFile(folder / f"{name}.parquet").read()
        elif piece is not None:
            table = read_piece(piece, columns)
        else:
            return None
        return encoded([table], signature)

    try:
        train = rows("train")
        if train is None:
            raise LemnisError("No row of this worker's share has a label.", "Train on fewer workers.")
        teller = Teller(order, signature.task)
        found = fit(train, rows("validation"), signature, order.parameters, teller)
    except LemnisError as error:
        return Outcome(
            fault=Fault(code=error.code, problem=error.problem, remedy=error.remedy, place=error.place)
        )  # fmt: skip
    except MemoryError:
        return Outcome(fault=Fault(code="failed", problem="Out of memory on the worker.", remedy="Use more workers."))
    return Outcome(
        model=NETWORK.sub(lambda line: f"[{line[1]}: {USUAL[line[1]]}]", found.model),
        rounds_done=found.rounds_done,
        best_round=found.best_round,
        metrics=found.metrics,
        seconds=found.seconds,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        told=teller.all,
    )


def watch_parent(ended: Callable[[], object]) -> None:
    """Call `ended` when the other end of the standard input is closed: whoever started this has died."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        ended()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def main() -> int:
    """Do what `order.json` of the folder on the command line says; what came of it is `outcome.json` there."""
    watch_parent(lambda: os._exit(ORPHANED))
    folder = Path(sys.argv[1])
    outcome = perform(msgspec.json.decode((folder / "order.json").read_bytes(), type=Order), folder)
    (folder / "outcome.json").write_bytes(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
