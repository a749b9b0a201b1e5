"""What features add and how answers hang on them, as rows and lines: beeswarms, levels, dependence. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate import Contributions, Dependence, Dependences, Interactions, Level, Swarm, SwarmOutput
from lemnis.engine.text import safe
from lemnis.tui.format import BLOCKS, MISSING, delta, number, share, spark
from lemnis.tui.language import N_, _
from lemnis.tui.widgets import Series
from lemnis.tui.widgets.cells import Col, Row, fitted, padded

CELLS = {60: 1, 30: 2, 20: 3}  # width of a swarm: bins of one cell
TONES = {"low": -1.0, "middle": 0.0, "high": 1.0}
PAIRS = [
    Col("first", "feature", most=24),
    Col("second", "with", most=24),
    Col("strength", "adds (raw)", right=True),
    Col("share", "of both", right=True),
]
NO_CONTRIBUTIONS = N_("LightGBM computes no contributions of trees with a line in each leaf.")
NOT_YET = N_(
    "Not computed yet. Press {evaluate.interpret}: a job looks into dependence, interactions and failure types."
)


def swarm_width(room: int) -> int:
    """Return how many cells a swarm takes of those there are beside the other columns."""
    return next((width for width in CELLS if width <= room), 20)


def swarm_columns(width: int) -> list[Col]:
    """Return the table's columns for a width in cells."""
    name, words = (22, 17) if width >= 105 else (20, 12) if width >= 91 else (16, 7)
    cells = swarm_width(width - name - 7 - 2 * words - 10)
    half = cells // 2
    columns = [Col("feature", width=name), Col("mean", "mean|c|", right=True, width=7)]
    label = padded(_("pushes down"), half) + padded(_("pushes up"), half, right=True)
    columns.append(Col("swarm", label[:cells], width=cells))
    label = _("adds") if words > 7 else ""
    return [*columns, *(Col(one, f"{one} {label}".strip(), width=words) for one in ("low", "high"))]


def swarm_rows(output: SwarmOutput, columns: Sequence[Col]) -> list[Row]:
    """Return one row a feature: its swarm, and in words what its low and its high values add."""
    widths = {column.name: column.width for column in columns}
    rows: list[Row] = []
    for swarm in output.swarms:
        low, high = swarm.extremes or (None, None)
        cells = [
            swarm.feature,
            number(swarm.mean_absolute),
            swarm_cell(swarm, widths["swarm"]),
            level_words(low, widths["low"]),
            level_words(high, widths["high"]),
        ]
        values = [low.mean if low else None, high.mean if high else None]
        rows.append(Row(swarm.feature, cells, [swarm.feature, swarm.mean_absolute, None, *values]))
    return rows


def level_words(level: Level | None, width: int) -> Content:
    """Return what a level adds, and its name where it is a category and there is room."""
    if level is None:
        return Content(MISSING)
    amount = Content.styled(delta(level.mean), "$warn" if (level.mean or 0) > 0 else "$busy")
    return amount if level.tone or width < 12 else Content.assemble(amount, (f" {safe(level.name)}", "$muted"))


