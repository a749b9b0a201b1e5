"""Which device to train on: what each one was found to take with the person's own data, and what follows. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.compare import larger_is_better

TRIED_ROUNDS = 30
WORTH = 0.9  # another device than the CPU must take less than this share of its time, or cost: it repeats less exactly
TOLERANCE = 0.001  # of a metric's value: more is no longer the same model


class Tried(Struct, frozen=True, kw_only=True):
    """A device on which some rounds were trained, or why it can't be used.

    Attributes:
        name: What the driver calls it; empty for the CPU.
        prepare_s: From the matrices to the end of the first round: bins, and what the device compiles and copies.
        round_s: Median of the later rounds.
        value: Of the metric after the rounds that were tried.
        peak_bytes: The most memory that the process held.
        gpu_peak_bytes, gpu_busy_percent: As the driver's process saw them; None where it saw nothing.
        total_s: How long all rounds will take.
        cost: What that costs by the declared prices; None without one.
    """

    device: str
    usable: bool
    why: str = ""
    name: str = ""
    prepare_s: float | None = None
    round_s: float | None = None
    value: float | None = None
    peak_bytes: int | None = None
    gpu_peak_bytes: int | None = None
    gpu_busy_percent: float | None = None
    total_s: float | None = None
    cost: float | None = None


class Advice(Struct, frozen=True, kw_only=True):
    """What was found for one way to train.

    Attributes:
        rounds: How many a whole training has; `tried_rounds` of them were trained on each device.
        metric: What `value` of each device is.
        device: The recommended one.
        why: The reason in words.
    """

    preset: str
    algorithm: str
    version: str
    rows: int
    rounds: int
    tried_rounds: int
    metric: str
    tried: list[Tried]
    device: str
    why: str


def read_advice(result: dict[str, Any] | None) -> Advice:
    """Return the advice that a job gave; raises BadInput for a job of another kind. Any: JSON values."""
    try:
        return msgspec.convert(result, Advice)
    except msgspec.ValidationError:
        raise BadInput("This job gave no advice on devices.", "Ask with `lemnis train --advise`.") from None


def with_outlook(tried: Tried, *, rounds: int, price_hour: float) -> Tried:
    """Return a device with the time and, by a price an hour, the cost of all rounds; 0 stands for no price."""
    if tried.prepare_s is None or tried.round_s is None:
        return tried
    total = tried.prepare_s + tried.round_s * max(0, rounds - 1)
    return msgspec.structs.replace(tried, total_s=total, cost=total / 3600 * price_hour if price_hour else None)


def recommended(tried: Sequence[Tried], metric: str) -> tuple[str, str]:
    """Return the device to train on and why.

    It is the CPU, whose trainings repeat to the last bit, unless another takes less than nine tenths of its time, or
    of its cost where every usable device has a price, and its metric is not worse by more than a thousandth.

    Raises:
        BadInput: None can be used.
    """
    usable = {one.device: one for one in tried if one.usable and one.total_s is not None}
    if not usable:
        why = " ".join(f"{one.device}: {one.why}" for one in tried)
        raise BadInput(f"No device could train these rounds. {why}", "Check the parameters and the data.")
    priced = all(one.cost is not None for one in usable.values())
    first = usable.get("cpu") or next(iter(usable.values()))
    best, said = first, ""
    for one in usable.values():
        if one is first or weight(one, priced=priced) >= WORTH * weight(best, priced=priced):
            continue
        if worse(one.value, first.value, metric):
            said = f" {one.device} is less, but its {metric} is worse: {text(one.value)} against {text(first.value)}."
            continue
        best = one
    others = [one for one in usable.values() if one is not best]
    if not others:
        return best.device, f"{best.device} is the only device that works here."
    against = ", ".join(compared(one, best, priced=priced) for one in others)
    apart = [abs(one.value - best.value) for one in others if one.value is not None and best.value is not None]
    metrics = f" {metric} differs by at most {max(apart):.2g}." if apart else ""
    kept = " A CPU's training repeats to the last bit." if best.device == "cpu" else ""
    return best.device, f"{best.device} is best: {against}.{metrics}{said}{kept}"


def weight(one: Tried, *, priced: bool) -> float:
    """Return what a device is judged by: its cost, or its time."""
    return (one.cost if priced else one.total_s) or 0.0


def compared(other: Tried, best: Tried, *, priced: bool) -> str:
    """Return in words how many times as much another device takes."""
    noun = "costs" if priced else "takes"
    least = weight(best, priced=priced)
    return f"{other.device} {noun} {weight(other, priced=priced) / least:.2g} times as much" if least else other.device


def worse(value: float | None, reference: float | None, metric: str) -> bool:
    """Say whether a metric's value is poorer than the reference's by more than TOLERANCE."""
    if value is None or reference is None:
        return value is not reference
    loss = (reference - value) * (1 if larger_is_better(metric) else -1)
    return loss > TOLERANCE * abs(reference)


def text(value: float | None) -> str:
    """Return a metric's value for people."""
    return "nothing" if value is None else f"{value:.5g}"
