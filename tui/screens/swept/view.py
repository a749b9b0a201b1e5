"""What the sweep screen draws, read again and again while trials come."""

from msgspec import Struct

from lemnis.engine.experiments.sweep import ENDED, Event, Sweep, SweepsRoom, Trial
from lemnis.tui.screens.swept import tables
from lemnis.tui.widgets import Row


class SweepView(Struct, frozen=True):
    """A sweep, its trials in their order, what was done to it, and the trials as rows, the newest first."""

    sweep: Sweep
    trials: list[Trial]
    events: list[Event]
    rows: list[Row]


def read_view(room: SweepsRoom, name: str, seen: SweepView | None) -> SweepView:
    """Return what is drawn of a sweep; while no more trials have ended than were `seen`, only the others are read anew.

    Raises:
        LemnisError: There is no such sweep, or it can't be read.
    """
    sweep = room.sweep(name)
    if seen is not None and seen.sweep.id == sweep.id and seen.sweep.ended == sweep.ended:
        known = {trial.number: trial for trial in seen.trials if trial.state in ENDED}
        rows = {row.key: row for row in seen.rows}
        known |= {trial.number: trial for trial in room.trials(sweep.id, open_only=True)}
    else:
        known, rows = {trial.number: trial for trial in room.trials(sweep.id)}, {}
    trials = [known[number] for number in sorted(known)]
    best = sweep.best(trials)
    drawn = [
        rows[str(trial.number)]
        if trial.state in ENDED and str(trial.number) in rows
        else tables.trial_row(sweep, trial, best)
        for trial in reversed(trials)
    ]
    return SweepView(sweep, trials, room.events(sweep.id), drawn)
