"""Rows and words of the loop screen. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.monitor.retraining import Event, Point, Step, Study
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, number, verdict, when
from lemnis.tui.language import N_, _, sense
from lemnis.tui.screens.looped.words import figure_cells, mean_words
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row

LIVE = ("queued", "preparing", "running")
STEPS = (Col("step"), Col("state"), Col("age", right=True), Col("key"), Col("why", flex=True), Col("blocker", most=60))
STEPS_SHORT = (Col("step"), Col("state"), Col("age", right=True), Col("key"))
STEPS_NARROW = (*STEPS_SHORT, Col("blocker", flex=True))
WIDE, NARROW = 100, 60  # cells, from which why and blocker, or one of them, stand beside the step
EVENTS = (Col("when", right=True), Col("who"), Col("what"), Col("why", flex=True))
POINTS = (
    Col("study"),
    Col("tried"),
    Col("learnt", right=True),
    Col("champion", right=True),
    Col("this", right=True),
    Col("delta", right=True),
    Col("interval", "95 % interval"),
    Col("verdict"),
    Col("cpu", "CPU s", right=True),
)
NO_STUDY = N_("None yet. B: what retraining monthly would have gained.")
KEYS = (
    ("t", 'train'), ("v", "verify"), ("P", "promote"), ("H", "shadow"), ("w", "watch"), ("x", 'stop'),
    ("B", "past"), ("W", "rows"), ("K", "explain"), ("esc", 'back'),
)  # fmt: skip
EXPLAINED = {
    "observe": "Rows that an endpoint answers are counted by the watch into windows of event time. Blocked while the "
    "watch is down: w starts it.",
    "suspect": "A cause of retraining: an incident of drift or performance whose alert fires or was taken, or a "
    "problem whose question, target, value, threshold or criteria were changed since the champion's training. Alerts "
    "about missing values, schema or the servers are none: newer rows do not mend them.",
    "train": "policy of [retraining] decides. manual: nothing happens by itself. suggest: a challenger is trained once "
    "for each cause, a person promotes it. auto: it is promoted if every gate passes on its bound and it is not worse "
    "than the champion. Between two retrainings of an endpoint lies cool_down; the policy begins at most budget in "
    "seven days. The row that says which cause is trained for and its job are one transaction: a watch that is killed "
    "trains nothing twice. t trains now, whatever cool-down and budget say.",
    "verify": "The problem's criteria, judged on the newest labelled window, which the challenger has not learnt from; "
    "and challenger and champion on exactly these rows: DeLong for the AUC, a paired bootstrap of days for the rest.",
    "shadow": "The challenger scores logged requests in a process of its own and answers nobody; a test that is valid "
    "however often one looks ends it when it is worse than allowed. Optional. H begins it.",
    "promote": "The alias champion moves to the challenger; endpoints that follow it change without dropping a "
    "request, and the event keeps who, why and the evidence. Gates that did not pass refuse it. P promotes.",
    "watch": "What the champion does since it was promoted; then the loop begins anew.",
}


def step_columns(width: int) -> Sequence[Col]:
    """Return the columns that fit into a width."""
    return STEPS if width >= WIDE else STEPS_NARROW if width >= NARROW else STEPS_SHORT


def step_row(step: Step, now: int, width: int) -> Row:
    """Return one step of the loop; its blocker, or what is so, where there is little room, and neither in less."""
    state, said = verdict(step.state), [told(step.why), told(step.blocker)]
    if width < WIDE:
        said = [told(step.blocker) or told(step.why)] if width >= NARROW else []
    cells = [sense(step.name, "a step"), state.content, age(step.since, now), step.key or MISSING, *said]
    return Row(step.name, cells, [step.name, step.state, step.since, step.key, *said])


def step_content(step: Step) -> Content:
    """Return a step in full: what it waits for, the key and command that move it on, and what is so."""
    parts: list[str | tuple[str, str]] = []
    if step.blocker:
        parts += [(f"{_('waits:')} ", "$warn"), safe(told(step.blocker), limit=200), "  "]
    if step.key or step.command:
        parts += [(f" {step.key} ", "$key") if step.key else "", (f" {safe(step.command, limit=100)}  ", "$muted")]
    return Content.assemble(*parts, safe(told(step.why), limit=300))


def event_row(event: Event, now: int) -> Row:
    """Return one decision."""
    cells = [age(event.at, now), event.who, event.what, told(event.why)]
    return Row(str(event.id), cells, [event.at, event.who, event.what, event.why])


def newest_of_each(studies: Sequence[Study]) -> list[Study]:
    """Return the newest study of each kind, newest first."""
    newest = {study.kind: study for study in reversed(studies)}
    return sorted(newest.values(), key=lambda study: -study.id)


def study_title(studies: Sequence[Study]) -> str:
    """Return how the newest study stands."""
    if not studies:
        return ""
    newest = studies[0]
    if newest.state in LIVE:
        return f"{newest.kind} {_(newest.state)}: {told(newest.doing)}"
    ended = "" if newest.state == "finished" else f": {_(newest.state)}, {told(newest.doing)}"
    metric = next((point.main.metric.replace("_", " ") for one in studies for point in one.points if point.main), "")
    return _("{metric} beside v{champion_version} · {kind} of {created_at}{ended}").format(
        metric=metric,
        champion_version=newest.champion_version,
        kind=newest.kind,
        created_at=when(newest.created_at),
        ended=ended,
    )


def mean_line(studies: Sequence[Study], currency: str) -> str:
    """Return the mean gain of the newest backtest; empty without one."""
    return next((words for study in studies if (words := mean_words(study, currency))), "")


def study_rows(study: Study, currency: str) -> list[Row]:
    """Return one row for each try that was made."""
    return [point_row(study, place, point, currency) for place, point in enumerate(study.points)]


def point_row(study: Study, place: int, point: Point, currency: str) -> Row:
    """Return what came of one try."""
    main = point.main
    key = f"{study.id}-{place}"
    if main is None:
        cells = [
            study.kind,
            point.name,
            number(point.learnt),
            MISSING,
            MISSING,
            MISSING,
            told(point.why),
            MISSING,
            MISSING,
        ]
        return Row(key, cells, cells)
    figures = figure_cells(main, currency)[1:]
    cells = [study.kind, point.name, number(point.learnt), *figures, number(point.cpu_seconds, 1)]
    values = [study.kind, point.name, point.learnt, main.champion, main.challenger, main.delta, main.low, main.verdict]
    return Row(key, cells, [*values, point.cpu_seconds])


def explained(name: str) -> tuple[str, str]:
    """Return title and text about a step, or about all of them."""
    if name in EXPLAINED:
        return _("Loop: {name}").format(name=name), EXPLAINED[name]
    return _("Loop"), "\n\n".join(f"{step}: {text}" for step, text in EXPLAINED.items())
