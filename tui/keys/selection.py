"""What can be done with the row under the cursor, by the table it is in; the palette lists it first."""

from collections.abc import Mapping

from lemnis.tui.keys.action import GLOBAL, TABLE, Action

ABOUT: Mapping[str, tuple[str, ...]] = {
    "sources": ("data.sync_one", "data.preview"),
    "links": ("data.build",),
    "versions": (
        "data.compare", "deploy.promote", "deploy.start", "deploy.challenge", "deploy.card", "deploy.export",
    ),
    "endpoints": ("deploy.split", "deploy.rollback", "deploy.stop", "deploy.whole", "deploy.curl"),
    "columns": ("explore.split", "explore.values", "explore.facet", "features.ablate"),
    "rows": ("explore.only", "explore.without", "explore.values", "explore.keep", "evaluate.what_if"),
    "choices": ("features.rename", "features.note"),
    "checks": ("validate.waive", "validate.reasons", "validate.export", "validate.codes"),
    "failures": ("validate.which", "validate.reasons", "validate.export"),
    "runs": (
        "experiments.compare", "experiments.pin", "experiments.reproduce", "experiments.resume", "experiments.stop",
        "experiments.tag", "experiments.note", "experiments.archive", "experiments.delete",
    ),
    "alerts": ("monitor.acknowledge", "monitor.silence", "monitor.resolve", "monitor.rule"),
    "windows": ("monitor.why",),
    "features": ("monitor.why",),
    "jobs": ("resources.stop",),
    "processes": ("resources.stop",),
}  # fmt: skip
OF_ANY = ("app.explain", "app.lineage", "app.copy")  # what can be done with any row
APART = 10  # how far back what can't be done now is listed


def rank(action: Action, *, stage: str, table: str, possible: bool) -> int:
    """Return an action's place in the palette, 0 for the first.

    Args:
        action: The action.
        stage: The stage that is open.
        table: The id of the table whose row is under the cursor; empty without one.
        possible: Whether it can be done now.
    """
    if action.scope == stage and action.id in ABOUT.get(table, ()):
        place = 0
    elif table and action.id in OF_ANY:
        place = 1
    else:
        place = {stage: 2, GLOBAL: 3, TABLE: 4}.get(action.scope, 5)
    return place if possible else place + APART
