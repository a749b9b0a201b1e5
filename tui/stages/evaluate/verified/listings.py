"""Which list each view shows, and what `K` says of it."""

from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.verified.baselines import BASELINES_TEXT, baselines_listing
from lemnis.tui.stages.evaluate.verified.calibration import CALIBRATION_TEXT, calibration_listing
from lemnis.tui.stages.evaluate.view import BASELINES, CALIBRATION, EvaluateView

EXPLAINED = {BASELINES: ("Baselines", BASELINES_TEXT), CALIBRATION: ("Calibration", CALIBRATION_TEXT)}


def listing_of(name: str, view: EvaluateView, width: int) -> Listing:
    """Return the list of a view for a width in cells."""
    if name == CALIBRATION:
        return calibration_listing(view.last, width)
    return baselines_listing(view.last, width)
