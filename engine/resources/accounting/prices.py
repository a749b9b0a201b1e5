"""What resources cost by the prices that lemnis.toml declares. Pure."""

from msgspec import Struct

from lemnis.engine.config import Pool

GB, KWH_J = 10**9, 3_600_000
HOUR_S = 3600.0


class Amount(Struct, frozen=True, kw_only=True):
    """So much of the machine for so long; kWh None where nothing says what was drawn."""

    core_hours: float = 0.0
    gb_hours: float = 0.0
    gpu_hours: float = 0.0
    kwh: float | None = None


def cost_of(amount: Amount, pool: Pool) -> float | None:
    """Return what an amount costs in the problem's currency; None where no price is declared.

    A price that is not declared counts as 0, and so does energy that is not known.
    """
    prices = (pool.price_core_hour, pool.price_gb_hour, pool.price_gpu_hour, pool.price_kwh)
    if not any(prices):
        return None
    taken = (amount.core_hours, amount.gb_hours, amount.gpu_hours, amount.kwh or 0.0)
    return sum(price * much for price, much in zip(prices, taken, strict=True))


def drawn_kwh(pool: Pool, *, busy_core_s: float, held_core_s: float, cores: float) -> float | None:
    """Return the energy of work by the declared watts, in kWh; None where none are declared.

    Args:
        pool: With watts of a busy core, and of the idle machine.
        busy_core_s: Seconds of cores at work.
        held_core_s: Seconds of cores that were held, which share what the machine draws when it is idle.
        cores: Of the machine.
    """
    if not (pool.watts_core or pool.watts_idle):
        return None
    idle_share = held_core_s / max(1.0, cores)
    return (pool.watts_core * busy_core_s + pool.watts_idle * idle_share) / KWH_J
