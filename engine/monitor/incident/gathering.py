"""Reads one alert's incident from the rooms that know of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lemnis.engine.config import Config, load_config
from lemnis.engine.deploy import aliases, registry
from lemnis.engine.errors import ConfigError, NotFound
from lemnis.engine.experiments import ExperimentsRoom
from lemnis.engine.monitor.alerting import hand, kept
from lemnis.engine.monitor.alerting.minutes import Minute, list_minutes
from lemnis.engine.monitor.alerting.records import Alert
from lemnis.engine.monitor.alerting.rules import METRICS, metric_value
from lemnis.engine.monitor.alerting.states import Bound, breaks
from lemnis.engine.monitor.concept.kept import concept_of
from lemnis.engine.monitor.concept.money import together
from lemnis.engine.monitor.concept.report import Entry, performance_of
from lemnis.engine.monitor.drift.contrasting import kept_contrast, span_of
from lemnis.engine.monitor.incident import around, served
from lemnis.engine.monitor.incident.records import Cost, IncidentReport, Segment, Sure
from lemnis.engine.monitor.kept import feature_in, list_windows, moved_first
from lemnis.engine.monitor.policy import IMPORTANT_SHARE
from lemnis.engine.monitor.records import FeatureDrift, Window
from lemnis.engine.monitor.retraining import ledger
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.features.signature import Signature

WINDOWS = 60  # that are looked back over
FEATURES = 5
RETRAININGS = 5
HOUR_MS = 3_600_000
WIDEST_MS = 2 * 86_400_000  # of the band on each side: more is no clue


def gather(store: Store, alert_id: int) -> IncidentReport:
    """Return the incident of an alert; reads SQLite alone.

    Raises:
        NotFound: There is no such alert.
    """
    now = store.now_ms()
    alert = kept.find_alert(store, alert_id)
    windows = [one for one in list_windows(store, alert.endpoint, WINDOWS) if concerns(one, alert)]
    window = next((one for one in windows if one.id == alert.window_id), None)
    opened = store.value("select opened_starts from alerts where id = ?", [alert_id])
    config = config_of(store)
    bound = bound_in(alert, config)
    first = first_window(windows, alert, bound, opened) if window is not None else None
    minutes = list_minutes(store, alert.endpoint, since=alert.since - 2 * HOUR_MS) if is_live(alert) else []
    began = began_at(store, alert, first, minutes, bound)
    band = band_of(began, alert, now)
    features = features_of(store, alert, window)
    signature = signature_in(store, alert)
    alias, back_to, challenger = ways_out(store, alert)
    return IncidentReport(
        at=now,
        alert=alert,
        others=others_of(store, alert),
        window=window,
        first=first,
        began=began,
        band=band,
        sure=sure_of(store, alert, window, features, minutes),
        cost=cost_of(store, alert, first, window, config),
        data_version=data_version(store, alert),
        features=features[:FEATURES],
        segments=segments_of(store, alert, window, signature, features),
        examples=served.examples_of(store, window, signature, features[:FEATURES]) if window and signature else [],
        changes=around.changes_around(store, alert.model, alert.endpoint, began=began, band=band),
        strains=around.strains_around(store, alert.endpoint, band, now=now),
        events=kept.events_of(store, alert_id),
        notifications=kept.notifications(store, alert_id=alert_id),
        silence=hand.find_silence(store, alert.silence_id) if alert.silence_id is not None else None,
        alias=alias,
        back_to=back_to,
        challenger=challenger,
        concept=concept_of(store, [alert.endpoint, alert.model, alert.version]) if window is not None else None,
        contrast=kept_contrast(store, span_of(window)) if window is not None else None,
        retrainings=[one for one in ledger.listed(store, alert.endpoint, RETRAININGS) if one.created_at >= began],
    )


def concerns(window: Window, alert: Alert) -> bool:
    """Say whether a window is of the model version that an alert speaks of."""
    return (window.model, window.version) == (alert.model, alert.version)


def is_live(alert: Alert) -> bool:
    """Say whether an alert is of a server's minutes."""
    return alert.metric in METRICS and METRICS[alert.metric].live


