"""Sweeps and trials as rows, the facts of a sweep, and the lines of its other views. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.experiments.sweep import Dimension, Event, Sweep, Trial
from lemnis.engine.experiments.sweep.space import share_of, value_text
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, duration, verdict, when
from lemnis.tui.language import _
from lemnis.tui.screens.compared.plots import Axis
from lemnis.tui.screens.swept.words import best_words, expectation_words, value_words
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Cell, Col, Row, Series

SHORT = 7  # letters of a parameter's name above its column where there is little room
ORDER = ("running", "waiting", "finished", "pruned", "failed")
PARAM = "params."  # how the columns of parameters are called
LISTED = (
    Col("sweep"), Col("state"), Col("trials", right=True), Col("best"), Col("age", right=True), Col("why", flex=True),
)  # fmt: skip


def sweep_row(sweep: Sweep, best: str, now_ms: int) -> Row:
    """Return a sweep as a row of the list; `best` says its best value."""
    judged = verdict(sweep.state)
    cells: list[Cell] = [
        sweep.name,
        Content.styled(judged.text, judged.style),
        _("{ended} of {trials}").format(ended=sweep.ended, trials=sweep.trials),
        best,
        age(sweep.created_at, now_ms),
        told(sweep.why) or told(sweep.job_why),
    ]
    return Row(sweep.name, cells)


def sweep_facts(sweep: Sweep, trials: Sequence[Trial]) -> list[tuple[str, Cell]]:
    """Return what stands above a sweep's trials."""
    judged = verdict(sweep.state)
    counts = [f"{sweep.counts[state]} {state}" for state in ORDER if state != "finished" and sweep.counts.get(state)]
    limit = " " + _("of {timeout_s}").format(timeout_s=duration(sweep.timeout_s)) if sweep.timeout_s else ""
    counts = [
        _("{ended} of {trials} trials").format(ended=sweep.ended, trials=sweep.trials),
        *counts,
        f"{duration(sweep.spent_s)}{limit}",
    ]
    waits = told(sweep.job_why) if sweep.state == "running" and sweep.job_state == "queued" else ""
    why = told(sweep.why) or waits
    too_few = Content.styled(_("said after ten trials have ended"), "$muted")
    return [
        (_("state"), Content.assemble((judged.text, judged.style), f"  {' · '.join(counts)}")),
        (_("best"), safe(best_words(sweep, trials))),
        *([(_("to expect"), safe(expectation_words(sweep)) or too_few)] if len(sweep.objectives) == 1 else []),
        (_("varies"), safe(space_words(sweep))),
        *([(_("why"), safe(why))] if why and sweep.why != "all trials have ended" else []),
    ]


def space_words(sweep: Sweep) -> str:
    """Return what varies, what was narrowed or frozen first."""
    declared = {dimension.name: dimension for dimension in sweep.declared}
    changed = [one for one in sweep.space if one != declared[one.name]]
    rest = [one for one in sweep.space if one not in changed]
    said = [f"▸{one.name} {one.words}" for one in changed] + [f"{one.name} {one.words}" for one in rest]
    return ", ".join(said)


def trial_columns(sweep: Sweep, *, narrow: bool) -> list[Col]:
    """Return the columns of the trials: number, state, values, parameters, run and reason."""
    frozen = {dimension.name for dimension in sweep.space if dimension.frozen is not None}

    def label(one: Dimension) -> str:
        room = max([SHORT + 1, *(len(value_text(choice)) for choice in one.choices)]) if narrow else len(one.name)
        text = one.name if len(one.name) <= room else f"{one.name[: room - 1]}…"
        return f"={text}" if one.name in frozen else text

    values = [Col(f"values.{goal.metric}", goal.words, right=True, data=True) for goal in sweep.objectives]
    params = [Col(PARAM + one.name, label(one), right=not one.choices, data=True) for one in sweep.declared]
    return [
        Col("number", "#", right=True), Col("state"), *values, *params, Col("run", right=True), Col("why", flex=True),
    ]  # fmt: skip


def trial_row(sweep: Sweep, trial: Trial, best: Sequence[Trial]) -> Row:
    """Return a trial as a row; ★ marks the best, or the Pareto front."""
    word = "stopping" if trial.state == "running" and trial.asked_to_stop else trial.state
    judged = verdict(word)
    style = "$muted" if trial.state == "pruned" or not trial.feasible else judged.style
    star = "★" if trial in best else ""
    values: list[float | None] = list(trial.values) or [None] * len(sweep.objectives)
    if not trial.values and trial.last_value is not None:
        values[0] = trial.last_value
    known = [trial.params.get(one.name) for one in sweep.declared]
    state = Content.assemble((judged.text, style), (star, "bold $stage-accent"))
    cells: list[Cell] = [
        str(trial.number),
        state,
        *(
            value_cell(goal.metric, value, ended=bool(trial.values))
            for goal, value in zip(sweep.objectives, values, strict=True)
        ),
        *(MISSING if value is None else value_text(value) for value in known),
        str(trial.run_id or MISSING),
        trial_why(trial),
    ]
    return Row(str(trial.number), cells, [trial.number, trial.state, *values, *known, trial.run_id, trial_why(trial)])


