"""Model cards: what is on record of a registered version, from the problem to its monitors, as one document."""

from lemnis.engine.modelcard.records import Card, Difference, Fact, Section
from lemnis.engine.modelcard.text import differences, markdown
from lemnis.engine.store import Store


class CardRoom:
    """Makes the cards of registered versions; nothing is stored, a card says what is known when it is made."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def card(self, model: str, version: int) -> Card:
        """Return the card of a version.

        Raises:
            NotFound: There is no such version.
        """
        from lemnis.engine.modelcard.gathering import gather

        return gather(self.store, model, version)


__all__ = ["Card", "CardRoom", "Difference", "Fact", "Section", "differences", "markdown"]
