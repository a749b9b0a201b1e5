"""What tells a window's rows from training rows, as records."""

import msgspec


class Share(msgspec.Struct, frozen=True):
    """How much of the classifier's answers on the window's rows is due to one feature, 0 to 1."""

    feature: str
    share: float


class Example(msgspec.Struct, frozen=True):
    """A row of the window that is unlike the training rows: its key, how sure the classifier is, and its values."""

    key: str
    score: float
    values: list[str]


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """How well a window's rows can be told from training rows.

    Attributes:
        auc: Of the classifier, out of fold: 0.5 when they can't be told apart, 1 when they always can.
        low, high: Range of the same for `past` windows of as many consecutive training rows; None without any.
        rows, reference_rows: That were compared.
        told: The features by their share, largest first.
        examples: The rows most unlike, with their values of the features in `told`, in that order.
    """

    auc: float
    low: float | None
    high: float | None
    past: int
    rows: int
    reference_rows: int
    told: list[Share]
    examples: list[Example]

    @property
    def differs(self) -> bool:
        """The window can be told from training rows better than any past window can."""
        return self.auc > (0.5 if self.high is None else self.high)

    @property
    def words(self) -> str:
        """What was found, in sentences."""
        past = (
            f"{self.past} past windows of as many training rows come to {self.low:.2f} to {self.high:.2f}"
            if self.past
            else "there are too few training rows to say what past windows come to"
        )
        verdict = "The window differs from training" if self.differs else "The window is no more unlike than past ones"
        return (
            f"{verdict}: a classifier tells {self.rows:,} of its rows from {self.reference_rows:,} training rows "
            f"with an AUC of {self.auc:.2f} (0.5: not at all); {past}."
        )
