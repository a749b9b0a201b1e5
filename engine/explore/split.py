"""One column looked at closer: drawn by the classes of another, and the rows that hold its farthest values."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from lemnis.engine.data import Version
from lemnis.engine.data.plain import Cell, plain_column
from lemnis.engine.explore.columns import SAMPLE_FROM, Columns
from lemnis.engine.explore.profile import Profile, blank_profile


def profile_by(version: Version, name: str, by: str = "") -> Profile:
    """Return the profile of a column with the rows of each class of another column; without classes if there is none.

    The classes are the most frequent values of `by`, at most ten, or the quarters of its rows where it is a number or
    a time. Of a large version the sample is read, and the profile says so.

    Raises:
        NotFound: There is no such column.
    """
    from lemnis.engine.explore.measure import Beside, measure_column
    from lemnis.engine.explore.sampling import Sample
    from lemnis.engine.explore.target import label_classes

    column, columns = version.column(name), Columns(version)
    position = version.columns.index(column)
    if by:
        version.column(by)
    if version.rows >= SAMPLE_FROM:
        return Sample(columns, by, rare=True).measure(position).profile
    classes = label_classes(columns.whole(by), rare=True) if by else None
    blank = blank_profile(column, position, version.rows)
    return measure_column(columns.whole(name), blank, Beside(classes)).profile


def with_keys(version: Version, profiles: Sequence[Profile]) -> list[Profile]:
    """Return those profiles whose farthest values lack the keys of their rows, with them; the file is read once."""
    lacking = [profile for profile in profiles if any(one.key is None for one in profile.findings.extremes)]
    names = version.keys + [name for name in [version.time] if name and name not in version.keys]
    keys: dict[int, dict[str, Cell]] = {}
    if names and lacking:
        import pyarrow.parquet as pq

        rows = {one.row for profile in lacking for one in profile.findings.extremes}
        with pq.ParquetFile(version.file) as file:
            keys = keys_of_rows(file, sorted(rows), names)

    def keyed(profile: Profile) -> Profile:
        extremes = [replace(one, key=keys.get(one.row, {})) for one in profile.findings.extremes]
        return replace(profile, findings=replace(profile.findings, extremes=extremes))

    return [keyed(profile) for profile in lacking]


def keys_of_rows(file: Any, rows: list[int], names: list[str]) -> dict[int, dict[str, Cell]]:
    """Return what some columns hold in rows of a Parquet file; each row group that has one is read once.

    Args:
        file: The open file; pyarrow ships no types.
        rows: Places from 0, ascending.
        names: Its columns.
    """
    found: dict[int, dict[str, Cell]] = {}
    start = 0
    for group in range(file.metadata.num_row_groups):
        behind = start + file.metadata.row_group(group).num_rows
        here = [row for row in rows if start <= row < behind]
        if here:
            table = file.read_row_group(group, columns=names).take([row - start for row in here])
            cells = [plain_column(table.column(name)) for name in names]
            for place, row in enumerate(here):
                found[row] = {name: column[place] for name, column in zip(names, cells, strict=True)}
        start = behind
    return found
