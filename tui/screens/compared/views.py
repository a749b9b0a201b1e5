"""The views of the compare screen: which there are, in which order, and the keys of each."""

from msgspec import Struct
from textual.content import Content

from lemnis.engine.experiments import Curve
from lemnis.engine.jobs import Job
from lemnis.tui.language import N_, _
from lemnis.tui.screens.compared.words import Compared

VIEWS = (N_("Summary"), N_("Tests"), N_("Importance"), N_("Curves"), N_("Scatter"), N_("Parallel"), N_("Diff"))
CURVES, SCATTER, PARALLEL, DIFF = 3, 4, 5, 6
ALIKE = N_("These runs are alike in everything. z shows it all.")
# What is said where a view has no line.
EMPTY = {
    "Tests": N_("No test yet: the line below says how far it is, or why not."),
    "Importance": N_("None has trees to ask."),
}
PLOTTED = (CURVES, SCATTER, PARALLEL)
KEYS = {
    CURVES: (("v", "metric"), ("w", "smooth"), ("L", "log"), (", .", "read off"), ("+ − 0", "zoom")),
    SCATTER: (("v", "metric"), ("b", "parameter")),
    PARALLEL: (("v", "metric"),),
    DIFF: (("n", "next run"),),
}


class CompareView(Struct, frozen=True):
    """What is compared, the curves of each run in the comparison's order, and the job that tests them."""

    found: Compared
    curves: list[dict[str, Curve]]
    job: Job | None


def tabs_line(view: int) -> Content:
    """Return the views with their keys; the one that is open is bold and in brackets."""
    parts: list[tuple[str, str]] = []
    for place, name in enumerate(VIEWS):
        parts += [(f" {place + 1} ", "$key"), (f"[{_(name)}]", "bold") if place == view else (_(name), "$muted")]
    return Content.assemble(*parts)


def keys_line(view: int) -> Content:
    """Return the keys of a view, then those of all."""
    shared = (("z", N_("differences")), ("p", N_("baseline")), ("t", N_("other rows"))) if view < CURVES else ()
    keys = (*KEYS.get(view, ()), *shared, ("K", "explain"), ("E", "export"), ("y", "copy"), ("esc", "back"))
    return Content("").join([Content.assemble((f" {key} ", "$key"), f"{_(does)} ") for key, does in keys])
