"""A loaded model that answers: one row at a time, of trees by LightGBM's single-row call, or many rows at once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.deploy.golden import disagreement
from lemnis.engine.deploy.records import Golden
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Signature
from lemnis.engine.models.files import read_answering, trusted_text
from lemnis.engine.models.linear import LinearModel
from lemnis.engine.models.trees import TreeRow, Trees

SHARED_ROWS = 512  # fewer are done before further threads have begun; on a busy machine waiting for those took 2 ms


class Predictor:
    """One model in memory.

    `one` may be used by one thread at a time, `many` by any number beside it.
    """

    def __init__(self, model: Trees | LinearModel, signature: Signature, *, cores: int = 1) -> None:
        """Take a model that was loaded from a checked file.

        Raises:
            BadInput: The model takes other features than the signature says.
        """
        width = len(signature.features)
        if model.num_feature() != width:
            raise BadInput(
                f"The model takes {model.num_feature()} features, its signature has {width}.",
                "Train the run again.",
            )
        self.signature, self.outputs = signature, int(model.num_model_per_iteration())
        self._model, self._cores = model, cores
        row = TreeRow(model) if isinstance(model, Trees) else model
        self._tree = row if isinstance(row, TreeRow) else None
        self._one: Callable[[Sequence[float]], list[float]] = row.one
        calibration = signature.calibration
        if calibration is not msgspec.UNSET:
            self._one = lambda values: calibration.row(row.one(values))

    @property
    def platform(self) -> str:
        """What answers, in the form that the Open Inference Protocol asks for."""
        return "lightgbm_lightgbm" if self._tree else "lemnis_linear"

    def one(self, values: Sequence[float]) -> list[float]:
        """Return the scores of one encoded row: one probability, one value, or one probability a class."""
        return self._one(values)

    def many(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores of encoded rows, shape (rows, outputs)."""
        if not len(matrix):
            return np.empty((0, self.outputs))
        threads = self._cores if len(matrix) >= SHARED_ROWS else 1
        scores = self._model.predict(matrix, num_threads=threads)
        answers = self.signature.answers(np.asarray(scores, dtype=np.float64))
        return answers.reshape(len(matrix), self.outputs)

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return what each feature adds to the raw scores, the bias last: shape (rows, outputs, features + 1).

        None of trees with a line in each leaf, of which LightGBM computes none.
        """
        if isinstance(self._model, Trees) and self._model.linear:
            return None
        found = np.asarray(self._model.predict(matrix, pred_contrib=True, num_threads=self._cores), dtype=np.float64)
        return found.reshape(len(matrix), self.outputs, -1)

    def self_test(self, golden: Golden) -> str:
        """Answer the golden rows by both ways; return what is wrong, empty when both gave the recorded answers."""
        matrix = encode_rows(golden.rows, self.signature)
        singly = [self.one(row) for row in matrix.tolist()]
        return disagreement(singly, golden.answers) or disagreement(self.many(matrix).tolist(), golden.answers)

    def again(self) -> "Predictor":
        """Return another predictor of the model in memory, whose `one` another thread may use."""
        return Predictor(self._model, self.signature, cores=self._cores)

    def close(self) -> None:
        """Free what LightGBM keeps outside Python."""
        if self._tree:
            self._tree.close()


def load_predictor(path: Path, sha256: str, signature: Signature, *, cores: int = 1) -> Predictor:
    """Load a registered model whose file still has its hash.

    Only for files that a modelbox child has passed: a malformed one can end this process.

    Raises:
        BadInput: The file changed, or is not the model of this signature.
    """
    return Predictor(read_answering(trusted_text(path, sha256)), signature, cores=cores)
