"""An endpoint whose minutes a test writes, a clock that moves with them, and the rules that look at them."""

# pyright: basic

from typing import Any

from lemnis.engine import Engine
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.alerting import hand
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.hand import hold_all, remind

START = 2_000_000_040_000
MINUTE = 60_000
HOUR = 60 * MINUTE
CONFIG = """
[problem]
title = "Late flights"
[monitor]
notify = ["team"]
repeat_after = "4h"
[contacts.team]
urls = ["json://localhost:1"]
[contacts.boss]
urls = ["json://localhost:1"]
[[alerts]]
name = "errors"
metric = "error_rate"
above = 0.1
severity = "page"
escalate_after = "30m"
escalate_to = ["boss"]
runbook = "https://wiki/errors"
"""


class Bench:
    """One workspace and its clock; a letter is a minute: B breaks the rule `errors`, k keeps it, - had no request."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.store, self.room = engine, engine.store, engine.monitor
        self.now = START

    def minutes(self, letters: str, endpoint: str = "late") -> None:
        """Let minutes pass, one after the other, and the watch look after each."""
        for letter in letters:
            requests = 0 if letter == "-" else 100
            row: dict[str, Any] = {"at": self.now, "requests": requests, "errors": 50 if letter == "B" else 0}
            row |= {"endpoint": endpoint, "version": 3, "p99_ms": 5.0, "idle_minutes": 0.0, "down": letter == "D"}
            with self.store.write("metrics") as db:
                db.table("endpoint_minutes").insert(row)
            self.now += MINUTE
            self.look(endpoint)

    def look(self, endpoint: str = "late") -> None:
        """Judge, and let time have its say."""
        config = load_config(self.store.workspace.config)
        advance(self.store, config, endpoint, [], now=self.now)
        hold_all(self.store, now=self.now)
        remind(self.store, now=self.now)

    def wait(self, ms: int) -> None:
        """Let time pass without a minute that was counted."""
        self.now += ms
        hold_all(self.store, now=self.now)
        remind(self.store, now=self.now)

    def alert(self, rule: str = "errors") -> Alert:
        """Return the newest alert of a rule."""
        return max((a for a in self.room.alerts(open_only=False) if a.rule == rule), key=lambda alert: alert.id)

    def states(self, rule: str = "errors") -> list[str]:
        """Return every state the alerts of a rule were in, in order."""
        ids = {alert.id for alert in self.room.alerts(open_only=False) if alert.rule == rule}
        return [event.state for event in reversed(self.room.events()) if event.alert_id in ids]

    def told(self) -> list[tuple[str, str]]:
        """Return contact and kind of every message, in order."""
        return [(one.contact, one.kind) for one in reversed(self.room.alerting.notifications())]

    def declare(self, text: str) -> None:
        """Add to lemnis.toml."""
        path = self.store.workspace.config
        path.write_text(path.read_text() + text)


def play(bench: Bench, endpoint: str, step: str) -> None:
    """Do one thing; what an alert's state does not allow is refused."""
    found = next((a for a in bench.room.alerts(endpoint=endpoint) if a.rule == "errors"), None)
    if step in "Bk-":
        bench.minutes(step, endpoint)
    elif step == "hour":
        bench.wait(HOUR)
    elif step == "twice":
        bench.look(endpoint)
    elif step == "silence 2m":
        until = bench.now + 2 * MINUTE
        hand.silence(bench.store, "errors", endpoint=endpoint, until=until, who="ada", why="w", now=bench.now)
    elif step == "unsilence":
        for one in hand.list_silences(bench.store, in_force=True, now=bench.now):
            hand.end_silence(bench.store, one.id, who="ada", now=bench.now)
    elif found is not None:
        try:
            if step == "resolve":
                hand.resolve(bench.store, found.id, who="ada", why="w", now=bench.now)
            else:
                until = bench.now + MINUTE if step == "ack 1m" else None
                hand.acknowledge(bench.store, found.id, who="ada", why="", until=until, now=bench.now)
        except BadInput:
            assert found.state not in ("firing", "flapping")
