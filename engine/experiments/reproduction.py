"""Whether a repeated run came out as the first did: identical, within tolerance, or different, and why. Pure."""

import math
from collections.abc import Mapping

from lemnis.engine.experiments.compare import COSTS
from lemnis.engine.experiments.runs import Run

TOLERANCE = 0.001  # of a validation metric's value: what other threads, libraries or devices may move it by


def reproduction(first: Run, again: Run, metrics: Mapping[str, float | None], *, same_model: bool) -> tuple[str, str]:
    """Return ``identical``, ``within tolerance`` or ``differs``, and the reason in words.

    Args:
        first: The run whose conditions were repeated.
        again: The repetition, with the conditions it was really trained under.
        metrics: Of the repetition's model.
        same_model: The two model files are equal, byte for byte.
    """
    if same_model:
        return "identical", "the model files are equal, byte for byte"
    apart = {
        name: distance(first.metrics.get(name), value)
        for name, value in metrics.items()
        if not name.startswith("train_") and name not in COSTS
    }
    worst = max(apart, key=lambda name: apart[name], default="")
    changed = changes(first, again)
    cause = f"changed since: {'; '.join(changed)}" if changed else "no condition on record has changed"
    if not worst:
        return "differs", f"the model files differ and there is no validation metric to compare; {cause}"
    before, after = (number(values.get(worst)) for values in (first.metrics, metrics))
    said = f"{worst} {after} against {before}"
    if apart[worst] <= TOLERANCE:
        return "within tolerance", f"the model files differ, validation metrics by at most 0.1%: {said}; {cause}"
    return "differs", f"{said}, more than the tolerance of 0.1%; {cause}"


def distance(first: float | None, second: float | None) -> float:
    """Return how far two values are apart as a share of the first; infinite if only one is there."""
    if first is None or second is None:
        return 0.0 if first is second else math.inf
    return abs(second - first) / abs(first) if first else (0.0 if second == first else math.inf)


def changes(first: Run, again: Run) -> list[str]:
    """Return what differs in the conditions that a repetition can't choose: code, libraries, device, machine."""
    found = [
        f"{name} {first.libraries.get(name, 'none')} → {again.libraries.get(name, 'none')}"
        for name in sorted({*first.libraries, *again.libraries})
        if first.libraries.get(name) != again.libraries.get(name)
    ]
    pairs = [
        ("code", first.code_version[:12], again.code_version[:12]),
        ("device", first.device, again.device),
        ("processor", str(first.machine.get("processor", "")), str(again.machine.get("processor", ""))),
        ("host", str(first.machine.get("host", "")), str(again.machine.get("host", ""))),
    ]
    return found + [f"{name} {old or 'unknown'} → {new or 'unknown'}" for name, old, new in pairs if old != new]


def number(value: float | None) -> str:
    """Return a metric for people."""
    return "nothing" if value is None else f"{value:.6g}"
