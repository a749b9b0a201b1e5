"""How proposed checks look, and how their trial went in words: record → cells. Pure."""

from lemnis.engine.validate.proposals import Proposal, Proposals
from lemnis.tui.language import _
from lemnis.tui.widgets import Cell, Col, Row

PROPOSAL_COLUMNS = (
    Col("check", most=26),
    Col("rule", flex=True),
    Col("held", "held on", right=True),
    Col("caught", "faults caught", right=True),
)


def proposal_row(proposal: Proposal) -> Row:
    """Return one proposed check with both its figures."""
    faults = len(proposal.caught) + len(proposal.missed)
    held, caught = (
        _("{held} of {versions}").format(held=proposal.held, versions=proposal.versions),
        _("{caught} of {faults}").format(caught=len(proposal.caught), faults=faults),
    )
    cells: list[Cell] = [proposal.check.name, proposal.rule, held, caught]
    return Row(proposal.check.name, cells, [proposal.check.name, proposal.rule, proposal.held, len(proposal.caught)])


def proposals_text(found: Proposals) -> str:
    """Return how a trial went, in words."""
    fell = _("{fell} did not hold on an earlier version,").format(fell=len(found.fell)) + " " if found.fell else ""
    return _(
        "{candidates} candidates for {version}: {fell}{idle} caught no fault. The others catch "
        "{caught} of {faults} faults put into a sample."
    ).format(
        candidates=found.candidates,
        version=found.version,
        fell=fell,
        idle=len(found.idle),
        caught=found.caught,
        faults=found.faults,
    )


def proposal_text(proposal: Proposal) -> str:
    """Return which faults a proposed check caught and which it missed."""
    missed = " " + _("· misses {missed}").format(missed=", ".join(proposal.missed)) if proposal.missed else ""
    return _("catches {caught}{missed}").format(caught=", ".join(proposal.caught), missed=missed)
