"""The one feature pipeline: table or request rows to the model's matrix, the same for training and for serving.

A number stays a number, a truth value becomes 0 or 1, a category becomes its place in the list that training saw.
Missing values, and categories that training did not see, become NaN: LightGBM sends both down the branch it learned
for missing values. Dates and times are no features; derive a number from them in the dataset.
"""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.features.requests import Matrix, encode_columns, encode_rows
from lemnis.engine.features.signature import NAN, Feature, Signature, class_name, target_value
from lemnis.engine.models.kinds import Task
from lemnis.engine.text import safe

__all__ = [
    "Feature",
    "Matrix",
    "Signature",
    "encode_columns",
    "encode_rows",
    "encode_table",
    "fit_signature",
    "labelled",
    "learn_signature",
    "target_value",
    "target_vector",
]

MOST_CATEGORIES = 4096  # a column's commonest; the others count as unknown
MOST_CLASSES = 256


def fit_signature(
    table: pa.Table, features: Sequence[str], *, task: Task, target: str, threshold: float = 0.5
) -> Signature:
    """Learn categories, ranges and classes from the training rows.

    Args:
        table: Training rows; rows without a target are allowed and say nothing about classes.
        features: Column names in the order of the matrix.
        task: Decides which targets are accepted.
        target: Column of the label.
        threshold: From which score a binary answer is positive.

    Raises:
        NotFound: A column is not in the table.
        BadInput: A column is a date, a time or nested; no feature; the target can't be a target of this task.
    """
    return learn_signature(
        lambda name: column_of(table, name), features, task=task, target=target, threshold=threshold
    )  # fmt: skip


def learn_signature(
    read: Callable[[str], pa.ChunkedArray],
    features: Sequence[str],
    *,
    task: Task,
    target: str,
    threshold: float,
) -> Signature:
    """Learn a signature from training rows that are read a column at a time; see `fit_signature`."""
    if not features:
        raise BadInput("A model needs at least one feature.", "Choose some with `lemnis features select`.")
    if target in features:
        raise BadInput(f"{target} is the target and can't be a feature.", "Leave it out of the feature set.", target)
    return Signature(
        features=[fit_feature(name, read(name)) for name in features],
        task=task,
        target=target,
        classes=fit_classes(read(target), target, task),
        threshold=threshold,
    )


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column by name, dictionaries decoded; raises NotFound."""
    if name not in table.column_names:
        raise NotFound(f"There is no column {safe(name)} in these rows.", "Check the dataset's columns.", safe(name))
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def is_number(kind: pa.DataType) -> bool:
    """Say whether a column type holds numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column type holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def fit_feature(name: str, column: pa.ChunkedArray) -> Feature:
    """Describe one training column; raises BadInput for a type that is no feature."""
    nullable = column.null_count > 0
    if is_text(column.type):
        counts = [
            (str(entry["values"]), int(entry["counts"]))
            for entry in pc.value_counts(column).to_pylist()
            if entry["values"] is not None
        ]
        kept = sorted(counts, key=lambda entry: (-entry[1], entry[0]))[:MOST_CATEGORIES]
        return Feature(name=name, kind="categorical", categories=sorted(text for text, _ in kept), nullable=nullable)
    if not (is_number(column.type) or pa.types.is_boolean(column.type) or pa.types.is_null(column.type)):
        raise BadInput(
            f"{safe(name)} has type {column.type}, which is no feature.",
            "Derive a number or a text from it in [dataset.derive].",
            safe(name),
        )
    values = numbers(column)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
    return Feature(
        name=name,
        kind="numeric",
        low=low,
        high=high,
        nullable=bool(np.isnan(values).any()),
        logical=pa.types.is_boolean(column.type),
    )