def config_of(store: Store) -> Config | None:
    """Return what is declared; None while lemnis.toml is being mended: an incident is told all the same."""
    try:
        return load_config(store.workspace.config)
    except ConfigError:
        return None


def bound_in(alert: Alert, config: Config | None) -> Bound | None:
    """Return an alert's bound: above or below as its rule says, else as its value lies; None where it has none."""
    if alert.threshold is None or alert.metric not in METRICS:
        return None
    rule = next((rule for rule in config.alerts if rule.name == alert.rule), None) if config else None
    above = rule.above is not None if rule else alert.value is None or alert.value > alert.threshold
    return Bound(above=alert.threshold) if above else Bound(below=alert.threshold)


def first_window(windows: Sequence[Window], alert: Alert, bound: Bound | None, opened: int | None) -> Window | None:
    """Return the first window that breaks the rule, with none between it and the alert's opening that keeps it.

    Args:
        windows: Of the alert's model version, in order of time.
        alert: Says the metric.
        bound: Of its rule.
        opened: Start of the window in which the alert was opened, epoch ms.
    """
    upto = [one for one in windows if opened is None or one.starts <= opened]
    if not upto or bound is None:
        return None
    first = upto[-1]
    for window in reversed(upto[:-1]):
        value = metric_value(window, alert.metric, 1)
        if value is not None and not breaks(value, bound):
            break
        if value is not None:
            first = window
    return first


def began_at(store: Store, alert: Alert, first: Window | None, minutes: Sequence[Minute], bound: Bound | None) -> int:
    """Return when an incident began by the wall clock, epoch ms: when its first bad row was answered.

    Rows that are replayed, or come late, are answered at another time than they happened.
    """
    if first is not None:
        return served.answered_at(store, first) or first.starts
    began = alert.since
    if bound is not None:
        for minute in reversed([one for one in minutes if one.at <= alert.since]):
            value = minute.value(alert.metric)
            if value is None or not breaks(value, bound):
                break
            began = minute.at
    return began


def band_of(began: int, alert: Alert, now: int) -> tuple[int, int]:
    """Return the time around an incident in which causes are looked for: from six hours to two days before it on."""
    length = (alert.resolved_at or now) - began
    before = max(6 * HOUR_MS, min(length, WIDEST_MS))
    return began - before, min(now, max(alert.since, began) + min(max(length, HOUR_MS), WIDEST_MS))


def features_of(store: Store, alert: Alert, window: Window | None) -> list[FeatureDrift]:
    """Return the features of a window without the prediction: the one that decides, then what moved most."""
    if window is None:
        return []
    rows = store.rows("select * from monitor_features where window_id = ? and kind != 'prediction'", [window.id])
    found = moved_first(feature_in(dict(row)) for row in rows)
    first = deciding(alert.metric, found)
    return found if first is None else [first, *(one for one in found if one is not first)]


def deciding(metric: str, features: Sequence[FeatureDrift]) -> FeatureDrift | None:
    """Return the feature whose figure is the window's; None for a metric that is of no single feature."""
    if metric == "missing_rise":
        return max(
            features, key=lambda one: (one.missing_share or 0) - (one.reference_missing_share or 0), default=None
        )
    asked = [one for one in features if metric == "max_psi" or (one.importance or 0.0) >= IMPORTANT_SHARE]
    return max(asked, key=lambda one: one.psi, default=None) if metric in ("max_psi", "important_psi") else None


def signature_in(store: Store, alert: Alert) -> "Signature | None":
    """Return what the alert's model version takes; None where it is not registered here."""
    try:
        return registry.signature_of(store, alert.model, alert.version) if alert.model else None
    except NotFound:
        return None


