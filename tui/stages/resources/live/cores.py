"""The cores as lines: each with its recent past; where there are very many, a character each. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.resources import History
from lemnis.tui.format import MISSING
from lemnis.tui.stages.resources.live.graph import Shape, heat, strip
from lemnis.tui.widgets.cells import fitted

CELL = 22  # cells a core takes at least: number, past, percentage
LEAST_CELL = 15


def core_lines(
    cores: Sequence[float | None], past: History | None, width: int, most: int, *, shape: Shape = "braille"
) -> list[Content]:
    """Return the cores in columns, number by number downwards, at most `most` lines.

    Args:
        cores: Busy shares now, 0..100.
        past: Of each by its number; None where none is kept.
        width: Cells there are.
        most: Lines there are.
        shape: What graphs are drawn with.
    """
    if not cores or width < LEAST_CELL:
        return []
    columns = max(1, min(len(cores), width // CELL))
    if -(-len(cores) // columns) > most:
        columns = max(1, width // LEAST_CELL)
    rows = -(-len(cores) // columns)
    if rows > most:
        return heat_lines(cores, width, most, shape=shape)
    columns = -(-len(cores) // rows)
    cell = width // columns
    lines: list[Content] = []
    for row in range(rows):
        parts: list[Content] = []
        for index in range(row, len(cores), rows):
            values = past.values.get(str(index), []) if past is not None else []
            graph = strip(values, max(4, cell - 12), top=100.0, shape=shape)
            now = MISSING if cores[index] is None else f"{cores[index]:.0f}%"
            whole = Content.assemble((f"{index:>3} ", "$muted"), (graph, "$busy"), f"{now:>5}")
            parts.append(fitted(whole, cell))
        lines.append(Content("").join(parts))
    return lines


def heat_lines(cores: Sequence[float | None], width: int, most: int, *, shape: Shape) -> list[Content]:
    """Return a character for each core, as high as it is busy now, with the number each line begins at."""
    room = max(8, (width - 5) // 8 * 8)
    return [
        Content.assemble((f"{start:>4} ", "$muted"), (heat(cores[start : start + room], shape=shape), "$busy"))
        for start in range(0, len(cores), room)
    ][:most]
