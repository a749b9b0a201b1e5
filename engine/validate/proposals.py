"""What a trial of candidates proposes: checks that held on all versions there are, and the faults each catches."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from lemnis.engine.config import Check


class Proposal(Struct, frozen=True, kw_only=True):
    """A check that is worth declaring.

    Attributes:
        check: As it would be written.
        rule: What must hold, in words.
        held: Versions on which it was evaluated and held: all on which it could be, of `versions`.
        caught, missed: Faults put into what it looks at, by name.
    """

    check: Check
    rule: str
    held: int
    versions: int
    caught: list[str]
    missed: list[str]

    @property
    def score(self) -> float:
        """Share of the faults that it caught."""
        return len(self.caught) / (len(self.caught) + len(self.missed))


class Proposals(Struct, frozen=True, kw_only=True):
    """What was tried over one version and what is left.

    Attributes:
        versions: How many versions the candidates had to hold on.
        candidates: Checks that were tried.
        fell: Candidates that did not hold on an earlier version, with where.
        idle: Candidates that caught no fault.
        faults, caught: Faults put into the columns and rows, and those that at least one proposal catches.
    """

    version_id: str
    version: str
    versions: int
    candidates: int
    fell: dict[str, str]
    idle: list[str]
    proposals: list[Proposal]
    faults: int
    caught: int

    def without(self, declared: Sequence[Check]) -> "Proposals":
        """Return the proposals that are not declared meanwhile."""
        names = {check.name for check in declared}
        left = [proposal for proposal in self.proposals if proposal.check.name not in names]
        return msgspec.structs.replace(self, proposals=left)
