"""What the processors draw, from the kernel's power-capping meter (RAPL), where this process may read it."""

from pathlib import Path

ZONES = Path("/sys/class/powercap")


class Rapl:
    """Reads the packages' counters of energy; the difference of two readings is what was spent between them."""

    def __init__(self, zones: Path = ZONES) -> None:
        """Find the packages; there may be none, or none that may be read."""
        # Subzones (intel-rapl:0:0) are parts of their package.
        self._zones = [zone for zone in sorted(zones.glob("*-rapl:*")) if zone.name.count(":") == 1]
        self._before: dict[str, int] = {}
        self.spent()

    def spent(self) -> float | None:
        """Return the joules that all packages spent since the last call; None where no counter can be read."""
        joules: float | None = None
        for zone in self._zones:
            counter, before = number_in(zone / "energy_uj"), self._before.get(zone.name)
            if counter is None:
                continue
            self._before[zone.name] = counter
            if before is None:
                continue
            span = counter - before
            if span < 0:  # it has begun again from 0
                span += number_in(zone / "max_energy_range_uj") or 0
            joules = (joules or 0.0) + max(0, span) / 1e6
        return joules


def number_in(file: Path) -> int | None:
    """Return the number that a file holds; None where it can't be read."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
