"""What the Problem stage says: statement, money, criteria, plan and changes, as cells and text. Pure."""

from textual.content import Content

from lemnis.engine.config import Criterion, Problem
from lemnis.engine.data import Arrival
from lemnis.engine.errors import LemnisError
from lemnis.engine.problem import Change, break_even
from lemnis.engine.resources.planning import Plan
from lemnis.engine.text import safe
from lemnis.tui import planned
from lemnis.tui.format import MISSING, money, number, share, verdict, when
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row
from lemnis.tui.widgets.cells import padded

CRITERIA = (Col("metric", "criterion"), Col("bound"), Col("on"), Col("why", flex=True))
PLAN = (
    Col("source"),
    Col("state"),
    Col("expected", "expected rows", right=True),
    Col("arrived", "arrived", right=True),
    Col("share", "share", right=True),
    Col("cadence"),
    Col("due", "next due"),
    Col("owner"),
    Col("why", "what that means", flex=True),
)
NARROW_CRITERIA = frozenset({"metric", "bound", "on"})
NARROW_PLAN = frozenset({"source", "state", "expected", "arrived", "cadence", "owner"})
HISTORY = (Col("when"), Col("who"), Col("changed"), Col("why", flex=True))


def statement_content(problem: Problem) -> Content:
    """Return the question and the facts around it; the question may wrap."""
    facts = [
        (
            _("task"),
            _("{task}: {target}, per {unit}").format(
                task=problem.task, target=problem.target or MISSING, unit=problem.unit or MISSING
            ),
        ),
        (_("decided"), problem.decided),
        (_("owner"), problem.owner),
    ]
    lines = [
        Content.styled(safe(problem.question or keyed(_("No question yet. Press {app.edit} to state it."))), "bold")
    ]
    lines += [Content.assemble((f"{label:<9}", "$muted"), safe(value) or MISSING) for label, value in facts]
    return Content("\n").join(lines)


def value_content(problem: Problem) -> Content:
    """Return the money of the four answers as a small table, with the probability from which yes is said."""
    if problem.task != "binary":
        return Content.styled(_("Money per answer is for binary questions."), "$muted")
    value, currency = problem.value, problem.currency
    yes = (value.true_positive, value.false_positive)
    no = (value.false_negative, value.true_negative)
    target = safe(problem.target or "target", limit=10)
    lines = [
        Content.styled(
            " " * 9 + padded(target, 11, right=True) + padded(_("not {target}").format(target=target), 15, right=True),
            "$muted",
        )
    ]
    for word, amounts in ((_("said yes"), yes), (_("said no"), no)):
        cells = [amount_content(amount, currency, wide) for amount, wide in zip(amounts, (11, 15), strict=True)]
        lines.append(Content.assemble((padded(word, 9), "$muted"), *cells))
    lines.append(Content.assemble((padded(_("yes from"), 9), "$muted"), f"{f'p {problem.threshold:g}':>11}"))
    return Content("\n").join(lines)


def break_even_text(problem: Problem) -> str:
    """Return from which probability a yes pays, in words; empty when that is not a question here."""
    even = break_even(problem.value) if problem.task == "binary" else None
    return _("a yes pays from p {even}").format(even=number(even, 2)) if even is not None else ""


def amount_content(amount: float, currency: str, width: int) -> Content:
    """Return an amount of money to the right, a gain with ``+`` and a cost with its minus."""
    text = money(amount, currency, signed=True)
    return Content.styled(f"{text:>{width}}", "$ok" if amount > 0 else "$bad" if amount < 0 else "$muted")


def bound(criterion: Criterion) -> str:
    """Return a criterion's bound as it is written: ``≥ 0.68``."""
    return f"≥ {criterion.min:g}" if criterion.min is not None else f"≤ {criterion.max:g}"


