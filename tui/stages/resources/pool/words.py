"""Accounts, jobs and trials of a change as lines and rows. Pure."""

import textwrap
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.resources import Account, Fate, Holding, Moved, PoolState, Start, Waiting, WhatIf
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, bytes_, share, verdict
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import Col, Row, fitted

NAME_WIDTH, BAR_LEAST, BAR_MOST = 14, 8, 48
NOBODY, WIDE = N_("nobody"), 100
LEGEND = N_("█ guaranteed  ▓ borrowed  ░ guaranteed and free  · up to the limit")
COLUMNS = (
    Col("job", "job", right=True),
    Col("what", "what", most=30),
    Col("account", "account", most=14),
    Col("state", "state"),
    Col("priority", "prio", right=True),
    Col("cores", "cores", right=True),
    Col("memory", "memory", right=True),
    Col("gpu", "GPU", right=True),
    Col("when", "when", right=True),
    Col("why", "why", flex=True),
)
NARROW = frozenset({"job", "what", "account", "priority", "cores", "when", "why"})
NARROW_WHAT = 18  # cells
FORTUNES = (N_("stopped"), N_("would start later"), N_("would start earlier"), N_("would stand elsewhere in line"))
MOVED_COLUMNS = (
    Col("job", "job", right=True),
    Col("what", "what", most=30),
    Col("account", "account", most=14),
    Col("before", "now", right=True),
    Col("after", "then", right=True),
    Col("why", "why", flex=True),
)


def account_lines(pool: PoolState, width: int) -> list[Content]:
    """Return a line for each account: its bar of cores, and in words what it holds; GPUs get a bar of their own."""
    if not pool.accounts:
        return [
            Content.styled(
                _("Nobody has a share and nobody works. [pool.quotas.NAME] in lemnis.toml gives one."), "$muted"
            )
        ]
    names = min(NAME_WIDTH, max(cell_len(safe(one.name or _(NOBODY))) for one in pool.accounts) + 1)
    lines = [account_line(one, 0, pool.cores, (names, width)) for one in pool.accounts]
    if pool.gpus:
        lines += [
            account_line(one, 2, pool.gpus, (names, width))
            for one in pool.accounts
            if one.guaranteed[2] or one.held[2] or one.limit[2]
        ]
    return lines


def account_line(account: Account, index: int, has: float, widths: tuple[int, int]) -> Content:
    """Return one account's bar of cores (0) or GPUs (2), with its figures; widths are of its name and of the line."""
    names, width = widths
    room = max(BAR_LEAST, min(BAR_MOST, width - names - 60))
    held = account.held[index]
    words = [_("{held:g} GPU").format(held=held) if index == 2 else counted(held)]
    if account.declared:
        words.append(_("{guaranteed:g} guaranteed").format(guaranteed=account.guaranteed[index]))
    if account.borrowed[index]:
        words.append(_("{borrowed:g} borrowed").format(borrowed=account.borrowed[index]))
    limit = account.limit[index]
    if limit is not None:
        bound = _("limit {limit:g} reached") if account.held[index] >= limit else _("limit {limit:g}")
        words.append(bound.format(limit=limit))
    if account.waiting:
        words.append(_("{waiting} waiting").format(waiting=account.waiting))
    use = _("{use} of recent use") if width >= WIDE else _("used {use}")
    words.append(use.format(use=share(account.use, 0)))
    name = fitted(Content(safe(account.name or _(NOBODY))), names)
    return Content.assemble(name, account_bar(account, index, has, room), f" {', '.join(words)}")


def account_bar(account: Account, index: int, has: float, room: int) -> Content:
    """Return a bar over all the pool has: held within the guarantee, borrowed, guaranteed and free, still allowed."""
    scale = room / has if has else 0.0
    held, borrowed = account.held[index], account.borrowed[index]
    limit = has if account.limit[index] is None else min(has, account.limit[index] or 0.0)
    marks = (
        (held - borrowed, "█", "$ok"),
        (held, "▓", "$warn"),
        (max(held, account.guaranteed[index]), "░", "$busy"),
        (max(held, limit), "·", "$faint"),
        (has, " ", "$faint"),
    )
    parts: list[tuple[str, str]] = []
    at = 0
    for until, glyph, style in marks:
        end = min(room, round(until * scale))
        if end > at:
            parts.append((glyph * (end - at), style))
            at = end
    return Content.assemble("▕", *parts, " " * (room - at), "▏")


