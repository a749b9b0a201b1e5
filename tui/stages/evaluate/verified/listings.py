"""Which list each view shows, and what `K` says of it."""

from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.verified.baselines import BASELINES_TEXT, baselines_listing
from lemnis.tui.stages.evaluate.verified.calibration import CALIBRATION_TEXT, calibration_listing
from lemnis.tui.stages.evaluate.verified.folds import FOLDS_TEXT, folds_listing
from lemnis.tui.stages.evaluate.verified.load import LOAD_TEXT, load_listing
from lemnis.tui.stages.evaluate.verified.slices import SLICES_TEXT, slices_listing
from lemnis.tui.stages.evaluate.verified.stress import STRESS_TEXT, stress_listing
from lemnis.tui.stages.evaluate.view import BASELINES, CALIBRATION, FOLDS, LOAD, SLICES, STRESS, EvaluateView

EXPLAINED = {
    BASELINES: ("Baselines", BASELINES_TEXT),
    CALIBRATION: ("Calibration", CALIBRATION_TEXT),
    FOLDS: ("Folds", FOLDS_TEXT),
    SLICES: ("Slices", SLICES_TEXT),
    STRESS: ("Stress", STRESS_TEXT),
    LOAD: ("Load", LOAD_TEXT),
}


def listing_of(name: str, view: EvaluateView, width: int) -> Listing:
    """Return the list of a view for a width in cells."""
    match name:
        case "calibration":
            return calibration_listing(view.last, width)
        case "folds":
            return folds_listing(view.folds, width)
        case "slices":
            return slices_listing(view.slices, width)
        case "stress":
            return stress_listing(view.perturbations)
        case "load":
            return load_listing(view.load_tests)
        case _:
            return baselines_listing(view.last, width)
