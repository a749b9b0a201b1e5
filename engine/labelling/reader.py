"""A quick model that reads rows of numbers, codes and text: what it can tell of a label from the other columns."""

# scikit-learn ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.data.split import kind_of
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]
GRAMS = (2, 4)  # characters: words need no spaces, so that Korean and Japanese read as well as English
BUCKETS = 1 << 16
LONG_TEXT = 24.0  # characters on average from which a text is read, not taken as a code
MOST_CODES = 200
FOLDS = 5
NAME = "reader of the labels so far"


def design(table: "pa.Table", columns: Sequence[str]) -> Any:
    """Return the rows as a sparse matrix, shape (rows, features): scaled numbers, one-hot codes, character n-grams.

    A text column of short values is a code; of long or mostly different ones it is read by its hashed character
    n-grams, weighted by TF-IDF. Times are left out. What is missing is 0.
    """
    from scipy.sparse import csr_matrix, hstack

    parts = [csr_matrix(np.ones((table.num_rows, 1)))]
    for name in columns:
        column = table.column(name)
        kind = kind_of(str(column.type))
        if kind in ("numeric", "boolean"):
            parts.append(csr_matrix(_numbers(column)))
        elif kind == "categorical":
            parts.append(_texts(["" if v is None else str(v) for v in column.to_pylist()]))
    whole: Any = hstack(parts, format="csr")
    return whole[:, np.unique(whole.indices)]  # most buckets are empty: a model must not carry them


def _numbers(column: Any) -> Numbers:
    """Return a column of numbers as its standard scores beside a mark for missing, shape (rows, 2)."""
    import pyarrow as pa

    values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    known = np.isfinite(values)
    held = values[known]
    spread = float(held.std()) or 1.0 if held.size else 1.0
    middle = float(held.mean()) if held.size else 0.0
    return np.column_stack([np.clip(np.where(known, (values - middle) / spread, 0.0), -5, 5), ~known])


def _texts(texts: list[str]) -> Any:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    distinct = sorted(set(texts))
    if len(distinct) <= MOST_CODES and sum(map(len, distinct)) / max(1, len(distinct)) < LONG_TEXT:
        code = {text: place for place, text in enumerate(distinct)}
        places = np.array([code[text] for text in texts])
        shape = (len(texts), len(distinct))
        return csr_matrix((np.ones(len(texts)), (np.arange(len(texts)), places)), shape=shape)
    vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=GRAMS, n_features=BUCKETS, alternate_sign=False)
    return TfidfTransformer(sublinear_tf=True).fit_transform(vectorizer.transform(texts))


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=200)


def check_classes(given: NDArray[np.int64], each: int) -> None:
    """Refuse labels that nothing can be learnt from: fewer than two classes, or fewer than `each` rows of one."""
    counts = np.bincount(given)
    counts = counts[counts > 0]
    if counts.size < 2 or counts.min() < each:
        raise BadInput(
            f"A model needs at least {each} rows of each of two classes; there are {', '.join(map(str, counts))}.",
            "Label more rows first, in order or at random.",
        )


def learnt_probabilities(matrix: Any, given: NDArray[np.int64], asked: Any, classes: int) -> Numbers:
    """Return the class probabilities of the rows `asked`, learnt from labelled rows, shape (asked, classes).

    Raises:
        BadInput: There are fewer than two classes, or a class has one row alone.
    """
    check_classes(given, 2)
    model = _model().fit(matrix, given)
    found = np.zeros((asked.shape[0], classes))
    found[:, model.classes_] = model.predict_proba(asked)
    return found


def out_of_fold(
    matrix: Any, given: NDArray[np.int64], classes: int, *, seed: int, on_fold: Callable[[int], None]
) -> Numbers:
    """Return each row's class probabilities by a model that did not see it, shape (rows, classes).

    Args:
        matrix: From `design`, shape (rows, features).
        given: Given classes as places, shape (rows,).
        classes: How many there are.
        seed: Of the folds.
        on_fold: Called with the number of each fold before it is learnt; may raise to stop.

    Raises:
        BadInput: There are fewer than two classes, or one has fewer rows than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    check_classes(given, FOLDS)
    found = np.zeros((len(given), classes))
    for fold, (train, held) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(matrix, given)):
        on_fold(fold)
        model = _model().fit(matrix[train], given[train])
        found[np.ix_(held, model.classes_)] = model.predict_proba(matrix[held])
    return found
