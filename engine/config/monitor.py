"""What lemnis.toml declares of Monitor: how served rows are cut into windows and judged, and the alert rules."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from lemnis.engine.config.types import Declared, Name


class Monitor(Declared, frozen=True):
    """How served rows are cut into windows and judged against the training reference.

    `effect` is the smallest difference that counts as drift: of the cumulated shares of a number (KS distance), of the
    shares of a category (JS distance). `psi_watch` and `psi_drift` mark columns of a comparison of two versions.
    """

    window: Literal["hour", "day", "week", "month"] = "day"
    bins: Annotated[int, Meta(ge=2, le=100)] = 10
    min_rows: Annotated[int, Meta(ge=1)] = 200
    effect: Annotated[float, Meta(ge=0, le=1)] = 0.05
    psi_watch: float = 0.1
    psi_drift: float = 0.25


Watchable: TypeAlias = Literal[
    "max_psi",
    "important_psi",
    "weighted_psi",
    "prediction_psi",
    "missing_rise",
    "prediction_mean",
    "predicted_share",
    "schema_changes",
    "roc_auc",
    "log_loss",
    "brier",
    "label_share",
    "value_per_1000",
    "mean_absolute_error",
]


class Alert(Declared, frozen=True):
    """One alert rule: fires when `metric` of a window is beyond the bound for `windows` windows in a row.

    The metrics are defined in `monitor/rules.py`.
    """

    name: Name
    metric: Watchable
    above: float | None = None
    below: float | None = None
    windows: Annotated[int, Meta(ge=1, le=100)] = 1
    severity: Literal["page", "ticket"] = "ticket"