def counted(cores: float) -> str:
    """Return a number of cores: ``1 core``, ``2 cores``."""
    return _("1 core") if cores == 1 else _("{cores:g} cores").format(cores=cores)


def start_words(start: Start, now_ms: int) -> str:
    """Return when a job is expected to start, from now."""
    if start.at is None:
        return "?" if start.after else MISSING
    if start.at - now_ms < 1000:
        return _("now")
    return _("in {rough}").format(rough=rough((start.at - now_ms) / 1000))


def rough(seconds: float) -> str:
    """Return a length of time as exact as an estimate is."""
    if seconds < 90:
        return f"{max(1, round(seconds / 5) * 5)} s"
    return _("{seconds} min").format(seconds=round(seconds / 60)) if seconds < 5400 else f"{seconds / 3600:.1f} h"


def expected(start: Start, now_ms: int) -> str:
    """Return the estimate as a sentence; empty where there is none to give."""
    jobs = f" {_('and')} ".join(_("job {one}").format(one=one) for one in start.after[:3])
    several = len(start.after) > 1
    if start.at is None:
        how_long = _("how long {jobs} take") if several else _("how long {jobs} takes")
        unknown = _("when it starts can't be told: nobody knows {how_long}")
        return unknown.format(how_long=how_long.format(jobs=jobs)) if jobs else ""
    if start.at - now_ms < 1000:
        return ""
    return _("starts in about {rough}").format(rough=rough((start.at - now_ms) / 1000)) + (
        (_(", when {jobs} end") if several else _(", when {jobs} ends")).format(jobs=jobs) if jobs else ""
    )


def job_rows(pool: PoolState, now_ms: int) -> list[Row]:
    """Return what holds something, then what waits in line order."""
    return [*(held_row(one) for one in pool.holding), *(waiting_row(one, now_ms) for one in pool.waiting)]


def titled(run_id: int | None, title: str) -> str:
    """Return a job's title, with its run where it doesn't say so itself."""
    return (
        title
        if run_id is None or _("run {run_id}").format(run_id=run_id) in title
        else _("run {run_id} {title}").format(run_id=run_id, title=title)
    )


def held_row(job: Holding) -> Row:
    """Return a job that holds a part of the pool."""
    left = MISSING if job.left_s is None else _("{rough} left").format(rough=rough(job.left_s))
    return row(job, verdict(job.state).content, left, holding_words(job), job.left_s)


def holding_words(job: Holding) -> str:
    """Return by what right a live job holds its part, and what keeps it to that."""
    words = [job.right] if job.right else []
    words.append(_("can be preempted") if job.preemptible else _("is not preempted"))
    if job.cpus:
        words.append(_("bound to CPU {map}").format(map=", ".join(map(str, job.cpus))))
    if job.gpus:
        words.append(_("on GPU {gpus}").format(gpus=", ".join(job.gpus)) + (f" ({job.kept_by})" if job.kept_by else ""))
    if job.limited:
        words.append(_("ended above {memory_bytes}").format(memory_bytes=bytes_(job.memory_bytes)))
    return ", ".join(words)


def waiting_row(job: Waiting, now_ms: int) -> Row:
    """Return a job that waits, why and until when."""
    state = verdict("refused" if job.refused else "preempted" if job.left else "queued")
    when = _("never") if job.refused else start_words(job.start, now_ms)
    return row(job, state.content, when, waiting_words(job, now_ms), job.start.at)


def waiting_words(job: Waiting, now_ms: int) -> str:
    """Return why a job waits, when it is expected to start, and what stopped it before."""
    until = "" if job.refused else expected(job.start, now_ms)
    return "; ".join(filter(None, (job.left, told(job.why), until)))


