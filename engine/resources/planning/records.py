"""What is measured and estimated of trainings, as records."""

from typing import Literal

from msgspec import Struct

Figure = Literal["seconds", "peak_bytes"]


class Sizes(Struct, frozen=True, kw_only=True):
    """How large a training is.

    Attributes:
        rows, held_rows: Rows that are learnt from, and that are only watched each round.
        leaves, bins: Most of a tree, and most of a column.
    """

    rows: int
    columns: int
    rounds: int
    leaves: int = 31
    bins: int = 255
    held_rows: int = 0
    cores: float = 1.0


class Measured(Struct, frozen=True, kw_only=True):
    """One training that was measured."""

    sizes: Sizes
    seconds: float
    peak_bytes: float
    run_id: int = 0


class Span(Struct, frozen=True, kw_only=True):
    """An estimate and the interval that SURE of such trainings lie in."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> "Span":
        """Return all three, multiplied."""
        return Span(low=self.low * factor, likely=self.likely * factor, high=self.high * factor)


class Trial(Struct, frozen=True, kw_only=True):
    """A law asked about trainings it was not fitted to.

    Attributes:
        count: How many.
        error: Median of |estimate - measured| / measured; None without any.
        covered: Share of them inside the interval; None without any.
    """

    count: int
    error: float | None = None
    covered: float | None = None


class Law(Struct, frozen=True, kw_only=True):
    """A fitted law of one figure.

    Attributes:
        coefficients: Of `terms_of`, in its order.
        speedup: A training on c cores takes what one core would take, divided by c to this power.
        residuals: |log(measured / estimate)| of each training by a law fitted to others, ascending.
        least, most: The sizes between which it was measured.
        trial: The same leave-one-out estimates as `residuals`, as a back-test.
    """

    figure: Figure
    coefficients: list[float]
    speedup: float
    residuals: list[float]
    least: Sizes
    most: Sizes
    trial: Trial

    @property
    def count(self) -> int:
        return len(self.residuals)
