"""LightGBM's trees through its C library alone: what a server asks needs nothing of the Python package.

That would bring SciPy and more: a third of a server's start, and a third of its memory.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import Unavailable

NORMAL, CONTRIBUTIONS = 0, 3  # C_API_PREDICT_NORMAL, with the objective's transform; C_API_PREDICT_CONTRIB
FLOAT64 = 1  # C_API_DTYPE_FLOAT64
ALL_ROUNDS = ctypes.c_int(-1)
FIRST_ROUND = ctypes.c_int(0)
LINEAR = "\n[linear_tree: 1]"  # in a model's text, of trees with a line in each leaf


@cache
def library() -> Any:
    """Return LightGBM's C library, found where the package finds it. Any: ctypes knows no signatures.

    Raises:
        Unavailable: LightGBM is not installed.
    """
    found = find_spec("lightgbm")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("LightGBM is not installed.", "Install Lemnis again.")
    specification = spec_from_file_location(
        "lightgbm_libpath", Path(found.submodule_search_locations[0]) / "libpath.py"
    )
    assert specification is not None
    assert specification.loader is not None
    finder: Any = module_from_spec(specification)
    specification.loader.exec_module(finder)
    opened = finder._LIB
    opened.LGBM_GetLastError.restype = ctypes.c_char_p
    return opened


def check(status: int) -> None:
    """Raise Unavailable where a call of the library failed."""
    if status:
        reason = library().LGBM_GetLastError().decode("utf-8", "replace")
        raise Unavailable(f"LightGBM could not answer: {reason}.", "Register the run again.")


class Trees:
    """A model of trees that is only asked; it answers the calls that a `LinearModel` answers."""

    def __init__(self, text: str) -> None:
        """Take a model's text, which has to be trusted: a damaged one can end the process.

        Raises:
            Unavailable: LightGBM refuses it.
        """
        self._library, self.handle = library(), ctypes.c_void_p()
        self.linear = LINEAR in text
        rounds = ctypes.c_int()
        check(
            self._library.LGBM_BoosterLoadModelFromString(
                text.encode(), ctypes.byref(rounds), ctypes.byref(self.handle)
            )
        )

    def __del__(self) -> None:
        if self.handle:
            self._library.LGBM_BoosterFree(self.handle)

    def num_feature(self) -> int:
        return self._number("LGBM_BoosterGetNumFeature")

    def num_model_per_iteration(self) -> int:
        """Return how many scores a row gets."""
        return self._number("LGBM_BoosterNumModelPerIteration")

    def predict(
        self, matrix: NDArray[np.float64], *, pred_contrib: bool = False, num_threads: int = 1
    ) -> NDArray[np.float64]:
        """Return scores as a `lightgbm.Booster` would, shape (rows, outputs).

        Args:
            matrix: Encoded rows, shape (rows, features).
            pred_contrib: What each feature adds to the raw scores and, last, the bias, for each output:
                (rows, outputs * (features + 1)).
            num_threads: How many share the work.
        """
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        count, width = rows.shape
        outputs = self.num_model_per_iteration() * (width + 1 if pred_contrib else 1)
        scores = np.empty((count, outputs))
        length = ctypes.c_int64()
        check(
            self._library.LGBM_BoosterPredictForMat(
                self.handle,
                rows.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(FLOAT64),
                ctypes.c_int32(count),
                ctypes.c_int32(width),
                ctypes.c_int(1),
                ctypes.c_int(CONTRIBUTIONS if pred_contrib else NORMAL),
                FIRST_ROUND,
                ALL_ROUNDS,
                f"num_threads={num_threads}".encode(),
                ctypes.byref(length),
                scores.ctypes.data_as(ctypes.c_void_p),
            )
        )
        assert length.value == scores.size
        return scores

    def _number(self, name: str) -> int:
        found = ctypes.c_int()
        check(getattr(self._library, name)(self.handle, ctypes.byref(found)))
        return found.value


class TreeRow:
    """LightGBM's call for a single row, prepared once; for one thread at a time."""

    def __init__(self, trees: Trees) -> None:
        self._trees, self._library = trees, library()  # the call needs the trees alive
        width = trees.num_feature()
        self._row = (ctypes.c_double * width)()
        self._scores = (ctypes.c_double * trees.num_model_per_iteration())()
        self._length = ctypes.c_int64()
        self._fast = ctypes.c_void_p()
        check(
            self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
                trees.handle,
                ctypes.c_int(NORMAL),
                FIRST_ROUND,
                ALL_ROUNDS,
                ctypes.c_int(FLOAT64),
                ctypes.c_int32(width),
                b"num_threads=1",
                ctypes.byref(self._fast),
            )
        )
        # Made once: building these per call costs more than the prediction of a small model.
        self._call = self._library.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (self._fast, self._row, ctypes.byref(self._length), self._scores)

    def one(self, values: Sequence[float]) -> list[float]:
        """Return the scores of one encoded row."""
        self._row[:] = values
        check(self._call(*self._arguments))
        return self._scores[:]

    def close(self) -> None:
        """Free the handle; the trees free themselves."""
        if self._fast:
            self._library.LGBM_FastConfigFree(self._fast)
            self._fast = ctypes.c_void_p()
