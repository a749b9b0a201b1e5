"""How a window's rows differ in shape from what training saw: categories, types, nulls, ranges; in sentences."""

from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.tally import Binning, Column, Tally
from lemnis.engine.text import safe

NAMED = 3  # unknown categories named in the sentence


def schema_changes(reference: Reference, tally: Tally) -> list[str]:
    """Return one sentence per difference between the rows of a window and the training rows."""
    changes = [f"{tally.malformed:,} rows have another number of features"] if tally.malformed else []
    for binning in reference.binnings[:-1]:
        column = tally.columns.get(binning.name)
        if column is not None:
            changes.extend(f"{safe(binning.name)}: {what}" for what in column_changes(binning, column))
    return changes


def column_changes(binning: Binning, column: Column) -> list[str]:
    """Return what is new about one feature."""
    changes: list[str] = []
    if column.mistyped:
        wanted = "truth value" if binning.logical else "number" if binning.kind == "numeric" else "text"
        changes.append(f"{column.mistyped:,} rows hold no {wanted}")
    missing = round(column.counts[-1]) - column.mistyped
    if missing > 0 and not binning.nullable:
        changes.append(f"{missing:,} rows are missing; training had none")
    if column.unknown:
        named = ", ".join(f"{safe(name, limit=24)} ({rows:,})" for name, rows in list(column.unknown.items())[:NAMED])
        more = ", …" if len(column.unknown) > NAMED else ""
        changes.append(f"{column.unknown_rows:,} rows in categories training did not see: {named}{more}")
    if column.low is not None and binning.low is not None and column.low < binning.low:
        changes.append(f"down to {column.low:g}; training began at {binning.low:g}")
    if column.high is not None and binning.high is not None and column.high > binning.high:
        changes.append(f"up to {column.high:g}; training ended at {binning.high:g}")
    return changes
