"""AlertingRoom: standings, silences, incidents, messages, and rules that are tried before they are declared."""

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from lemnis.engine import clock
from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.alerting import hand, kept
from lemnis.engine.monitor.alerting.records import Incident, Notification, Silence, Standing
from lemnis.engine.monitor.alerting.rules import BOUND, METRICS, MINUTE_MS, bound_of, rules_of
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.monitor.alerting.readings import Scene
    from lemnis.engine.monitor.alerting.rehearsal import Rehearsal

DAY_MS = 86_400_000
MOST_WINDOWS = 20_000  # that a rule is tried on


class AlertingRoom:
    """What is known of one workspace's alerts besides the alerts themselves."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def standings(self) -> list[Standing]:
        """Return what every rule says of every endpoint now, those that need a person first."""
        return kept.standings(self.store, now=self.store.now_ms())

    def incidents(self, *, open_only: bool = True) -> list[Incident]:
        """Return incidents, newest first."""
        return kept.incidents(self.store, open_only=open_only)

    def notifications(self, alert_id: int | None = None) -> list[Notification]:
        """Return messages to contacts, newest first."""
        return kept.notifications(self.store, alert_id=alert_id)

    def silences(self, *, in_force: bool = True) -> list[Silence]:
        """Return silences, the one that ends next first; with `in_force` False also those past."""
        return hand.list_silences(self.store, in_force=in_force)

    def silence(self, rule: str, *, endpoint: str = "", until: int, who: str, why: str) -> Silence:
        """Hold the alerts of a rule until a time; see `hand.silence`. Raises NotFound where there is no such rule."""
        known = {rule.name for rule in self.rules()} | {
            alert.rule for alert in kept.list_alerts(self.store, open_only=True)
        }
        if rule and rule not in known:
            raise NotFound(
                f"There is no alert rule {safe(rule, limit=60)!r}.", f"Rules: {', '.join(sorted(known)) or 'none'}."
            )
        return hand.silence(self.store, rule, endpoint=endpoint, until=until, who=who, why=why)

    def end_silence(self, silence_id: int, who: str) -> Silence:
        """End a silence early; see `hand.end_silence`."""
        return hand.end_silence(self.store, silence_id, who=who)

    def rules(self) -> list[Rule]:
        """Return the rules in force, the built-in one included; raises ConfigError."""
        return rules_of(load_config(self.store.workspace.config))

    def rule(self, name: str) -> Rule:
        """Return a rule in force; raises NotFound."""
        rules = self.rules()
        found = next((rule for rule in rules if rule.name == name), None)
        if found is None:
            known = ", ".join(rule.name for rule in rules)
            raise NotFound(f"There is no alert rule {safe(name, limit=60)!r}.", f"Rules: {known}.", "lemnis.toml")
        return found

    def rehearse(self, rule: Rule, *, days: float = 30.0, endpoint: str = "") -> "list[Rehearsal]":
        """Return what a rule would have done on the last days of each endpoint (or of one), counted from its last row.

        Raises:
            BadInput: The days are not above 0.
            NotFound: The endpoint has no windows and no minutes.
        """
        from lemnis.engine.monitor.alerting.readings import WIDTH_MS, readings_of
        from lemnis.engine.monitor.alerting.rehearsal import rehearse

        if days <= 0:
            raise BadInput("A rule is tried on more than 0 days.", "Give --days 30.")
        config = load_config(self.store.workspace.config)
        live = METRICS[rule.metric].live
        tried: list[Rehearsal] = []
        for name in [endpoint] if endpoint else self._endpoints():
            scene = self._history(name, days, live=live)
            if endpoint and not scene.windows and not scene.minutes:
                raise NotFound(f"Nothing was counted of {safe(endpoint, limit=60)!r}.", "See `lemnis endpoints list`.")
            readings = readings_of(rule, scene, config.monitor.min_rows)
            width = MINUTE_MS if live else WIDTH_MS[config.monitor.window]
            tried.append(rehearse(bound_of(rule, config.monitor), readings, endpoint=name, width_ms=width))
        return tried

    def declare_rule(self, rule: Rule, who: str, given: Collection[str] = BOUND) -> bool:
        """Write a rule into lemnis.toml; see `declaring.declare_rule`."""
        from lemnis.engine.monitor.alerting.declaring import declare_rule

        return declare_rule(self.store, rule, who, given)

    def notify_test(self, contact: str) -> list[str]:
        """Send a test message to a contact now, from this process; return why which address failed, empty for none.

        Raises:
            NotFound: No such contact is declared.
        """
        from lemnis.engine.monitor.alerting.letters import Letter
        from lemnis.engine.monitor.alerting.senders import send

        contacts = load_config(self.store.workspace.config).contacts
        if contact not in contacts:
            known = ", ".join(contacts) or "none; declare [contacts.NAME] urls = […]"
            raise NotFound(f"There is no contact {safe(contact, limit=60)!r}.", f"Contacts: {known}.", "lemnis.toml")
        key = f"lemnis:test:{clock.now_ms()}"
        letter = Letter(
            title=f"Test from Lemnis · {self.store.workspace.root.name}",
            body=f"Alerts that name {contact} come here. Nothing is wrong.\nkey {key}",
            kind="resolved",
            severity="ticket",
            incident_key=key,
            dedupe_key=key,
        )
        return send(contact, contacts[contact], letter, os.environ, [])

    def _endpoints(self) -> list[str]:
        rows = self.store.rows("select name from endpoints union select endpoint from monitor_windows order by 1")
        return [row[0] for row in rows]

    def _history(self, endpoint: str, days: float, *, live: bool) -> "Scene":
        """Return the windows or minutes of the last days before the endpoint's newest one."""
        from lemnis.engine.monitor.alerting.minutes import list_minutes
        from lemnis.engine.monitor.alerting.readings import Scene

        span = round(days * DAY_MS)
        windows = [] if live else list_windows(self.store, endpoint, MOST_WINDOWS)
        first = max((window.ends for window in windows), default=0) - span
        minutes = list_minutes(self.store, endpoint, since=self.store.now_ms() - span) if live else []
        return Scene(
            endpoint=endpoint,
            windows=[window for window in windows if window.starts >= first],
            minutes=minutes,
            arrived_at=None,
        )
