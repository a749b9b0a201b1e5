"""What rows an address of Explore asks for."""

import msgspec

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.errors import BadInput
from lemnis.engine.explore import Asked
from lemnis.tui.address import Address


def asked_options(engine: Engine, version: Version, asked: Asked) -> dict[str, str]:
    """Return the options that ask for these rows: as words where these mean the same, else as JSON."""
    words = " and ".join(asked.parts)
    same = engine.explore.asked(version, [words], asked.order, descending=asked.descending) == asked
    chosen = {"q": words} if same else {"filters": msgspec.json.encode(asked).decode()}
    order = {"sort": asked.order, "order": "down" if asked.descending else "up"} if asked.order else {}
    return {**chosen, **order}


def asked_of(engine: Engine, version: Version, place: Address) -> Asked:
    """Return what an address asks for.

    Raises:
        BadInput: Its filters are none.
        NotFound: There is no column to sort by.
    """
    if place.option("filters"):
        try:
            return msgspec.json.decode(place.option("filters"), type=Asked)
        except msgspec.DecodeError as error:
            raise BadInput("The filters of this address can't be read.", "Copy the address again.") from error
    order, descending = place.option("sort"), place.option("order") == "down"
    return engine.explore.asked(version, [place.option("q")], order, descending=descending)
