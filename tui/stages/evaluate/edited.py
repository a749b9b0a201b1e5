"""A row that is being edited, as rows and lines: values, what they add, what changed, and what would flip it. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.evaluate.whatif import Change, Field, Flips, Opened, Tried
from lemnis.engine.evaluate.whatif.records import Cell, Values
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, number, share
from lemnis.tui.language import _, sense
from lemnis.tui.widgets.cells import Col, Row

FLIPS = [Col("what", "to flip", most=24), Col("says", right=True), Col("how", "by", flex=True)]


def columns(width: int) -> list[Col]:
    """Return the columns of the values' table."""
    name, value, number = (24, 22, 8) if width >= 100 else (16, 13, 7)
    found = [Col("feature", width=name), Col("value", width=value), Col("was", width=value)]
    return [
        *found,
        Col("adds", right=True, width=number),
        Col("change", right=True, width=number),
        Col("note", flex=True),
    ]


def value_text(value: Cell) -> str:
    """Return a value as a person types it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def field_rows(row: Opened, values: Values, now: Tried, order: Sequence[int]) -> list[Row]:
    """Return one row a feature, those that added most at first."""
    rows: list[Row] = []
    for place in order:
        field = row.fields[place]
        value = values[field.name]
        changed = value != field.value
        amount = now.amounts[place] if now.amounts else None
        moved = amount - row.first.amounts[place] if amount is not None and row.first.amounts else None
        cells = [
            Content.styled(f"{'✎ ' if changed else ''}{safe(field.name)}", "bold" if changed else ""),
            Content.styled(safe(value_text(value)), "bold" if changed else ""),
            safe(value_text(field.value)) if changed else Content.styled(_("same"), "$muted"),
            delta(amount),
            delta(moved) if moved is not None and abs(moved) >= 0.0005 else "",
            Content.styled(note(field, value), "$warn"),
        ]
        rows.append(Row(field.name, cells, [field.name, value, field.value, amount, moved, note(field, value)]))
    return rows


def note(field: Field, value: Cell) -> str:
    """Return what is odd about a value: training did not see its like."""
    if isinstance(value, str) and value not in field.known:
        return _("unknown")
    if isinstance(value, float):
        if field.low is not None and value < field.low:
            return _("below {low:.6g}").format(low=field.low)
        if field.high is not None and value > field.high:
            return _("above {high:.6g}").format(high=field.high)
    return ""


def ordered(row: Opened) -> list[int]:
    """Return the places of the fields, those that add most first; as they come where the model does not tell."""
    amounts = row.first.amounts
    return (
        sorted(range(len(row.fields)), key=lambda place: -abs(amounts[place]))
        if amounts
        else list(range(len(row.fields)))
    )


def head(row: Opened, now: Tried, changed: int) -> Content:
    """Return the answer as it is now, as it was, and what was true."""
    said = answer_text(row, now)
    parts: list[str | tuple[str, str] | Content] = [f"{sense('says', 'a model')} ", (said, "bold")]
    if changed:
        moved = now.score - row.first.score
        by = _("{moved} points").format(moved=delta(moved * 100, 1)) if row.answer else delta(moved)
        parts += [(f"   {_('was')} ", "$muted"), answer_text(row, row.first), f"   {by}"]
        if now.said != row.first.said:
            parts.append((f"   {_('▲ flipped')}", "$warn"))
    parts += [(f"   {_('true was')} ", "$muted"), safe(row.actual) or _("unknown")]
    return Content.assemble(*parts)


def answer_text(row: Opened, tried: Tried) -> str:
    """Return an answer: the probability of the class and what it means at the threshold, or the number."""
    if not row.answer:
        return number(tried.score)
    words = f"{share(tried.score)} {safe(row.answer)}"
    return (
        f"{words}: {safe(tried.said)}"
        if row.threshold is not None
        else _("{words}, likeliest {said}").format(words=words, said=safe(tried.said))
    )


def stepped(field: Field, value: Cell, by: int) -> Cell:
    """Return the next value of a field in a direction; between two steps the nearer one that way, ends stay."""
    steps = field.steps
    if not steps:
        return value
    if field.kind == "number":
        numbers = [step for step in steps if isinstance(step, float)]
        if not isinstance(value, float):
            return numbers[len(numbers) // 2]
        beyond = [step for step in numbers if (step > value if by > 0 else step < value)]
        return (beyond[0] if by > 0 else beyond[-1]) if beyond else value
    if value not in steps:
        return steps[0]
    return steps[(steps.index(value) + by) % len(steps)]


def typed(field: Field, text: str) -> Cell:
    """Return the value that a text stands for; empty is missing.

    Raises:
        ValueError: It is no value of this field.
    """
    text = text.strip()
    if text in ("", "missing"):
        return None
    if field.kind == "category":
        return text
    if field.kind == "truth":
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(_("Type true, false, or nothing for missing."))
        return text.lower() in ("true", "1", "yes")
    try:
        found = float(text.replace("−", "-"))
    except ValueError:
        raise ValueError(_("Type a number, or nothing for missing.")) from None
    if found - found != 0.0:
        raise ValueError(_("Type a finite number, or nothing for missing."))
    return found


def flip_rows(row: Opened, flips: Flips) -> list[Row]:
    """Return what would change the answer: one value, a few together, then the nearest real rows."""
    rows = [
        Row(f"one {change.feature}", [_("one value"), said(row, score), change_text(change)])
        for change, score in zip(flips.single, flips.scores, strict=False)
    ]
    if flips.together:
        words = ", ".join(change_text(change) for change in flips.together)
        rows.append(
            Row(
                "together",
                [_("{together} together").format(together=len(flips.together)), said(row, flips.scores[0]), words],
            )
        )
    for near in flips.near:
        words = ", ".join(change_text(change) for change in near.changes)
        actual = " " + _("(was {actual})").format(actual=near.actual) if near.actual else ""
        rows.append(
            Row(
                f"near {near.key}",
                [
                    near.key,
                    said(row, near.score),
                    _("{distance:.3f} away{actual}: {words}").format(
                        distance=near.distance, actual=actual, words=words
                    ),
                ],
            )
        )
    return rows


def said(row: Opened, score: float) -> str:
    """Return a score as the table has it."""
    return share(score) if row.answer else number(score)


def change_text(change: Change) -> str:
    """Return a change of one value."""
    return f"{change.feature} {change.before or MISSING} → {change.after or MISSING}"


EDITOR_TEXT = (
    "Each value of the row can be changed; the same model answers, loaded from its hash-checked file in a process of "
    "its own. − and + (or the arrows) step a number through the quantiles of held-out rows and a category through the "
    "commonest ones, enter types any value, u takes the last change back, r puts the value back, U puts all back. A "
    "value outside what training saw is noted: a category that is unknown to the model counts as missing.\n\n"
    "Below: the smallest change of one value that gives another answer (of several features one each), or the few that "
    "do so together; then the nearest held-out rows with another answer by Gower's distance (1971): numbers differ by "
    "their share of the range from the 1st to the 99th percentile, categories are alike or not, the mean over all "
    "features is the distance, 0 to 1. Of a number another answer is one that is a standard deviation of all answers "
    "away. None of this says what would happen if the world were changed: it says what the model would say."
)