def fit_classes(column: pa.ChunkedArray, target: str, task: Task) -> list[str]:
    """Return the sorted classes of a target, none for regression.

    Raises:
        BadInput: The target's type or number of classes does not suit the task.
    """
    if task == "regression":
        if not is_number(column.type):
            raise BadInput(f"{target} has type {column.type}; regression needs a number.", "Check the task.", target)
        return []
    values = pc.unique(column.drop_null()).to_pylist()
    if pa.types.is_boolean(column.type):
        return ["false", "true"]
    if len(values) < 2 or len(values) > (2 if task == "binary" else MOST_CLASSES):
        need = "exactly 2" if task == "binary" else f"2 to {MOST_CLASSES}"
        raise BadInput(
            f"{target} has {len(values)} distinct values in the training rows; a {task} target has {need}.",
            "Check the target, the task and the split.",
            target,
        )
    return [class_name(value) for value in sorted(values)]


def numbers(column: pa.ChunkedArray) -> Matrix:
    """Return a numeric or truth column as float64, NaN where it has no value."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64, copy=False)


def places(column: pa.ChunkedArray, names: Sequence[str]) -> Matrix:
    """Return each text's place in `names`, NaN for a missing or unknown one."""
    known = pa.array(names, type=pa.string())
    codes = pc.index_in(column.cast(pa.string()), value_set=known, skip_nulls=True)
    return codes.cast(pa.float64()).to_numpy().astype(np.float64, copy=False)


def encode_table(table: pa.Table, signature: Signature) -> Matrix:
    """Return the matrix of a table's rows, shape (rows, features), Fortran order.

    Raises:
        NotFound: The table lacks a feature.
        BadInput: A column's type is not what training saw.
    """
    matrix = np.empty((table.num_rows, len(signature.features)), dtype=np.float64, order="F")
    for place, feature in enumerate(signature.features):
        column = column_of(table, feature.name)
        if pa.types.is_null(column.type):
            matrix[:, place] = NAN
        elif feature.kind == "categorical" and is_text(column.type):
            matrix[:, place] = places(column, feature.categories)
        elif feature.kind == "numeric" and pa.types.is_boolean(column.type) == feature.logical:
            if not (feature.logical or is_number(column.type)):
                raise wrong_column(feature, column.type)
            matrix[:, place] = numbers(column)
        else:
            raise wrong_column(feature, column.type)
    return matrix


def wrong_column(feature: Feature, found: pa.DataType) -> BadInput:
    """Say what a column holds and what it should."""
    wanted = "truth values" if feature.logical else "numbers" if feature.kind == "numeric" else "text"
    return BadInput(
        f"{safe(feature.name)} holds {found}; the model was trained with {wanted}.",
        "Give the column the type it had in training.",
        safe(feature.name),
    )


def target_vector(table: pa.Table, signature: Signature) -> NDArray[np.float64]:
    """Return the target, shape (rows,): 0 or 1, the class's place, or the number; NaN where it is missing or unknown.

    Raises:
        NotFound: The table lacks the target.
        BadInput: A regression target is no number.
    """
    column = column_of(table, signature.target)
    if signature.task == "regression":
        if not is_number(column.type):
            raise BadInput(f"{signature.target} holds {column.type}; regression needs a number.", "Check the target.")
        return numbers(column)
    distinct = pc.unique(column.drop_null())
    codes = {value: class_name(value) for value in distinct.to_pylist()}
    known = {name: float(place) for place, name in enumerate(signature.classes)}
    values = pa.array([known.get(name, NAN) for name in codes.values()], type=pa.float64())
    where = pc.index_in(column, value_set=distinct, skip_nulls=True)
    return values.take(where.combine_chunks()).to_numpy(zero_copy_only=False).astype(np.float64, copy=False)


def labelled(table: pa.Table, signature: Signature) -> tuple[pa.Table, NDArray[np.float64]]:
    """Return the rows that have a known target, and that target."""
    target = target_vector(table, signature)
    known = ~np.isnan(target)
    return (table, target) if known.all() else (table.filter(pa.array(known)), target[known])