def value_cell(metric: str, value: float | None, *, ended: bool) -> Cell:
    """Return a value of an objective; that of a trial which did not come to its end is muted."""
    text = value_words(metric, value)
    return text if ended else Content.styled(text, "$muted")


def trial_why(trial: Trial) -> str:
    """Return why a trial is as it is: how far its run is, or what happened."""
    if trial.state == "running" and not trial.asked_to_stop:
        return (
            told(trial.progress_text) if trial.run_state == "running" and trial.progress_text else told(trial.run_why)
        )
    asked = " " + _("· enqueued by {enqueued_by}").format(enqueued_by=trial.enqueued_by) if trial.enqueued_by else ""
    return ("" if trial.why == "finished" else told(trial.why)) + asked


def best_so_far(sweep: Sweep, trials: Sequence[Trial]) -> list[Series]:
    """Return each finished trial's value by number, and the best until then; of the first objective."""
    goal = sweep.objectives[0]
    known = [trial for trial in trials if trial.values and trial.feasible]
    numbers, at, steps = [float(trial.number) for trial in known], list[float](), list[float]()
    for trial in known:
        value = trial.values[0]
        if steps:  # level until this trial, then up or down at once
            at.append(trial.number)
            steps.append(steps[-1])
            value = (max if goal.larger else min)(steps[-1], value)
        at.append(trial.number)
        steps.append(value)
    return [
        Series(_("best so far"), at, steps),
        Series(
            _("each trial"),
            numbers,
            [trial.values[0] for trial in known],
            points=True,
            words=_("{known} trials").format(known=len(known)),
        ),
    ]


def parallel_axes(sweep: Sweep, trials: Sequence[Trial]) -> list[Axis]:
    """Return an axis for each parameter, as wide as the sweep began, and one for each objective."""
    axes = [Axis(one.name, [share(one, trial) for trial in trials], *ends(one)) for one in sweep.declared if trials]
    for place, goal in enumerate(sweep.objectives):
        values = [trial.values[place] if trial.values else None for trial in trials]
        axes.append(value_axis(goal.metric, values))
    return axes


def value_axis(name: str, values: Sequence[float | None]) -> Axis:
    """Return an axis from the smallest to the largest value."""
    known = [value for value in values if value is not None]
    if not known:
        return Axis(name, list(values), MISSING, MISSING)
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    return Axis(
        name,
        [None if value is None else (value - low) / span if high > low else 0.5 for value in values],
        value_words(name, low),
        value_words(name, high),
    )


def share(dimension: Dimension, trial: Trial) -> float | None:
    """Return where a trial stands on the axis of a dimension."""
    value = trial.params.get(dimension.name)
    return None if value is None else share_of(dimension, value)


def ends(dimension: Dimension) -> tuple[str, str]:
    """Return what stands at the low and at the high end of a dimension's axis."""
    if dimension.choices:
        return value_text(dimension.choices[0]), value_text(dimension.choices[-1])
    return f"{dimension.low:g}", f"{dimension.high:g}"


def event_lines(events: Sequence[Event]) -> Content:
    """Return what was done to a sweep, one line each, the newest first."""
    lines = [
        Content.assemble(
            (f"{when(event.at, seconds=True)}  ", "$muted"), (f"{safe(event.user)}  ", "bold"), safe(event.what)
        )
        for event in events
    ]
    return Content("\n").join(lines)


def head_words(sweep: Sweep) -> str:
    """Return what stands behind a sweep's name: what it looks for, keeps to, and how."""
    goals = ", ".join(goal.words for goal in sweep.objectives)
    kept = (
        " " + _("with {words}").format(words=" and ".join(one.words for one in sweep.constraints))
        if sweep.constraints
        else ""
    )
    pruner = _("no pruner") if sweep.pruner == "none" else _("{pruner} pruner").format(pruner=sweep.pruner)
    where = f" · on {sweep.executor}" if sweep.executor != "local" else ""
    return _("{goals}{kept} · preset {preset}, {data_version} · {sampler}, {pruner}{where}").format(
        goals=goals,
        kept=kept,
        preset=sweep.preset,
        data_version=sweep.data_version,
        sampler=sweep.sampler,
        pruner=pruner,
        where=where,
    )


def tabs_line(views: Sequence[str], view: int) -> Content:
    """Return the views with their keys; the one that is open is bold and in brackets."""
    parts: list[tuple[str, str]] = []
    for place, name in enumerate(views):
        parts += [(f" {place + 1} ", "$key"), (f"[{_(name)}]", "bold") if place == view else (_(name), "$muted")]
    return Content.assemble(*parts)


def keys_line(keys: Sequence[tuple[str, str]]) -> Content:
    """Return the keys of a screen, each with what it does."""
    return Content.assemble(*(part for key, does in keys for part in ((f" {key} ", "$key"), f"{_(does)} ")))
