"""What changed between the data and the code of two runs, as lines of a diff."""

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data import Version
from lemnis.engine.data.diff import Diff
from lemnis.engine.experiments import Run
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.screens.compared.words import Changes
from lemnis.tui.sentences import told

MOST_COLUMNS = 40


def changes_of(engine: Engine, base: Run, run: Run) -> Changes:
    """Return what changed from one run to another; reads the state and asks git, so it runs in a thread."""
    return Changes(data_lines(engine, base, run), code_lines(engine, base, run))


def code_lines(engine: Engine, base: Run, run: Run) -> tuple[str, ...]:
    """Return how the code differs between two runs."""
    found = engine.experiments.code_diff(base, run)
    range_ = f"{base.code_version[:12]} {run.code_version[:12]}"
    more = [_("… {more:,} more lines: git diff {range_}").format(more=found.more, range_=range_)] if found.more else []
    return (*([told(found.why)] if found.why else []), *found.lines, *more)


def data_lines(engine: Engine, base: Run, run: Run) -> tuple[str, ...]:
    """Return how the dataset versions of two runs differ: rows by key where that was counted, and columns."""
    if base.version_id == run.version_id or not base.version_id or not run.version_id:
        return ()
    try:
        before, after = engine.data.version(base.version_id), engine.data.version(run.version_id)
        key = engine.data.diffs.key(before, after)
        counted = engine.data.diffs.find(before, after, key)
    except LemnisError as error:
        return (safe(told(error.problem), limit=200),)
    return (*row_lines(before, after, key, counted), *column_lines(before, after))


def row_lines(before: Version, after: Version, key: list[str], counted: Diff | None) -> list[str]:
    """Return how the rows differ."""
    by = _("by {key}").format(key=", ".join(key)) if key else _("as whole rows")
    if counted is not None:
        return [
            _("- {removed:,} rows {by}").format(removed=counted.removed, by=by),
            _("+ {added:,} rows {by}").format(added=counted.added, by=by),
            _("{changed:,} rows changed, {same:,} are the same").format(changed=counted.changed, same=counted.same),
        ]
    counting = _("lemnis data diff {name}@v{number} {name2}@v{number2} counts them {by}").format(
        name=before.name, number=before.number, name2=after.name, number2=after.number, by=by
    )
    return [
        _("- {rows:,} rows of {title}").format(rows=before.rows, title=before.title),
        _("+ {rows:,} rows of {title}").format(rows=after.rows, title=after.title),
        counting,
    ]


def column_lines(before: Version, after: Version) -> list[str]:
    """Return the columns that one version has and the other has not, or has as another type."""
    first, second = ({column.name: column.type for column in version.columns} for version in (before, after))
    gone = [
        _("- column {name} {kind}").format(name=name, kind=kind)
        for name, kind in first.items()
        if second.get(name) != kind
    ]
    new = [
        _("+ column {name} {kind}").format(name=name, kind=kind)
        for name, kind in second.items()
        if first.get(name) != kind
    ]
    lines = [safe(line, limit=200) for line in (*gone, *new)]
    more = [_("… {lines:,} more columns").format(lines=len(lines) - MOST_COLUMNS)] if len(lines) > MOST_COLUMNS else []
    return lines[:MOST_COLUMNS] + more
