"""The screens over the stages that have an address of their own."""

from typing import Any, Protocol, runtime_checkable

from textual.screen import Screen

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe
from lemnis.tui.address import Address
from lemnis.tui.messages import StageWanted


@runtime_checkable
class Addressed(Protocol):
    """A screen that is a place to go back to."""

    def address(self) -> Address:
        """Return what names it."""
        ...


@runtime_checkable
class Lined(Protocol):
    """A screen of several things, of which one is under the cursor."""

    def under_cursor(self) -> Address:
        """Return the place of that thing."""
        ...


def screen_of(engine: Engine, place: Address) -> Screen[Any] | None:  # Any: what a screen dismisses with is its affair
    """Return the screen that an address names, None where its stage shows the place itself.

    Raises:
        BadInput: A number is none.
    """
    if place.kind == "alert":
        from lemnis.tui.screens.incident import IncidentScreen

        return IncidentScreen(engine, number_in(place.thing, place))
    if place.kind == "oncall":
        from lemnis.tui.screens.oncall import OnCall

        return OnCall(engine)
    if place.kind == "loop":
        from lemnis.tui.screens.loop import LoopScreen

        return LoopScreen(engine, place.thing)
    if place.kind == "lineage":
        from lemnis.tui.screens.lineage import LineageScreen

        return LineageScreen(engine, place.thing, "/".join(place.parts[1:]))
    if place.kind == "labels":
        from lemnis.tui.screens.labels import LabelDesk

        return LabelDesk(engine)
    if place.kind == "compare":
        from lemnis.tui.screens.compare import Compare

        return Compare(engine, [number_in(part, place) for part in place.thing.split(",")])
    if place.kind == "sweep":
        from lemnis.tui.screens.sweep import SweepScreen

        return SweepScreen(engine, place.thing)
    return None


def number_in(text: str, place: Address) -> int:
    """Return the number that a part of an address is, or raise BadInput."""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise BadInput(
            f"“{safe(text, limit=40)}” in `{safe(place, limit=60)}` is no number.", "Copy the address again."
        )
    return int(text)


def wanted_by(answer: object) -> StageWanted | None:
    """Return what a screen that was opened by its address asks for when it is left: a run to be shown, or nothing."""
    return StageWanted("experiments", str(answer)) if isinstance(answer, int) else None
