"""One worker's share of a training, as the model that `lightgbm.dask` fits on it."""

from typing import Any

import msgspec
import numpy as np

from lemnis.engine.experiments.remote.order import Order, Outcome, Piece, refused


class Share:
    """Made on a worker with LightGBM's parameters, those of its network among them; trained by a process of its own.

    It comes back with the model as text. Any, in the signatures: what `lightgbm.dask` hands on.
    """

    fitted_ = False  # the network is the process's own and has ended with it

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters
        self._other_params: dict[str, Any] = {}
        self.outcome = b""

    def fit(
        self,
        data: "np.ndarray[Any, np.dtype[np.uint8]]",
        label: "np.ndarray[Any, np.dtype[np.int64]]",
        *,
        order: bytes,
        pieces: list[bytes],
        validation: bytes,
        sent: bool,
        **_none: Any,
    ) -> "Share":
        """Train on the rows of a piece.

        Args:
            data: Its rows as a Parquet file, empty where the worker sees the dataset's own.
            label: Its number; the first tells its rounds.
            order: What is the same for all, as JSON.
            pieces: All of them, as JSON.
            validation: Rows to watch, the same for all, so that all stop at the same round.
            sent: Whether rows are sent.
        """
        from lemnis.engine.experiments.remote.carrier import carry

        number = int(label[0])
        files: dict[str, bytes] = {}
        if sent:
            files = {"train": data.tobytes()} | ({"validation": validation} if validation else {})
        made = msgspec.structs.replace(
            msgspec.json.decode(order, type=Order),
            parameters=self.parameters,
            train=msgspec.json.decode(pieces[number], type=Piece),
            sent=tuple(files),
            tells=number == 0,
        )
        found = carry(msgspec.json.encode(made), files)
        fault = msgspec.json.decode(found, type=Outcome).fault if found else None
        if fault is not None and fault.code != "missing":
            raise refused(fault)
        self.outcome = found
        return self
