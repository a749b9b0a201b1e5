"""How a rollout looks: workers, the split as one bar, the standing of its test, and the steps. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.deploy import Endpoint, EndpointEvent, Split, Worker
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, meter, number, share, verdict, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told

SHARES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0)  # percent, one key press apart
BAR_CELLS = 20
METER_CELLS = 10
STEPS_SHOWN = 12


def next_share(percent: float, by: int) -> float:
    """Return the next larger (`by` 1) or smaller (−1) share of the ladder, the same one at its ends."""
    beyond = [step for step in SHARES if (step > percent if by > 0 else step < percent)]
    return percent if not beyond else beyond[0] if by > 0 else beyond[-1]


def split_cell(endpoint: Endpoint) -> str:
    """Return a running split in a few cells: `` +10%→2``, `` shadow→2``; empty without one."""
    split = endpoint.split
    if split is None or split.state != "running":
        return ""
    return f" {'shadow' if split.mode == 'shadow' else f'+{split.percent:g}%'}→{split.challenger}"


def workers_cell(endpoint: Endpoint) -> str:
    """Return how many workers answer on the port, after its address: `` ×2``; empty for one."""
    return f" ×{endpoint.wanted_workers}" if endpoint.wanted_workers > 1 else ""


def rollout_lines(endpoint: Endpoint, steps: Sequence[EndpointEvent]) -> list[Content]:
    """Return the workers and the latest steps of an endpoint, a line each."""
    mine = [step for step in steps if step.endpoint == endpoint.name][:STEPS_SHOWN]
    lines = (
        [Content.styled(f"\n{_('workers')}", "$muted"), *map(worker_line, endpoint.workers)] if endpoint.workers else []
    )
    if mine:
        lines += [Content.styled(f"\n{_('steps')}", "$muted"), *(step_line(step) for step in mine)]
    return lines


def worker_line(worker: Worker) -> Content:
    """Return one worker: its state, its version, how long its change took, and the drill of the way back to which."""
    state = verdict("ready" if worker.ready else "starting" if worker.live else "down")
    line = Content.assemble(
        f"  {worker.number} ", (state.text, state.style), f"  v{worker.version or MISSING}  pid {worker.pid}"
    )
    if worker.swap_ms is not None:
        line += Content.styled("  " + _("in {swap_ms} ms").format(swap_ms=number(worker.swap_ms, 0)), "$muted")
    if worker.drill_ms is not None:
        drilled = verdict("fail" if worker.drill else "pass")
        words = worker.drill or f"v{worker.standby} {number(worker.drill_ms, 1)} ms"
        line += Content.assemble(
            "  ", (drilled.glyph, drilled.style), " " + _("drill {words}").format(words=safe(words, limit=120))
        )
    return line


def split_lines(split: Split, *, now: int) -> list[Content]:
    """Return the split as one bar from champion to challenger, and where the test of each measure stands."""
    state = verdict(split.state)
    moment = split.started_at if split.ended_at is None else split.ended_at
    head = Content.assemble(
        (f"\n{_('split')}  ", "$muted"),
        (state.text, state.style),
        "  " + _("{mode}, {moment} ago by {who}").format(mode=split.mode, moment=age(moment, now), who=safe(split.who)),
    )
    percent = split.percent if split.state == "running" else 0.0
    filled = max(round(percent / 100 * BAR_CELLS), 1 if percent else 0)
    answers = _("scores") if split.mode == "shadow" else _("answers")
    before = "" if split.state == "running" else _(", {percent:g}% before").format(percent=split.percent)
    bar = Content.assemble(
        f"  v{split.champion} ",
        ("━" * (BAR_CELLS - filled), "$ok"),
        ("━" * filled, "$warn"),
        f" v{split.challenger} {answers} {percent:g}%{before}",
    )
    key = Content.styled(
        "  " + _("told apart by {key}").format(key=safe(split.key) or _("the key of the request")), "$muted"
    )
    lines = [head, bar, key]
    if split.why:
        lines.append(Content(f"  {safe(told(split.why), limit=400)}"))
    if split.skipped:
        lines.append(
            Content.styled(
                "  " + _("▲ {skipped} requests were left out: too many waited").format(skipped=number(split.skipped)),
                "$warn",
            )
        )
    return [*lines, *standing_lines(split)]


def standing_lines(split: Split) -> list[Content]:
    """Return a bar for each measure: how much of the evidence that aborts there is."""
    lines: list[Content] = []
    for entry in split.standings:
        name = f"  {entry.measure:<8}"
        if not entry.judged:
            lines.append(Content.assemble(name, (_("not judged: {why}").format(why=told(entry.why)), "$muted")))
            continue
        style = "$bad" if entry.worse else "$warn" if entry.share >= 0.5 else "$ok"
        seen = _("v{challenger} {mean} of {n}").format(
            challenger=split.challenger, mean=share(entry.challenger.mean), n=number(entry.challenger.n)
        )
        beside = _(", v{champion} {mean} of {n}").format(
            champion=split.champion, mean=share(entry.champion.mean), n=number(entry.champion.n)
        )
        bar = (meter(entry.share, METER_CELLS), style)
        lines.append(Content.assemble(name, bar, f" {entry.share:4.0%}  {seen}", (beside, "$muted")))
    return lines


def step_line(step: EndpointEvent) -> Content:
    """Return one step of an endpoint."""
    took = f" {number(step.took_ms, 0)} ms" if step.took_ms is not None and step.kind in ("swap", "drill") else ""
    who = _("worker {worker}").format(worker=step.worker) if step.worker is not None else step.who
    style = "$bad" if step.kind in ("abort", "refuse") else ""
    return Content.assemble(
        (f"  {when(step.at)}  ", "$muted"),
        (f"{step.kind:<8}", style),
        f" v{step.version or MISSING}{took}  {safe(who)}: {safe(told(step.why), limit=200)}",
    )
