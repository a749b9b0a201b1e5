"""Why an endpoint's model should learn again: open alerts of drift or performance, and a problem that was changed."""

from collections.abc import Collection

from lemnis.engine.config import Config
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor.alerting.rules import CONCEPT
from lemnis.engine.monitor.concept.stale import stale_models
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining.policy import Cause
from lemnis.engine.monitor.retraining.splits import judged_windows
from lemnis.engine.store import Store

# Rules whose breach newer rows can mend. Rows of another shape, or without values, are mended where they come from.
LEARNABLE = frozenset(
    {
        *("drift", "max_psi", "important_psi", "weighted_psi", "prediction_psi", "prediction_mean", "predicted_share"),
        *("skew", CONCEPT),
        *("roc_auc", "log_loss", "brier", "label_share", "value_per_1000", "mean_absolute_error"),
    }
)


def open_causes(store: Store, config: Config) -> list[Cause]:
    """Return the causes there are now, the oldest first: alerts that fire or were taken, and stale champions."""
    stale = stale_causes(store, config)
    found = [*alert_causes(store, {cause.endpoint for cause in stale}), *stale]
    lacking = {endpoint: lacks(store, endpoint) for endpoint in {cause.endpoint for cause in found}}
    known = [
        Cause(key=one.key, kind=one.kind, endpoint=one.endpoint, reason=one.reason, since=one.since, lacks=why)
        for one in found
        for why in [lacking[one.endpoint]]
    ]
    return sorted(known, key=lambda cause: cause.since)


def alert_causes(store: Store, stale: Collection[str]) -> list[Cause]:
    """Return a cause for each open incident about what can be learnt; its first alert says why.

    Args:
        store: The workspace's state.
        stale: Endpoints whose version is stale: that is a cause already, an alert on the concept is no further one.
    """
    rows = store.rows(
        f"""select a.incident_id, a.rule, a.endpoint, a.message, min(coalesce(a.fired_at, a.since)) as at
           from alerts a join endpoints e on e.name = a.endpoint
           where a.state in ('firing', 'acknowledged') and e.serving_version is not null
             and a.incident_id is not null and a.metric in ({", ".join("?" * len(LEARNABLE))})
             and not (a.metric = '{CONCEPT}' and a.endpoint in ({", ".join("?" * len(stale))}))
           group by a.incident_id order by a.incident_id""",
        [*sorted(LEARNABLE), *stale],
    )
    return [
        Cause(
            key=f"incident {row['incident_id']} of {row['endpoint']}",
            kind="alert",
            endpoint=row["endpoint"],
            reason=f"{row['rule']}: {row['message']}",
            since=row["at"],
        )
        for row in rows
    ]


def stale_causes(store: Store, config: Config) -> list[Cause]:
    """Return a cause for each endpoint that serves a version whose problem was changed and which nobody lets stay."""
    causes: list[Cause] = []
    for one in stale_models(store, config.problem, waived=False):
        sql = "select name from endpoints where model = ? and serving_version = ? order by name"
        for row in store.rows(sql, [one.model, one.version]):
            changes = ", ".join(f"{change.key} {change.after}" for change in one.differences)
            causes.append(
                Cause(
                    key=f"stale {one.model} v{one.version} {row['name']}: {changes}",
                    kind="stale",
                    endpoint=row["name"],
                    reason=one.words,
                    since=one.changed_at or 0,
                )
            )
    return causes


def lacks(store: Store, endpoint: str) -> str:
    """Return why an endpoint's model can't be trained again yet; empty when it can."""
    try:
        judged_windows(list_windows(store, endpoint))
    except BadInput as error:
        return error.problem.removesuffix(".")
    return ""
