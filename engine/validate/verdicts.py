"""From a count of failing rows to a verdict: the thresholds a check declares, and what a waiver changes. Pure."""

from msgspec import Struct

from lemnis.engine.config import Check, Threshold, parse_threshold
from lemnis.engine.validate.records import Outcome


class Limits(Struct, frozen=True, kw_only=True):
    """What makes a check warn and what makes it fail; None: nothing does."""

    warn: Threshold | None = None
    error: Threshold | None = None

    @property
    def severity(self) -> str:
        """``fail`` when the check can fail, else ``warn``."""
        return "fail" if self.error else "warn"

    @property
    def text(self) -> str:
        """The thresholds in words; empty for the plain ones, which are said by severity alone."""
        parts = [f"fails {self.error.text} rows"] if self.error else []
        parts += [f"warns {self.warn.text} rows"] if self.warn else []
        plain = len(parts) == 1 and not (self.error or self.warn or Threshold(above=1)).above
        return "" if plain else ", ".join(parts)

    @property
    def allowed(self) -> int:
        """Failing rows that are still fine, where that is a count."""
        least = self.warn or self.error
        return 0 if least is None or least.share else int(least.above) - int(least.inclusive)


def limits_of(check: Check) -> Limits:
    """Return the thresholds of a check; with error_if alone, fewer failing rows than that still warn."""
    if check.error_if or check.warn_if:
        warn = parse_threshold(check.warn_if) if check.warn_if else Threshold(above=0)
        return Limits(warn=warn, error=parse_threshold(check.error_if) if check.error_if else None)
    plain = Threshold(above=check.allow)
    return Limits(error=plain) if check.severity == "fail" else Limits(warn=plain)


def judge(failing: int, total: int, limits: Limits, *, waived: bool) -> Outcome:
    """Return the verdict of an evaluated check; a waiver turns a fail into a warning, never into a pass."""
    if limits.error is not None and limits.error.broken_by(failing, total):
        return "warn" if waived else "fail"
    return "warn" if limits.warn is not None and limits.warn.broken_by(failing, total) else "pass"
