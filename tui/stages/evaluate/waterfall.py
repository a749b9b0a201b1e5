"""One row's answer as a waterfall: from what the model says of all rows to what it says of this one. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate import Explanation
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, number, share
from lemnis.tui.language import _, sense
from lemnis.tui.widgets.cells import Col, Row, fitted

ROWS = [Col("kind"), Col("key", "row", most=44), Col("score", right=True), Col("actual")]
SIGNS = {"missed": ("✖", "$bad"), "false alarm": ("▲", "$warn"), "right": ("●", "$ok"), "far off": ("✖", "$bad")}


def explained_row(explanation: Explanation) -> Row:
    """Return one explained row's row."""
    glyph, style = SIGNS.get(explanation.kind, ("·", "$muted"))
    score = share(explanation.score) if explanation.answer else number(explanation.score)
    cells = [
        Content.styled(f"{glyph} {explanation.kind}", style),
        explanation.key,
        score,
        explanation.actual or MISSING,
    ]
    return Row(explanation.key, cells, [explanation.kind, explanation.key, explanation.score, explanation.actual])


def waterfall_lines(explanation: Explanation, width: int, most: int) -> list[Content]:
    """Return the steps from the bias to the raw score: every feature's value, its bar from where the last one ended.

    Args:
        explanation: The row.
        width: Cells of a line.
        most: Lines for features; the smaller effects are summed in the last of them.
    """
    steps = [(one.feature, one.value or _("missing"), one.amount) for one in explanation.contributions]
    shown = steps if len(steps) <= most else steps[: most - 1]
    rest = steps[len(shown) :]
    if rest:
        shown = [*shown, (_("{rest} others").format(rest=len(rest)), "", sum(amount for _, _, amount in rest))]
    reached = [explanation.bias]
    for _rest, _rest, amount in shown:
        reached.append(reached[-1] + amount)
    low, high = min(reached), max(reached)
    label = min(38, max(20, width // 3))
    room = max(10, width - label - 10)
    scale = (room - 1) / ((high - low) or 1.0)
    places = [round((value - low) * scale) for value in reached]
    lines = [head_line(explanation), end_line(_("all rows (bias)"), explanation.bias, places[0], label)]
    for index, (name, value, amount) in enumerate(shown):
        lines.append(step_line(name, value, amount, places[index], places[index + 1], label, room))
    lines.append(end_line(_("this row (raw score)"), reached[-1], places[-1], label))
    return lines


def head_line(explanation: Explanation) -> Content:
    """Return what the model answers and what was true."""
    said = f"{share(explanation.score)} {explanation.answer}" if explanation.answer else number(explanation.score)
    return Content.assemble(
        f"{sense('says', 'a model')} ",
        (safe(said), "bold"),
        (f"   {sense('was', 'in truth')} ", "$muted"),
        (safe(explanation.actual) or _("unknown"), "bold"),
    )


def end_line(name: str, value: float, place: int, label: int) -> Content:
    """Return the line the waterfall starts or ends with."""
    return Content.assemble((f"{name:<{label}}", "$muted"), f"{number(value):>8}", "  ", " " * place, ("┃", "$muted"))


def step_line(name: str, value: str, amount: float, before: int, after: int, label: int, room: int) -> Content:
    """Return one feature's step; + pushes towards the answer, − away from it."""
    style = "$warn" if amount > 0 else "$busy"
    left, right = min(before, after), max(before, after)
    bar = "█" * (right - left) if right > left else "▏"
    named = Content.assemble(safe(name, limit=label), (f" = {safe(value, limit=24)}" if value else "", "$muted"))
    return Content.assemble(
        fitted(named, label), f"{delta(amount):>8}", "  ", " " * left, (bar, style), " " * max(0, room - right)
    )


def summary(explanations: Sequence[Explanation]) -> str:
    """Return how many rows of each kind are explained."""
    kinds = list(dict.fromkeys(one.kind for one in explanations))
    return " · ".join(f"{sum(one.kind == kind for one in explanations)} {kind}" for kind in kinds)


WATERFALL_TEXT = (
    "What each feature's value adds to the raw score of one row (for two classes the log odds of the positive one), "
    "from LightGBM's own contributions (TreeSHAP). The bias is what the model says of rows in general; bias and all "
    "contributions sum to the raw score exactly. A contribution says what moved the model, not what causes the "
    "outcome.\n\nThe rows listed are the ones the model was most wrong about, in both directions, and some it was most "
    "right about. {evaluate.explain_row} explains any other row by its key. Command: lemnis explain RUN --row KEY."
)
