"""Folding: which columns say the same in every row of a view, so that they need not be looked at."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.explore.pages import Wanted, always

if TYPE_CHECKING:
    from lemnis.engine.explore.views import View

FIRST = 256  # rows that most columns already differ in


def constant_columns(view: "View", wanted: Wanted = always) -> list[str]:
    """Return the columns with one value, or none at all, in every row of a view that is found, in their order.

    A missing value counts as a value, so a column with some values missing is none of these. Nothing is said of less
    than two rows. Reads each row group of the columns that are the same so far.

    Raises:
        Cancelled: It was not wanted any more.
    """
    if view.known < 2:
        return []
    cells, rows = view.reader.cells, view.matches()
    names = [column.name for column in view.reader.version.columns]
    first = cells.read(view.numbers(0, FIRST), names, wanted)
    values = {name: first[name][0] for name in names}
    same = [name for name in names if all_are(first[name], values[name])]
    for group in view.reader.groups:
        for batch in cells.batches(same, range(group, group + 1), rows, wanted):
            same = [name for place, name in enumerate(same, 1) if all_are(batch.column(place), values[name])]
        if not same:
            break
    return same


# Any: a pyarrow array and scalar.
def all_are(array: Any, value: Any) -> bool:
    """Say whether every cell of an array is this value; no number equals no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not value.is_valid:
        return array.null_count == len(array)
    if array.null_count:
        return False
    if pa.types.is_floating(value.type) and value.as_py() != value.as_py():
        return bool(pc.all(pc.is_nan(array)).as_py())
    try:
        return bool(pc.all(pc.equal(array, value)).as_py())
    except pa.ArrowNotImplementedError:  # lists and structs
        return all(one.equals(value) for one in array)