def others_of(store: Store, alert: Alert) -> list[Alert]:
    """Return the other alerts of its incident."""
    if alert.incident_id is None:
        return []
    ids = kept.find_incident(store, alert.incident_id).alerts
    return [kept.find_alert(store, other) for other in ids if other != alert.id]


def sure_of(
    store: Store, alert: Alert, window: Window | None, features: Sequence[FeatureDrift], minutes: Sequence[Minute]
) -> Sure:
    """Return how sure an alert is."""
    if window is None:
        lately = minutes[-alert.breaches or None :]
        return Sure(counted=sum(one.requests for one in lately), unit="requests", breaches=alert.breaches)
    kind = METRICS[alert.metric]
    if kind.labels:
        entries = performance_of(store, alert.endpoint, [window]).entries
        return Sure(
            counted=window.labelled,
            unit="labelled rows",
            figure=entries[0].measured.get(alert.metric),
            held_out=entries[0].held_out.get(alert.metric),
            breaches=alert.breaches,
        )
    decides = deciding(alert.metric, features)
    return Sure(
        counted=window.rows,
        unit="rows",
        feature=decides.feature if decides else "",
        p_adjusted=decides.p_adjusted if decides else None,
        false_alarms=window.false_alarms,
        null_runs=window.null_runs,
        breaches=alert.breaches,
    )


def cost_of(
    store: Store, alert: Alert, first: Window | None, window: Window | None, config: Config | None
) -> Cost | None:
    """Return the money of an incident against the held-out rows; None where no value is declared or none is known."""
    begin = first or window
    if begin is None or config is None:
        return None
    windows = [one for one in list_windows(store, alert.endpoint, WINDOWS) if one.starts >= begin.starts]
    found = performance_of(store, alert.endpoint, [one for one in windows if concerns(one, alert)])
    told: list[Entry] = [entry for entry in found.entries if entry.money is not None]
    worths = [entry.money for entry in told if entry.money is not None]
    if not worths:
        return None
    spoken = next((entry.money for entry in told if window is not None and entry.window.id == window.id), worths[-1])
    assert spoken is not None
    return Cost(
        currency=found.currency,
        basis=spoken.basis,
        per_day=spoken.per_day,
        measured=together([one for one in worths if one.basis == "measured"]),
        estimated=together([one for one in worths if one.basis == "estimated"]),
        since=begin.starts,
    )


def data_version(store: Store, alert: Alert) -> str:
    """Return the id of the dataset version that the alert's model learned from; empty where that is not on record."""
    try:
        run = registry.version(store, alert.model, alert.version).run_id if alert.model else None
        return (ExperimentsRoom(store).run(run).version_id or "") if run is not None else ""
    except NotFound:
        return ""


def segments_of(
    store: Store, alert: Alert, window: Window | None, signature: "Signature | None", features: Sequence[FeatureDrift]
) -> list[Segment]:
    """Return the values of the most important categorical features that carry the incident: by loss, or by rows."""
    if window is None:
        return []
    if METRICS[alert.metric].labels and signature is not None:
        important = sorted(features, key=lambda one: -(one.importance or 0.0))
        return served.segments_by_loss(store, window, signature, [f for f in important if f.kind == "categorical"][:3])
    return served.segments_by_share([one for one in features if one.kind == "categorical"][:3])


def ways_out(store: Store, alert: Alert) -> tuple[str, int | None, int | None]:
    """Return the alias the endpoint follows, the version rolling it back would bring, and the one that may follow."""
    row = store.row("select model, alias from endpoints where name = ?", [alert.endpoint])
    if row is None:
        return "", None, None
    earlier, named = (
        aliases.standing(aliases.events(store, row["model"], alias=alias)) for alias in (row["alias"], "challenger")
    )
    challenger = named[-1] if named and named[-1] != alert.version else None
    return f"{row['model']}@{row['alias']}", earlier[-2] if len(earlier) > 1 else None, challenger
