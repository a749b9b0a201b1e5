"""Lineage as lines: its steps from what came first to what came last, and the places they are. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.lineage import Lineage, Node, Step
from lemnis.engine.text import safe
from lemnis.tui.address import Address, address
from lemnis.tui.format import MISSING, verdict, when
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import Cell, Col, Row

COLUMNS = (
    Col("way"), Col("thing", most=44), Col("what", most=70), Col("state", most=14), Col("when"),
)  # fmt: skip
NARROW = COLUMNS[:4]
WAYS = {"from": N_("↑ comes from"), "this": N_("● this"), "to": N_("↓ led to")}
DIGITS = 8  # of a dataset version's id: enough to find it
DIRECT = ("run", "alert", "window", "endpoint", "model", "snapshot", "source", "job")


def place_of(node: Node) -> Address:
    """Return where a thing is shown."""
    if node.kind == "check":
        return address("validate", run=node.key)
    return address(node.kind, node.key[:DIGITS] if node.kind == "data" else node.key)


def traced(place: Address) -> tuple[str, str] | None:
    """Return the kind and the key of what a place shows one of, None where it shows nothing that has a lineage."""
    if place.kind in DIRECT:
        return place.kind, place.thing
    if place.kind == "lineage":
        return place.parts[0], "/".join(place.parts[1:])
    if place.kind in ("data", "explore") and place.thing:
        return "data", place.thing
    if place.kind in ("evaluate", "compare") and place.thing:
        return "run", place.thing.partition(",")[0]
    if place.kind == "runs" and place.option("on"):
        return "run", place.option("on")
    if place.kind in ("validate", "check") and place.option("run"):
        return "check", place.option("run")
    return ("endpoint", place.thing) if place.kind in ("monitor", "loop") and place.thing else None


def lines(found: Lineage | None) -> Sequence[tuple[str, Step]]:
    """Return the steps with the way they lie: origins first, then the thing itself, then what came of it."""
    if found is None:
        return ()
    return [
        *(("from", step) for step in reversed(found.origins)),
        ("this", found.subject),
        *(("to", step) for step in found.results),
    ]


def step_rows(found: Lineage, columns: Sequence[Col]) -> list[Row]:
    """Return one row a step; its key says the way and the thing."""
    return [step_row(way, step, place, len(columns)) for place, (way, step) in enumerate(lines(found))]


def step_row(way: str, step: Step, place: int, width: int) -> Row:
    """Return the row of one step, set in by how far it is from the thing."""
    name = safe(place_of(step.node)) if step.node is not None else "…"
    style = {"from": "$muted", "to": "$muted", "this": "bold $stage-accent"}[way]
    judged = verdict(step.state)
    cells: list[Cell] = [
        Content.styled(_(WAYS[way]), style),
        Content("  " * step.depth + name),
        told(step.title),
        Content.styled(judged.text, judged.style) if step.state else MISSING,
        when(step.at) if step.at else MISSING,
    ]
    key = f"{way} {step.node}" if step.node is not None else _("more {place}").format(place=place)
    return Row(key, cells[:width], [way, name, step.title, step.state, step.at][:width])
