"""What is sent to a worker to be trained, and what comes back."""

from typing import TypeAlias

from msgspec import Struct

from lemnis.engine.errors import BadInput, LemnisError, Unavailable
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.features.signature import Signature
from lemnis.engine.version import VERSION

KINDS: dict[str, type[LemnisError]] = {"bad_input": BadInput, "unavailable": Unavailable}
Told: TypeAlias = tuple[int, dict[str, float | None]]  # a round and its metrics


class Piece(Struct, frozen=True, kw_only=True):
    """Some rows of a Parquet file.

    Attributes:
        path: Of the dataset version; empty where the rows are sent.
        bytes: Its size, by which a worker knows that it sees the same file: its name is its hash.
        rows: The first row and the one behind the last, in the file's order.
        span: Start and end of the time, epoch ms, that a row must be in.
    """

    path: str = ""
    bytes: int = 0
    rows: tuple[int, int] = (0, 0)
    time: str = ""
    span: tuple[int, int] = (0, 0)


class Order(Struct, frozen=True, kw_only=True):
    """One training, or one worker's share of one.

    Attributes:
        id: Of every message about it.
        topic: Where the messages go.
        target: Column of the label.
        parameters: Complete, from `parameters.completed`; those of LightGBM's network too.
        rounds: How many there are to be.
        train: The rows to learn from; None where `train.parquet` is sent along.
        validation: The rows to watch; None where there are none, or where they are sent along.
        sent: Names of the Parquet files that are sent along: train, validation.
        tells: Whether it tells its rounds; of several workers only the first does.
    """

    id: str
    topic: str
    signature: Signature
    parameters: dict[str, Value | list[str]]
    rounds: int
    early_stopping: int
    train: Piece | None = None
    validation: Piece | None = None
    sent: tuple[str, ...] = ()
    tells: bool = True
    lemnis: str = VERSION


class Fault(Struct, frozen=True, kw_only=True):
    """Why nothing was trained: an error of ours by its code, or ``crashed``."""

    code: str
    problem: str
    remedy: str = ""
    place: str = ""


def refused(fault: Fault) -> LemnisError:
    """Return the error that a fault is."""
    return KINDS.get(fault.code, LemnisError)(fault.problem, fault.remedy, fault.place)


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of an order; the model is LightGBM's text.

    Attributes:
        told: Every round and its metrics, for what messages did not bring.
        peak_mib: Memory that the training used at most.
    """

    fault: Fault | None = None
    model: str = ""
    rounds_done: int = 0
    best_round: int | None = None
    metrics: dict[str, float | None] = {}
    seconds: float = 0.0
    peak_mib: float = 0.0
    told: list[Told] = []
