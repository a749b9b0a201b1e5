"""Alerts and drift in Prometheus' text format: published for the model servers, which show it at /metrics."""

from collections.abc import Iterable, Iterator

from lemnis.engine.deploy.rollout.metered import PUBLISHED
from lemnis.engine.monitor.alerting.kept import standings
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Store

STATES = (
    "ok", "no data", "insufficient", "pending", "firing", "acknowledged", "silenced", "inhibited", "flapping",
)  # fmt: skip
FIGURES = (
    "max_psi", "important_psi", "weighted_psi", "prediction_psi", "missing_rise", "roc_auc", "log_loss", "brier",
)  # fmt: skip
RECENT = 50  # windows among which the newest judged one is looked for


def publish(store: Store, endpoint: str, *, now: int) -> None:
    """Keep what the monitor says of an endpoint where its servers read it; nothing is written when it is the same."""
    name, text = PUBLISHED + endpoint, exposed(store, endpoint, now=now)
    if store.value("select sample from latest where name = ?", [name], name="metrics") == text:
        return
    with store.write("metrics") as db:
        db.table("latest").upsert({"name": name, "at": now, "sample": text}, pk="name")


def exposed(store: Store, endpoint: str, *, now: int) -> str:
    """Return rules' states, and the newest judged window's drift and performance, in Prometheus' text format."""
    states = [standing for standing in standings(store, now=now) if standing.endpoint == endpoint]
    lines = list(
        family(
            "lemnis_alert_state",
            "1 for the state an alert rule is in, 0 for the others.",
            (
                ({"endpoint": endpoint, "rule": one.rule, "state": state}, float(one.state == state))
                for one in states
                for state in STATES
            ),
        )
    )
    judged = [w for w in list_windows(store, endpoint, RECENT) if w.verdict in ("ok", "watch", "drift")]
    if judged:
        lines += window_lines(store, max(judged, key=lambda window: (window.starts, window.version)))
    return "".join(f"{line}\n" for line in lines)


def window_lines(store: Store, window: Window) -> Iterator[str]:
    """Return the lines about one window and its features."""
    served = {"endpoint": window.endpoint, "model": window.model, "version": str(window.version)}
    yield from family(
        "lemnis_window_start_seconds", "Event time of the window judged last.", [(served, window.starts / 1000)]
    )
    yield from family("lemnis_window_rows", "Rows of the window judged last.", [(served, float(window.rows))])
    figures = [
        (served | {"metric": name}, float(value)) for name in FIGURES if (value := getattr(window, name)) is not None
    ]
    yield from family("lemnis_window_metric", "What the window judged last says; PSI in nats.", figures)
    rows = store.rows("select feature, psi from monitor_features where window_id = ? order by position", [window.id])
    drift = [(served | {"feature": row["feature"]}, float(row["psi"])) for row in rows]
    yield from family("lemnis_feature_psi", "PSI of a feature in the window judged last, in nats.", drift)


def family(name: str, help_text: str, samples: Iterable[tuple[dict[str, str], float]]) -> Iterator[str]:
    """Return the lines of one gauge."""
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        named = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{named}}} {value!r}"


def escaped(text: str) -> str:
    r"""Return a label's value as the format wants it: backslash, quote and newline are escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