def row(job: Holding | Waiting, state: Content, when: str, why: str, sort_when: float | None) -> Row:
    """Return one job's row."""
    what = titled(job.run_id, told(job.title))
    memory = bytes_(job.memory_bytes) if job.memory_bytes else MISSING
    cells = (
        str(job.job_id), what, job.account, state, str(job.priority), f"{job.cores:g}", memory,
        f"{job.gpu:g}" if job.gpu else MISSING, when, why,
    )  # fmt: skip
    values = (
        job.job_id, what, job.account, state.plain, job.priority, job.cores, job.memory_bytes, job.gpu, sort_when, why,
    )  # fmt: skip
    return Row(str(job.job_id), cells, values)


def asked_words(found: WhatIf) -> str:
    """Return what is tried out: ``priority 80, 4 cores``."""
    asked = found.asked
    parts = [_("priority {priority}").format(priority=asked.priority), counted(asked.cores)]
    if asked.memory_bytes:
        parts.append(bytes_(asked.memory_bytes))
    if asked.gpu:
        parts.append(_("{gpu:g} GPU").format(gpu=asked.gpu))
    return ", ".join(parts)


def fate_words(fate: Fate, now_ms: int) -> str:
    """Return what becomes of a job in one sentence."""
    place = "" if fate.place is None else _("place {place}:").format(place=fate.place) + " "
    return place + "; ".join(filter(None, (told(fate.why), expected(fate.start, now_ms))))


def moved_rows(found: WhatIf, now_ms: int) -> list[Row]:
    """Return the other jobs for which it would make a difference; those that would be stopped first."""
    rows: list[Row] = []
    for one in found.others:
        before = _("runs") if one.preempted else start_words(one.before.start, now_ms)
        after = _("stopped") if one.preempted else start_words(one.after.start, now_ms)
        if before == after:  # it only stands elsewhere
            before, after = (
                _("place {place}").format(place=one.before.place),
                _("place {place}").format(place=one.after.place),
            )
        cells = (str(one.job_id), told(one.title), one.account, before, after, told(one.after.why))
        rows.append(Row(str(one.job_id), cells, cells))
    return rows


def moved_words(found: WhatIf) -> str:
    """Return how many other jobs would be stopped, start later or earlier, or only stand elsewhere in line."""
    counts = Counter(fortune(one) for one in found.others)
    return ", ".join(f"{counts[word]} {_(word)}" for word in FORTUNES if counts[word])


def fortune(one: Moved) -> str:
    """Return what a change means for another job, of FORTUNES."""
    before, after = one.before.start.at, one.after.start.at
    if one.preempted:
        return FORTUNES[0]
    if before is not None and after is not None:
        return FORTUNES[1] if after > before else FORTUNES[2]
    if before is None and after is None:
        return FORTUNES[3]
    return FORTUNES[1] if after is None else FORTUNES[2]


def what_if_lines(found: WhatIf, now_ms: int) -> list[tuple[str, str]]:
    """Return a trial as label and value."""
    changes: Sequence[str] = [
        _("job {job_id} of {account}").format(job_id=one.job_id, account=one.account)
        for one in found.others
        if one.preempted
    ]
    return [
        (_("job"), f"{found.job_id}  {safe(found.title)}"),
        (_("now"), fate_words(found.before, now_ms)),
        (_("with"), asked_words(found)),
        (_("then"), fate_words(found.after, now_ms)),
        (_("preempts"), ", ".join(changes) or _("nobody")),
        (_("others"), moved_words(found) or _("no other job is touched")),
    ]


def trial_lines(found: WhatIf, now_ms: int, width: int) -> list[Content]:
    """Return a trial as lines of label and value, long sentences broken to the width."""
    lines: list[Content] = []
    for label, value in what_if_lines(found, now_ms):
        for place, part in enumerate(wrapped(value, width - 10)):
            lines.append(Content.assemble((f"{label if place == 0 else '':<9} ", "$muted"), part))
    return lines


def wrapped(text: str, width: int) -> list[Content]:
    """Return a sentence as lines of a width, three at most."""
    return [Content(line) for line in textwrap.wrap(safe(text), max(20, width), max_lines=3, placeholder=" …")]