def criterion_row(criterion: Criterion) -> Row:
    """Return one success criterion."""
    cells: list[Cell] = [criterion.metric, bound(criterion), criterion.on, criterion.why]
    limit = criterion.min if criterion.min is not None else criterion.max
    return Row(f"{criterion.metric} {criterion.on}", cells, [criterion.metric, limit, criterion.on, criterion.why])


def plan_row(arrival: Arrival) -> Row:
    """Return one line of the plan with what arrived."""
    cells: list[Cell] = [
        arrival.source,
        verdict(arrival.state).content,
        number(arrival.expected_rows or None),
        number(arrival.rows),
        share(arrival.share),
        arrival.cadence or MISSING,
        when(arrival.due_at)[:10],
        arrival.owner or MISSING,
        told(arrival.why),
    ]
    values = [
        arrival.source,
        arrival.state,
        arrival.expected_rows or None,
        arrival.rows,
        arrival.share,
        arrival.cadence,
        arrival.due_at,
        arrival.owner,
        told(arrival.why),
    ]
    return Row(arrival.source, cells, values)


def plan_summary(arrivals: list[Arrival]) -> str:
    """Return the plan in words: ``5 of 5 as planned``, and what is wrong by name."""
    good = sum(arrival.state == "arrived" for arrival in arrivals)
    wrong = [f"{arrival.source}: {told(arrival.why)}" for arrival in arrivals if arrival.state in ("late", "short")]
    return (
        "; ".join([_("{good} of {arrivals} as planned").format(good=good, arrivals=len(arrivals)), *wrong])
        if arrivals
        else ""
    )


def needed_content(found: Plan | LemnisError) -> Content:
    """Return what infrastructure the expected volume needs, or why that can't be told."""
    if isinstance(found, LemnisError):
        return Content.styled(safe(f"{told(found.problem)} {told(found.remedy)}"), "$warn")
    lines = [Content.styled(f"▲ {safe(told(problem))}", "$warn") for problem in found.problems]
    lines += [Content.assemble((f"{label:<9}", "$muted"), safe(value)) for label, value in planned.facts(found)]
    return Content("\n").join(lines)


def needed_summary(found: Plan | LemnisError) -> str:
    """Return what does not fit, in few words."""
    count = 0 if isinstance(found, LemnisError) else len(found.problems)
    if count == 1:
        return _("▲ 1 thing may not fit")
    return _("▲ {count} things may not fit").format(count=count) if count else ""


def only(columns: tuple[Col, ...], rows: list[Row], names: frozenset[str]) -> tuple[list[Col], list[Row]]:
    """Return the columns of these names and the rows cut to them."""
    kept = [index for index, column in enumerate(columns) if column.name in names]
    cut = [Row(row.key, [row.cells[i] for i in kept], [row.values[i] for i in kept]) for row in rows]
    return [columns[index] for index in kept], cut


def change_row(change: Change) -> Row:
    """Return one recorded change."""
    cells: list[Cell] = [when(change.at), change.who or MISSING, changed_text(change), change.why or MISSING]
    return Row(str(change.id), cells, [change.at, change.who, len(change.differences), change.why])


def changed_text(change: Change) -> str:
    """Return what a change touched, short: the key if it is one, else how many."""
    if change.elsewhere:
        return _("other sections")
    if len(change.differences) == 1:
        return change.differences[0].key
    return _("{differences} keys").format(differences=len(change.differences))


def change_content(change: Change) -> Content:
    """Return every key of the problem that a change moved, before and after."""
    if change.elsewhere:
        return Content.styled(_("The problem stayed as it was; other sections of lemnis.toml changed."), "$muted")
    lines: list[Content] = []
    for difference in change.differences:
        lines.append(Content(safe(difference.key)))
        if difference.before is not None:
            lines.append(Content.styled(f"  − {safe(difference.before)}", "$bad"))
        if difference.after is not None:
            lines.append(Content.styled(f"  + {safe(difference.after)}", "$ok"))
    return Content("\n").join(lines)