def swarm_cell(swarm: Swarm, width: int) -> Content:
    """Return a swarm as one line: height says how many rows, colour whether their values are low or high."""
    merged = [merge(level.counts, CELLS[width]) for level in swarm.levels]
    totals = [sum(column) for column in zip(*merged, strict=True)]
    most = max(totals, default=0) or 1
    parts: list[tuple[str, str] | str] = []
    for place, total in enumerate(totals):
        if not total:
            parts.append(("│", "$faint") if place == width // 2 else " ")
            continue
        tones = [TONES[one.tone] * count[place] for one, count in zip(swarm.levels, merged, strict=True) if one.tone]
        glyph = BLOCKS[min(7, int((total / most) ** 0.5 * 8))]
        parts.append((glyph, tone_style(sum(tones) / total)))
    return Content.assemble(*parts)


def tone_style(tone: float) -> str:
    """Return the colour of a cell whose values lie low (−1) or high (+1)."""
    return "$warn" if tone > 1 / 3 else "$busy" if tone < -1 / 3 else "$muted"


def merge(counts: Sequence[int], of: int) -> list[int]:
    """Return the sums of every `of` neighbours."""
    return [sum(counts[start : start + of]) for start in range(0, len(counts), of)]


def level_lines(swarm: Swarm, edge: float, width: int) -> list[Content]:
    """Return a feature's levels apart, each in words with its own strip: the swarm without need of colour."""
    label = min(26, max(len(safe(level.name)) for level in swarm.levels) + 1)
    cells = swarm_width(width - label - 19)
    lines: list[Content] = []
    for level in swarm.levels:
        counts = merge(level.counts, CELLS[cells])
        most = max(counts) or 1
        strip = "".join(BLOCKS[min(7, int((count / most) ** 0.5 * 8))] if count else " " for count in counts)
        middle = cells // 2
        strip = strip if counts[middle] else f"{strip[:middle]}│{strip[middle + 1 :]}"
        style = tone_style(TONES[level.tone]) if level.tone else "$muted"
        lines.append(
            Content.assemble(
                fitted(Content(safe(level.name)), label),
                (f"{level.rows:>7,}", "$muted"),
                f" {delta(level.mean):>8}  ",
                (strip, style),
            )
        )
    half = (cells - 3) // 2
    axis = f"{'rows':>{label + 7}}     adds  {delta(-edge, 2):<{half}} 0 {delta(edge, 2):>{half}}"
    return [*lines, Content.styled(axis, "$muted")]


def dependence_series(found: Dependence, output: int, *, centred: bool) -> list[Series]:
    """Return the mean and the band of single rows over a number's values."""
    known = [place for place, value in enumerate(found.values) if value is not None]
    x = [value for value in found.values if value is not None]
    mean, low, high = curves(found, output, centred=centred)
    lines = ((_("mean"), mean), ("90 %", high), ("10 %", low))
    return [Series(name, x, [values[place] for place in known], words=ends(values, known)) for name, values in lines]


def ends(values: Sequence[float], known: Sequence[int]) -> str:
    """Return where a curve begins and ends."""
    return f"{number(values[known[0]])} → {number(values[known[-1]])}" if known else MISSING


def curves(found: Dependence, output: int, *, centred: bool) -> tuple[list[float], list[float], list[float]]:
    """Return mean, lower and upper curve: the answers, or each row's change from its answer at the first value."""
    mean = found.mean[output]
    if not centred:
        return mean, found.low[output], found.high[output]
    return [value - mean[0] for value in mean], found.centred_low[output], found.centred_high[output]


def dependence_lines(found: Dependence, output: int, width: int, *, centred: bool) -> list[Content]:
    """Return a category's values as lines: mean answer, and the band of single rows as a bar."""
    mean, low, high = curves(found, output, centred=centred)
    label = min(24, max(len(safe(name)) for name in found.names) + 1)
    room = max(8, width - label - 24)
    start, end = min(low), max(high)
    scale = (room - 1) / ((end - start) or 1.0)
    rows = sum(found.rows) or 1
    lines = [Content.styled(f"{'':<{label}}    mean    rows  10 % ━━●━━ 90 % of rows", "$muted")]
    for place, name in enumerate(found.names):
        left, at, right = (round((values[place] - start) * scale) for values in (low, mean, high))
        bar = "".join("●" if cell == at else "━" if left <= cell <= right else " " for cell in range(room))
        part = share(found.rows[place] / rows) if place < len(found.rows) else MISSING
        text = delta(mean[place]) if centred else number(mean[place])
        lines.append(
            Content.assemble(
                fitted(Content(safe(name)), label), f"{text:>8}", (f"{part:>8}  ", "$muted"), (bar, "$busy")
            )
        )
    return lines


def below_lines(found: Dependence, output: int, width: int, *, centred: bool) -> list[Content]:
    """Return what stands below a number's chart: where the rows' own values lie, and the answer without a value."""
    lines: list[Content] = []
    if len(found.rows) > 1:
        counts: list[float | None] = [float(count) if count else None for count in found.rows]
        lines.append(Content.assemble((f"   {_('rows')} ", "$muted"), spark(stretch(counts, max(10, width - 9)))))
    if found.names[-1] == "missing":
        mean, low, high = (curve[-1] for curve in curves(found, output, centred=centred))
        words = "   " + _("missing: mean {mean}, 80 % of rows {low} to {high}").format(
            mean=number(mean), low=number(low), high=number(high)
        )
        lines.append(Content.styled(words, "$muted"))
    return lines


def stretch(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return values repeated evenly to a width."""
    return [values[place * len(values) // width] for place in range(width)]


def pair_rows(found: Interactions) -> list[Row]:
    """Return one row a pair of features."""
    return [
        Row(
            f"{pair.first} × {pair.second}",
            [pair.first, pair.second, number(pair.strength), share(pair.share)],
            [pair.first, pair.second, pair.strength, pair.share],
        )
        for pair in found.pairs
    ]


def plain_rows(found: Dependences, columns: Sequence[Col]) -> list[Row]:
    """Return the features of a model that tells no contributions."""
    empty = [MISSING] * (len(columns) - 1)
    return [Row(one.feature, [one.feature, *empty], [one.feature]) for one in found.features]


def swarm_title(found: Contributions, output: int) -> str:
    """Return what was taken, and for which answer."""
    answer = found.outputs[output].answer
    towards = " " + _("· towards {answer}").format(answer=answer) if answer else ""
    several = (
        " " + _("({output} of {outputs}, C next)").format(output=output + 1, outputs=len(found.outputs))
        if len(found.outputs) > 1
        else ""
    )
    return _("· {rows:,} {part} rows{towards}{several}").format(
        rows=found.rows, part=found.part, towards=towards, several=several
    )


FEATURES_TEXT = (
    "Contributions: what each feature adds to the raw score of each row of a sample (TreeSHAP of LightGBM; of a linear "
    "model its own terms). A row of the list is a beeswarm seen from the side: left of the middle the feature pushes "
    "the answer down, right of it up; the height says how many rows. Cyan cells are rows with low values, amber ones "
    "with high values; the two columns at the right say the same in numbers, the levels beside it draw them apart.\n\n"
    "Dependence: the mean answer when the feature is set to a value in every row of a sample (partial dependence, "
    "Friedman 2001), and between which answers 80 % of the single rows lie (ICE, Goldstein 2015). {evaluate.centre} "
    "draws each row's change from its first value instead: a band that opens means that the feature acts differently "
    "on different rows. Where features hang together it asks for rows that can't exist; the line of rows below shows "
    "where there are any.\n\n"
    "Interactions: the part of two features' joint effect that is more than the sum of the two, over a sample "
    "(Friedman and Popescu's H, 2008: its share of the joint effect; the list is ordered by the part itself in raw "
    "score, for H is large by chance where there is hardly any effect)."
)
