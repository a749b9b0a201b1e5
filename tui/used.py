"""What was held, used and paid for, as heads and rows of text. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

from lemnis.engine.resources import Usage
from lemnis.tui.format import MISSING, bytes_, duration, money, number, share
from lemnis.tui.language import N_, _

Figure: TypeAlias = tuple[str, object]  # what is shown, and what it is sorted and copied by
Table: TypeAlias = tuple[list[str], list[list[Figure]]]

MOST_JOBS = 20
FIGURES = (
    N_("jobs"), N_("core h"), N_("used"), N_("GB h"), N_("GPU h"), N_("kWh"), N_("cost"), N_("idle cost"),
    N_("job"), N_("held"), N_("cores"), N_("peak"), N_("up"), N_("requests"), N_("a million"), N_("size"),
    N_("files"), N_("would do"), N_("memory"), N_("enough"),
)  # fmt: skip


def texts(table: Table) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return heads and rows of a table as text alone."""
    return table[0], [tuple(text for text, _ in row) for row in table[1]]


def same(text: str) -> Figure:
    """Return a text that stands for itself."""
    return text, text


def hours(value: float | None) -> Figure:
    """Return hours with three digits behind the point where they are few."""
    return number(value, 3 if value is not None and value < 10 else 1), value


def part(used: float | None, held: float) -> Figure:
    """Return which share of what was held was used; of what is used without being held, the hours."""
    if used is None or (held <= 0 and not used):
        return MISSING, None
    if held <= 0:
        return f"{hours(used)[0]} h", None
    return share(used / held, 0), used / held


def size(value: int | None) -> Figure:
    """Return a size."""
    return bytes_(value), value


def many(value: float | None, digits: int = 0) -> Figure:
    """Return a number."""
    return number(value, digits), value


def cost(value: float | None, currency: str) -> Figure:
    """Return money, to be sorted by."""
    return priced(value, currency), value


def priced(value: float | None, currency: str) -> str:
    """Return money; what a cent is too coarse for with two figures."""
    if value is None or value == 0 or value >= 0.1:
        return money(value, currency)
    return f"{value:.2g} {currency}"


def group_table(found: Usage) -> Table:
    """Return use by what it was asked for: held, used, energy and cost."""
    names = list(found.groups[0].keys) if found.groups else [N_("project")]
    rows = [
        [
            *map(same, group.keys.values()), many(group.jobs), hours(group.core_hours or None),
            part(group.used_core_hours, group.core_hours), hours(group.gb_hours), hours(group.gpu_hours or None),
            hours(group.kwh), cost(group.cost, found.currency), cost(group.idle_cost, found.currency),
        ]
        for group in found.groups
    ]  # fmt: skip
    return [
        *names,
        N_("jobs"),
        N_("core h"),
        N_("used"),
        N_("GB h"),
        N_("GPU h"),
        N_("kWh"),
        N_("cost"),
        N_("idle cost"),
    ], rows


def job_table(found: Usage, most: int = MOST_JOBS) -> Table:
    """Return the largest jobs: held, used, peak memory, energy and cost."""
    rows = [
        [
            many(job.job_id), same(job.title), same(job.state), same(job.user), (duration(job.held_s), job.held_s),
            many(job.cores, 1), many(job.used_cores, 2), size(job.peak_bytes), hours(job.kwh),
            cost(job.cost, found.currency),
        ]
        for job in found.jobs[:most]
    ]  # fmt: skip
    return [
        N_("job"),
        N_("what"),
        N_("state"),
        N_("user"),
        N_("held"),
        N_("cores"),
        N_("used"),
        N_("peak"),
        N_("kWh"),
        N_("cost"),
    ], rows


def service_table(found: Usage) -> Table:
    """Return endpoints and other services: use, energy and cost, and of endpoints the cost of a million requests."""
    rows = [
        [
            same(one.name), (duration(one.up_s), one.up_s), hours(one.used_core_hours), size(one.peak_bytes),
            hours(one.kwh), cost(one.cost, found.currency), many(one.requests),
            cost(one.cost_per_million, found.currency),
        ]
        for one in found.services
    ]  # fmt: skip
    return [
        N_("service"),
        N_("up"),
        N_("core h"),
        N_("peak"),
        N_("kWh"),
        N_("cost"),
        N_("requests"),
        N_("a million"),
    ], rows


def fit_table(found: Usage) -> Table:
    """Return the sizes that would do for kinds of jobs."""
    rows = [
        [
            same(fit.what), many(fit.jobs), many(fit.cores, 1), many(fit.used_cores, 2), many(fit.fitting_cores),
            size(fit.memory_bytes or None), size(fit.peak_bytes), size(fit.fitting_memory_bytes), same(fit.words),
        ]
        for fit in found.fits
    ]  # fmt: skip
    heads = [
        N_("kind"),
        N_("jobs"),
        N_("cores"),
        N_("used"),
        N_("would do"),
        N_("memory"),
        N_("peak"),
        N_("enough"),
        N_("what that means"),
    ]
    return heads, rows


def disk_table(found: Usage) -> Table:
    """Return what lies on disk."""
    return [N_("on disk"), N_("size"), N_("files")], [
        [same(one.name), size(one.bytes), many(one.files)] for one in found.disk
    ]


def price_words(cost_per_hour: float | None, currency: str) -> str:
    """Return what an hour of something costs, behind a comma; nothing without a price."""
    return _(", {priced} an hour").format(priced=priced(cost_per_hour, currency)) if cost_per_hour else ""


def findings(found: Usage) -> Sequence[str]:
    """Return what asks to act: what is held and idle now, and sizes that would do."""
    lines = [f"▲ {one.words}{price_words(one.cost_per_hour, found.currency)}" for one in found.idle]
    return [
        *lines,
        *(
            _("→ {what} ({jobs} jobs): {words}").format(what=fit.what, jobs=fit.jobs, words=fit.words)
            for fit in found.fits
        ),
    ]
