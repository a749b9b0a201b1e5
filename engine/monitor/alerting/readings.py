"""What the windows and minutes of one endpoint say about a rule, and the sentence an alert says about it."""

import msgspec

from lemnis.engine.clock import iso_utc
from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import Monitor
from lemnis.engine.monitor.alerting.minutes import Minute
from lemnis.engine.monitor.alerting.rules import METRICS, counted, is_settled, metric_value
from lemnis.engine.monitor.alerting.states import Condition, Evidence, Place, Reading
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Store
from lemnis.engine.text import safe

NAMED = 3  # features that a sentence names
WIDTH_MS = {"hour": 3_600_000, "day": 86_400_000, "week": 7 * 86_400_000, "month": 31 * 86_400_000}


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one endpoint when its rules are judged.

    Attributes:
        windows, minutes: In order of time.
        arrived_at: When its last row or label came, epoch ms; None before the first.
    """

    endpoint: str
    windows: list[Window]
    minutes: list[Minute]
    arrived_at: int | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alert's evidence is from: model, version and window, if it is one."""

    model: str
    version: int
    window: Window | None


def readings_of(rule: Rule, scene: Scene, min_rows: int) -> list[Reading]:
    """Return what each window (or minute) says about a rule, in order of time."""
    if METRICS[rule.metric].live:
        return [Reading(window=(one.at, 0), value=one.value(rule.metric), settled=True) for one in scene.minutes]
    return [
        Reading(
            window=place_of(window),
            value=metric_value(window, rule.metric, min_rows),
            settled=is_settled(window, rule.metric),
        )
        for window in scene.windows
    ]


def place_of(window: Window) -> Place:
    """Return where a window stands in time."""
    return window.starts, window.version


def seen_at(place: Place, rule: Rule, scene: Scene) -> Seen:
    """Return which model version and window the evidence is from."""
    model = scene.windows[-1].model if scene.windows else ""
    if METRICS[rule.metric].live:
        minute = next(one for one in scene.minutes if one.at == place[0])
        return Seen(model=model, version=minute.version, window=None)
    window = next(window for window in scene.windows if place_of(window) == place)
    return Seen(model=window.model, version=window.version, window=window)


def condition_of(
    rule: Rule, scene: Scene, readings: list[Reading], monitor: Monitor, now: int
) -> tuple[Condition, str]:
    """Return what a rule that raises nothing says of an endpoint, and why: ok only if something was judged lately.

    No data: no window yet, or no row came for longer than `windows` of them last. Insufficient: the latest windows
    have too few rows or labels to say something.
    """
    kind = METRICS[rule.metric]
    unit = "minute" if kind.live else "window"
    if not readings:
        return "no data", f"no {unit} was counted yet"
    latest = readings[-rule.windows - 1 :]
    if kind.live:
        old = (now - readings[-1].window[0]) // 60_000
        if old > 2 + rule.windows:
            return "no data", f"the last minute that was counted is {old:,} minutes ago"
    elif scene.arrived_at is None or now - scene.arrived_at > rule.windows * WIDTH_MS[monitor.window]:
        since = f"since {iso_utc(scene.arrived_at)[:16]}Z" if scene.arrived_at else "yet"
        return "no data", f"no row or label came {since}"
    told = next((reading for reading in reversed(latest) if reading.value is not None), None)
    if told is None:
        if kind.live:
            return "insufficient", f"the latest minutes say nothing about {kind.label}"
        rows = counted(scene.windows[-1], rule.metric)
        what = "labelled rows" if kind.labels else "rows"
        return "insufficient", f"{rows:,} {what} in the newest window, {monitor.min_rows:,} are needed"
    bound, side = (rule.above, "above") if rule.above is not None else (rule.below, "below")
    return "ok", f"{kind.label} {told.value:.4g} is not {side} {bound:g}"


def message_of(rule: Rule, evidence: Evidence, seen: Seen) -> str:
    """Return what an alert says: the value, the bound, where, and how sure."""
    kind = METRICS[rule.metric]
    if rule.above is not None:
        state = f"above {rule.above:g}" if evidence.broken else f"not above {rule.above:g}"
    else:
        state = f"below {rule.below:g}" if evidence.broken else f"not below {rule.below:g}"
    value = "–" if evidence.value is None else f"{evidence.value:.4g}"
    start = iso_utc(evidence.window[0]) if evidence.window else ""
    if seen.window is None:
        return f"{kind.label} {value} is {state} in the minute from {start[:10]} {start[11:16]} UTC"
    window = seen.window
    labels = f", {window.labelled:,} of {window.rows:,} rows labelled" if kind.labels else ""
    return f"{kind.label} {value} is {state} in the window from {start[:10]} ({window.model} v{window.version}{labels})"


def reasons_of(store: Store, metric: str, window: Window) -> str:
    """Return what in a window breaks a rule on its data: the share that moved, else the features that drifted."""
    if metric == "skew":
        return f"; {window.skewed}" if window.skewed else ""
    return drifted_features(store, window)


def drifted_features(store: Store, window: Window) -> str:
    """Return which features drifted in a window, the farthest first: ``; wind 5.2, temp 1.1 and 3 more drifted``."""
    rows = store.rows(
        """select feature, psi, count(*) over () as n from monitor_features where window_id = ? and verdict = 'drift'
             and kind != 'prediction' order by psi desc limit ?""",
        [window.id, NAMED],
    )
    if not rows:
        return ""
    named = ", ".join(f"{safe(row['feature'], limit=40)} {row['psi']:.3g}" for row in rows)
    more = f" and {rows[0]['n'] - len(rows):,} more" if rows[0]["n"] > len(rows) else ""
    return f"; {named}{more} drifted"
