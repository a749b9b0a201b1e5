"""Runs in groups that fold: the lines of a grouped list, of which only those on screen are read."""

from collections.abc import Callable, Sequence
from typing import get_args

from msgspec.structs import replace
from textual.content import Content

from lemnis.engine.config.experiments import Grouping
from lemnis.engine.experiments import ExperimentsRoom, Run, RunGroup
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, number, verdict
from lemnis.tui.language import _
from lemnis.tui.stages.experiments.listing import FIRST, Asked, Lines, Listing, key_of, lines_of
from lemnis.tui.stages.experiments.rows import digits_of, main_metrics
from lemnis.tui.stages.experiments.table import RunsTable
from lemnis.tui.widgets import Cell, Col, Row
from lemnis.tui.widgets.windows import PAGE

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)


def grouped_of(room: ExperimentsRoom, asked: Asked, around: str) -> Listing:
    """Return the groups of the runs that are asked for, with a page of lines around one of them."""
    sample = room.page(asked.query, asked.sort, asked.descending, FIRST, shelf=asked.shelf)
    metric = asked.sort.removeprefix("metrics.") if asked.sort.startswith("metrics.") else ""
    metric = metric or next(iter(main_metrics(sample, 1)), "")
    groups = room.groups.of(asked.group, asked.query, asked.sort, asked.descending, metric, shelf=asked.shelf)
    opened = {
        group.value: room.groups.numbers(
            asked.group, group.value, asked.query, asked.sort, asked.descending, shelf=asked.shelf
        )
        for group in groups
        if group.value in asked.opened
    }
    lines = lines_of(asked.group, metric, groups, opened)
    begin = (lines.place(around) or 0) // PAGE * PAGE
    ids = [one for one in lines.part(begin, PAGE) if isinstance(one, int)]
    everything = room.count(shelf=asked.shelf) if asked.query else lines.runs
    lines = replace(lines, offset=begin, read=room.runs(ids))
    return Listing(asked, sample, [], everything, lines=lines)


def show_lines(
    table: RunsTable, room: ExperimentsRoom, lines: Lines, draw: Callable[[Run], Row], at: int | None
) -> None:
    """Put lines into the table; what was not read is read as it is scrolled to. `at` is where the cursor's line is."""
    columns = list(table.columns)

    def rows_of(part: Sequence[RunGroup | int], runs: Sequence[Run]) -> list[Row]:
        known = {run.id: draw(run) for run in runs}
        gone = Row("", [""] * len(columns))  # deleted meanwhile; the list is read anew soon
        return [known.get(one, gone) if isinstance(one, int) else group_row(one, lines, columns) for one in part]

    def fetch(offset: int, limit: int) -> list[Row]:
        part = lines.part(offset, limit)
        return rows_of(part, room.runs([one for one in part if isinstance(one, int)]))

    first = rows_of(lines.part(lines.offset, PAGE), lines.read)
    place = min(table.cursor, max(0, lines.total - 1)) if at is None else at
    table.show_part(lines.total, fetch, offset=lines.offset, rows=first, at=place)


def group_row(group: RunGroup, lines: Lines, columns: Sequence[Col]) -> Row:
    """Return a group as a row of these columns: how many runs, which, how they stand, and the best of them."""
    fold = "▾" if group.value in lines.opened else "▸"
    known: dict[str, Cell] = {
        "state": Content.styled(f"{fold} {count_words(group.runs)}", "bold"),
        "name": group_words(group),
        f"metrics.{lines.metric}": Content.styled(number(group.best, digits_of(lines.metric)), "bold"),
    }
    cells = [known.get(column.name, "") for column in columns]
    names = [column.name for column in columns]
    if "name" not in names or "state" not in names:
        cells[0] = Content.assemble((f"{fold} ", "bold"), group_words(group), f" {group.runs:,}")
    values = [group.best if name == f"metrics.{lines.metric}" else None for name in names]
    return Row(key_of(group), cells, values)


def count_words(runs: int) -> str:
    """Return how many runs there are, in at most eleven characters."""
    return f"{runs:,}" if runs >= 100_000 else _("1 run") if runs == 1 else _("{runs:,} runs").format(runs=runs)


def group_words(group: RunGroup) -> Content:
    """Return what a group has in common, and how many of its runs are not finished, by glyph."""
    states = [
        Content.assemble(verdict(state).content.truncate(1), f"{count:,}")
        for state, count in sorted(group.states.items())
        if state != "finished"
    ]
    words = Content.styled(safe(group.label, limit=24), "bold")
    return Content("  ").join([words, *states])


def explained(group: RunGroup, lines: Lines) -> tuple[str, str]:
    """Return what `K` says of a group."""
    states = ", ".join(f"{count:,} {verdict(state).said}" for state, count in sorted(group.states.items()))
    best = _("run {best_run} with {metric} {best}").format(
        best_run=group.best_run, metric=lines.metric, best=number(group.best, digits_of(lines.metric))
    )
    return (
        f"{lines.by}: {safe(group.label, limit=60)}",
        "\n".join(
            [
                _("{runs:,} runs: {states}.").format(runs=group.runs, states=states),
                _("The best: {best}.").format(best=best if group.best_run else MISSING),
                _("Enter or right unfolds the group, left folds it. {experiments.group} groups by something else."),
            ]
        ),
    )
