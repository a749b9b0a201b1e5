"""Columns as the dataset knows them: renamed and converted as a source declares, file by file, batch by batch."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lemnis.engine.config import Source
from lemnis.engine.data.shapes import Shape
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa


def renamed_shape(source: Source, shape: Shape, place: str) -> Shape:
    """Return a file's columns under their declared names; a column that is not there is no error.

    Raises:
        BadInput: Two columns would have one name.
    """
    found = {source.rename.get(name, name): kind for name, kind in shape.items()}
    if len(found) < len(shape):
        names = [source.rename.get(name, name) for name in shape]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"Two columns would be called {safe(twice)!r}.", "Mend rename in the source.", place)
    return found


def under_names(rows: "pa.RecordBatchReader", names: Sequence[str]) -> "pa.RecordBatchReader":
    """Return rows with other names for their columns."""
    import pyarrow as pa

    schema = pa.schema([field.with_name(name) for name, field in zip(names, rows.schema, strict=True)])
    return pa.RecordBatchReader.from_batches(
        schema, (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in rows)
    )


def scaled(source: Source, rows: "pa.RecordBatchReader", place: str) -> "pa.RecordBatchReader":
    """Return rows in their declared units; a column that is not there is no error.

    Raises:
        BadInput: A column that is to be converted holds no numbers.
    """
    if not source.scale:
        return rows
    import pyarrow as pa
    import pyarrow.compute as pc

    names: list[str] = [str(name) for name in rows.schema.names]
    fields: list[pa.Field] = []
    for name, field in zip(names, rows.schema, strict=True):
        kind = field.type
        if name in source.scale and not pa.types.is_null(kind):
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
                problem = f"{safe(name)} is to be scaled and holds {kind}."
                raise BadInput(problem, "Take it out of scale, or give its type.", place)
            kind = pa.float64()
        fields.append(pa.field(name, kind))
    schema = pa.schema(fields)

    def batches() -> Iterator["pa.RecordBatch"]:
        for batch in rows:
            columns = [
                pc.add(pc.multiply(column.cast(pa.float64()), scale.factor), scale.offset)
                if (scale := source.scale.get(name)) and not pa.types.is_null(column.type)
                else column
                for name, column in zip(names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
