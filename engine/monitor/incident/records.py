"""One alert's incident as a record: what, since when, how sure, money, what moved, what changed, what was done."""

from typing import Any, Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.alerting.records import Alert, AlertEvent, Notification, Silence
from lemnis.engine.monitor.concept.money import Basis
from lemnis.engine.monitor.concept.records import Concept, Figure
from lemnis.engine.monitor.drift.found import Contrast
from lemnis.engine.monitor.records import FeatureDrift, Window
from lemnis.engine.monitor.retraining.records import Retraining

Room: TypeAlias = Literal["model", "endpoint", "data", "source", "lemnis.toml"]


class Sure(msgspec.Struct, frozen=True, kw_only=True):
    """How sure the alert is.

    Attributes:
        counted: What its value is of (`unit`: rows, labelled rows, requests).
        figure: The value with its 95 % interval, held_out: the held-out rows' one; None where nobody can say.
        feature: The one that decides, of a rule on drift; empty for other rules.
        p_adjusted: Chance of its score without drift, adjusted over all features.
        false_alarms: Of `null_runs` runs of past training windows, those in which the drift rule alarmed.
        breaches: Settled windows (or minutes) in a row that break the rule.
    """

    counted: int
    unit: str
    figure: Figure | None = None
    held_out: Figure | None = None
    feature: str = ""
    p_adjusted: float | None = None
    false_alarms: int | None = None
    null_runs: int | None = None
    breaches: int = 0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Money against the held-out rows; negative is a loss.

    Attributes:
        basis: Of `per_day`, which is the newest window's that can say.
        measured, estimated: Sums since the first bad window: by labels that came, and apart what is only estimated.
        since: Start of that window, epoch ms.
    """

    currency: str
    basis: Basis
    per_day: Figure
    measured: Figure | None
    estimated: Figure | None
    since: int


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a categorical feature that carries the incident.

    Attributes:
        reference, current: Its share of the rows, 0 to 1.
        loss: Its share of the loss among `labelled` of the window's newest labelled rows, of which it is `part`;
            None where no labels came.
    """

    feature: str
    value: str
    reference: float | None
    current: float | None
    loss: float | None = None
    part: float | None = None
    labelled: int = 0


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A served row of the window.

    Attributes:
        event_at: Epoch ms.
        score: What the model answered.
        values: The features that moved most, as they were sent. Any: what JSON can hold.
        moved: Of these, the ones that are in a bin that grew.
    """

    id: int
    event_at: int
    row_key: str
    score: float | None
    values: dict[str, Any]
    moved: list[str]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person or a job changed.

    Attributes:
        earlier: It lies before the band: the last of its kind that did.
    """

    at: int
    room: Room
    what: str
    who: str
    why: str
    earlier: bool = False


class Strain(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the machine or of the endpoint over the band; None is a gap."""

    name: str
    unit: str
    values: list[float | None]


class IncidentReport(msgspec.Struct, frozen=True, kw_only=True):
    """One alert with everything around it, as it is known at `at` (epoch ms).

    Attributes:
        others: The other alerts of its incident.
        window: That the alert speaks of; first: the first that breaks the rule without a break since. None for rules
            on servers.
        began: When the first bad rows were answered (or the first bad minute was), epoch ms of the wall clock;
            band: the time around it in which changes and use are looked for.
        data_version: The dataset version the model learned from; empty when that is not on record.
        features: What moved most first; before it the one that decides a rule on drift.
        back_to: The version a roll back would bring; None where there is none. `alias` is the endpoint's.
        challenger: The model's version that waits to follow; None without one.
        concept: What the detectors say of the version's losses; None before a label, and for rules on servers.
        silence: That holds it.
        contrast: What tells the window's rows from training rows; None before a classifier was asked.
        retrainings: Of the endpoint's model since it began, newest first.
    """

    at: int
    alert: Alert
    others: list[Alert]
    window: Window | None
    first: Window | None
    began: int
    band: tuple[int, int]
    sure: Sure
    cost: Cost | None
    data_version: str
    features: list[FeatureDrift]
    segments: list[Segment]
    examples: list[Example]
    changes: list[Change]
    strains: list[Strain]
    events: list[AlertEvent]
    notifications: list[Notification]
    silence: Silence | None
    alias: str
    back_to: int | None
    challenger: int | None
    concept: Concept | None
    contrast: Contrast | None
    retrainings: list[Retraining]
