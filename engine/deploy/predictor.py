"""A loaded model that answers: one row by LightGBM's single-row call, many rows at once."""

import ctypes
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.deploy.golden import disagreement
from lemnis.engine.deploy.records import Golden
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Signature
from lemnis.engine.lean import hidden

PREDICT_NORMAL = 0  # C_API_PREDICT_NORMAL: with the objective's transform
FLOAT64 = 1  # C_API_DTYPE_FLOAT64


UNUSED = ("sklearn", "pandas", "polars", "dask", "matplotlib", "graphviz", "joblib")


def import_lightgbm() -> None:
    """Import LightGBM without the libraries it only looks for: a third of the time and of the memory.

    Afterwards they can be imported as ever; LightGBM just takes none of their tables. Prediction needs none.
    """
    if "lightgbm" in sys.modules:
        return
    with hidden(*UNUSED):
        importlib.import_module("lightgbm")


class Predictor:
    """One model in memory.

    `one` may be used by one thread at a time, `many` by any number beside it.
    """

    def __init__(self, booster: Any, signature: Signature, *, cores: int = 1) -> None:
        """Take a `lightgbm.Booster` that was loaded from a checked file. Any: lightgbm is typed in part.

        Raises:
            BadInput: The model takes other features than the signature says.
        """
        from lightgbm.libpath import _LIB  # pyright: ignore[reportPrivateUsage]  # the C library, as Booster calls it

        width = len(signature.features)
        if booster.num_feature() != width:
            raise BadInput(
                f"The model takes {booster.num_feature()} features, its signature has {width}.",
                "Train the run again.",
            )
        self.signature, self.outputs = signature, int(booster.num_model_per_iteration())
        self._booster, self._cores, self._library = booster, cores, _LIB
        self._row = (ctypes.c_double * width)()
        self._scores = (ctypes.c_double * self.outputs)()
        self._length = ctypes.c_int64()
        self._fast = ctypes.c_void_p()
        self._check(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,
                ctypes.c_int(PREDICT_NORMAL),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(FLOAT64),
                ctypes.c_int32(width),
                b"num_threads=1",
                ctypes.byref(self._fast),
            )
        )
        # Made once: building these per call costs more than the prediction of a small model.
        self._call = _LIB.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (self._fast, self._row, ctypes.byref(self._length), self._scores)

    def one(self, values: Sequence[float]) -> list[float]:
        """Return the scores of one encoded row: one probability, one value, or one probability a class."""
        self._row[:] = values
        if self._call(*self._arguments):
            self._check(-1)
        return self._scores[:]

    def many(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of encoded rows, shape (rows, outputs)."""
        if not len(matrix):
            return np.empty((0, self.outputs))
        scores = self._booster.predict(matrix, num_threads=self._cores)
        return np.asarray(scores, dtype=np.float64).reshape(len(matrix), self.outputs)

    def self_test(self, golden: Golden) -> str:
        """Answer the golden rows by both ways; return what is wrong, empty when both gave the recorded answers."""
        matrix = encode_rows(golden.rows, self.signature)
        singly = [self.one(row) for row in matrix.tolist()]
        return disagreement(singly, golden.answers) or disagreement(self.many(matrix).tolist(), golden.answers)

    def close(self) -> None:
        """Free the single-row handle; the booster frees itself."""
        if self._fast:
            self._library.LGBM_FastConfigFree(self._fast)
            self._fast = ctypes.c_void_p()

    def _check(self, status: int) -> None:
        if status:
            reason = self._library.LGBM_GetLastError().decode("utf-8", "replace")
            raise Unavailable(f"LightGBM could not predict: {reason}.", "Register the run again.")


def load_predictor(path: Path, sha256: str, signature: Signature, *, cores: int = 1) -> Predictor:
    """Load a registered model whose file still has its hash.

    Only for files that a modelbox child has passed: a malformed one can end this process.

    Raises:
        BadInput: The file changed, or is not the model of this signature.
    """
    from lemnis.engine.experiments.model import load_booster

    import_lightgbm()
    return Predictor(load_booster(path, sha256), signature, cores=cores)
