"""A plan of infrastructure in words: volume, time, memory, storage, serving and cost. Pure."""

from lemnis.engine.resources.planning import DevicePlan, Plan, Span, Trial
from lemnis.tui.format import MISSING, bytes_, duration, money, number, share
from lemnis.tui.language import _
from lemnis.tui.sentences import told

HEADERS = (
    "device",
    "time",
    "80 % within",
    "memory",
    "80 % within",
    "cost",
    "back-test: time",
    "back-test: memory",
    "rests on",
)


def volume_words(plan: Plan) -> str:
    """Return what is asked about: rows, columns, rounds and cores."""
    asked, sizes = plan.asked, plan.asked.sizes
    often = f" · {asked.cadence}" if asked.cadence else ""
    cores = _("1 core") if sizes.cores == 1 else _("{cores:g} cores").format(cores=sizes.cores)
    size = _("{rows:,} rows × {columns:,} columns").format(rows=sizes.rows, columns=sizes.columns)
    return _("{size}{often} · {preset}: {rounds:,} rounds of {leaves} leaves, {cores}").format(
        size=size, often=often, preset=asked.preset, rounds=sizes.rounds, leaves=sizes.leaves, cores=cores
    )


def seconds_words(span: Span | None) -> str:
    """Return how long, with its interval: ``12.3 s (8.1 s – 18.4 s)``."""
    return MISSING if span is None else f"{duration(span.likely)} ({duration(span.low)} – {duration(span.high)})"


def bytes_words(span: Span | None) -> str:
    """Return how much memory or disk, with its interval."""
    return MISSING if span is None else f"{bytes_(span.likely)} ({bytes_(span.low)} – {bytes_(span.high)})"


def money_words(span: Span | None, currency: str) -> str:
    """Return an amount of money with its interval; amounts below a cent keep two figures."""
    if span is None:
        return MISSING
    low, likely, high = (small_money(part, currency) for part in (span.low, span.likely, span.high))
    return f"{likely} ({low} – {high})"


def small_money(value: float, currency: str) -> str:
    """Return money; what a cent is too coarse for in millionths of what it is of: ``0.00042 USD``."""
    return money(value, currency) if value >= 0.1 or value == 0 else f"{value:.2g} {currency}"


def trial_words(trial: Trial | None) -> str:
    """Return how estimates did on trainings they had not seen: ``9.1% off, 81% inside``."""
    if trial is None or trial.error is None:
        return MISSING
    return _("{error} off, {covered} inside").format(error=share(trial.error), covered=share(trial.covered, 0))


def device_rows(plan: Plan) -> list[tuple[str, ...]]:
    """Return one row of HEADERS for each device."""
    return [
        (
            one.device,
            *split_words(seconds_words(one.seconds)),
            *split_words(bytes_words(one.peak_bytes)),
            "" if one.cost is None else small_money(one.cost.likely, plan.currency),
            trial_words(one.seconds_trial),
            trial_words(one.memory_trial),
            told(one.why),
        )
        for one in plan.devices
    ]


def split_words(words: str) -> tuple[str, str]:
    """Return an estimate and its interval apart."""
    likely, _, between = words.partition(" (")
    return likely, between.rstrip(")")


def facts(plan: Plan) -> list[tuple[str, str]]:
    """Return the plan as label and value, short enough for a card of some lines."""
    found = [(_("volume"), volume_words(plan))]
    for one in plan.devices:
        found += device_facts(one, several=len(plan.devices) > 1)
    return [*found, *other_facts(plan)]


def device_facts(one: DevicePlan, *, several: bool) -> list[tuple[str, str]]:
    """Return time and memory on one device, each with how far its law was off."""
    name = f" {one.device}" if several else ""
    if one.seconds is None or one.peak_bytes is None:
        return [(f"{_('time')}{name}", told(one.why))]
    rests = f" · {told(one.why)}"
    return [
        (f"{_('time')}{name}", f"{seconds_words(one.seconds)}{off(one.seconds_trial)}{rests}"),
        (f"{_('memory')}{name}", f"{bytes_words(one.peak_bytes)}{off(one.memory_trial)}"),
    ]


def off(trial: Trial | None) -> str:
    """Return how far a law was off in its back-test: `` · 9% off``."""
    return (
        " " + _("· back-test {error} off").format(error=share(trial.error, 0))
        if trial is not None and trial.error is not None
        else ""
    )


def other_facts(plan: Plan) -> list[tuple[str, str]]:
    """Return storage, serving and cost."""
    storage, serving, kept = plan.storage, plan.serving, plan.asked.versions_kept
    disk = told(storage.why)
    if storage.version_bytes is not None:
        disk = _("{bytes_words} a version · {kept} kept: {bytes_words2}").format(
            bytes_words=bytes_words(storage.version_bytes), kept=kept, bytes_words2=bytes_words(storage.kept_bytes)
        )
    if storage.month_bytes is not None:
        disk += " " + _("· {month_bytes} a month of runs and predictions").format(
            month_bytes=bytes_(storage.month_bytes)
        )
    answer = told(serving.why)
    if serving.per_core_s is not None:
        answer = _("{likely} rows/s a core").format(likely=number(round(serving.per_core_s.likely)))
        if serving.cores is not None:
            peak = _("{wanted_per_s} rows/s need").format(wanted_per_s=number(serving.wanted_per_s, 1))
            ends = f"({number(serving.cores.low, 2)} – {number(serving.cores.high, 2)})"
            answer += " " + _("· {peak} {likely} cores {ends}").format(
                peak=peak, likely=number(serving.cores.likely, 2), ends=ends
            )
        answer += f" · {told(serving.why)}"
    found = [(_("disk"), disk), (_("serving"), answer)]
    costs = [one for one in plan.devices if one.cost is not None]
    if costs:
        each = ", ".join(
            _("{money_words} a training on {device}").format(
                money_words=money_words(one.cost, plan.currency), device=one.device
            )
            for one in costs
        )
        month = (
            " " + _("· {money_words} a month").format(money_words=money_words(plan.month_cost, plan.currency))
            if plan.month_cost is not None
            else ""
        )
        found.append((_("cost"), each + month))
    else:
        found.append((_("cost"), _("no price is declared: [pool] price_core_hour, price_gb_hour, price_kwh …")))
    return found
