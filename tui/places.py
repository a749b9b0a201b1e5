"""Places: where a person was, to go back to and forward again. Pure."""

from lemnis.tui.address import Address

MOST = 100


class Places:
    """The places before and after the one that is seen."""

    def __init__(self) -> None:
        self.behind: list[Address] = []
        self.ahead: list[Address] = []

    def leave(self, here: Address) -> None:
        """Remember a place that is left for another one; what was ahead is forgotten."""
        if not self.behind or self.behind[-1] != here:
            self.behind = [*self.behind, here][-MOST:]
        self.ahead = []

    def back(self, here: Address) -> Address | None:
        """Return the place before this one, None where there is none."""
        while self.behind:
            found = self.behind.pop()
            if found != here:
                self.ahead.append(here)
                return found
        return None

    def forward(self, here: Address) -> Address | None:
        """Return the place that was gone back from, None where there is none."""
        while self.ahead:
            found = self.ahead.pop()
            if found != here:
                self.behind.append(here)
                return found
        return None
