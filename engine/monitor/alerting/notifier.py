"""Service `notifier`: tells contacts what fires, and fires itself when the watch does not look any more.

It is a process of its own: a mail server that hangs must not stop the watch, and a watch that dies must be told of.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TypeAlias
from zlib import crc32

import msgspec

from lemnis.engine.clock import AwakeClock, monotonic_s, now_ms
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.monitor.alerting import outbox
from lemnis.engine.monitor.alerting.alertmanager import EVERY_S as ALERTMANAGER_S
from lemnis.engine.monitor.alerting.alertmanager import push
from lemnis.engine.monitor.alerting.builtin import judge_watch
from lemnis.engine.monitor.alerting.hand import hold_all, remind
from lemnis.engine.monitor.alerting.kept import find_alert, find_incident
from lemnis.engine.monitor.alerting.letters import letter_of
from lemnis.engine.monitor.alerting.records import Notification
from lemnis.engine.monitor.alerting.senders import send
from lemnis.engine.monitor.declared import LastGood
from lemnis.engine.monitor.room import HEARTBEAT, Heartbeat
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace, find_workspace

EVERY_S = 1.0
Signs: TypeAlias = tuple[int | None, int | None, int | None]


class Notifier:
    """What time asks for, and the outbox; what it knows is in the store, so it may die at any time."""

    def __init__(self, store: Store, environment: Mapping[str, str], awake: AwakeClock | None = None) -> None:
        """Begin; `awake` says how long the watch was not heard of."""
        self.store, self.environment, self._awake = store, environment, awake or AwakeClock()
        self._signs: Signs | None = None  # of life of the watch, and when they were new
        self._signs_at = 0.0
        self.declared = LastGood(store.workspace)
        self.problem = ""
        self._pushed_at = -ALERTMANAGER_S
        self._refused = ""  # why an Alertmanager did not take the alerts the last time

    def tick(self, *, now: int | None = None) -> None:
        """End what is over, remind, escalate, see to the watch, and tell an Alertmanager; a failure is a `problem`."""
        moment = now_ms() if now is None else now
        try:
            self.declared.reread()
            hold_all(self.store, now=moment)
            remind(self.store, now=moment)
            silent, heard = self._silence(), heard_at(self.store)
            judge_watch(self.store, self.declared.config, heard_at=heard, silent_s=silent, now=moment)
            self._push(moment)
        except LemnisError as error:
            self.problem = f"{error.problem} {error.place}".strip()
        else:
            self.problem = self.declared.problem or self._refused

    def _silence(self) -> float:
        """Return for how many seconds nothing new was heard of the watch, those slept through left out."""
        self._awake.look()
        row = self.store.row("select started_at, updated_at from services where name = 'monitor'")
        begun, asked = (row["started_at"], row["updated_at"]) if row is not None else (None, None)
        signs = (heard_at(self.store), begun, asked)
        if signs != self._signs:
            self._signs, self._signs_at = signs, self._awake()
        return self._awake() - self._signs_at

    def _push(self, now: int) -> None:
        url = self.declared.config.monitor.alertmanager
        if not url or monotonic_s() - self._pushed_at < ALERTMANAGER_S:
            return
        self._pushed_at, self._refused = monotonic_s(), ""
        try:
            push(self.store, url, self.environment, now=now)
        except Unavailable as error:
            self._refused = error.problem

    def send_due(self, *, now: int | None = None) -> int:
        """Send the messages that are due; return how many were tried."""
        tried = 0
        while (found := outbox.claim(self.store, now=now_ms() if now is None else now)) is not None:
            tried += 1
            self._send(found)
        return tried

    def _send(self, notification: Notification) -> None:
        incident = find_incident(self.store, notification.incident_id)
        alerts = [find_alert(self.store, alert_id) for alert_id in notification.alerts]
        key = workspace_key(self.store.workspace)
        letter = letter_of(notification.kind, incident, alerts, workspace=key, notification_id=notification.id)
        contact = self.declared.config.contacts.get(notification.contact)
        done = [*notification.done]
        if contact is None:
            reasons = [f"no contact {notification.contact} is declared"]
        else:
            reasons = send(notification.contact, contact, letter, self.environment, done)
        if reasons:
            outbox.failed(self.store, notification, letter.title, "; ".join(reasons), done)
        else:
            outbox.sent(self.store, notification, letter.title, now=now_ms())


def heard_at(store: Store) -> int | None:
    """Return when the watch last looked, epoch ms; None before the first time."""
    sample = store.value("select sample from latest where name = ?", [HEARTBEAT], name="metrics")
    return None if sample is None else msgspec.json.decode(sample, type=Heartbeat).at


def workspace_key(workspace: Workspace) -> str:
    """Return what tells this workspace's messages from another's."""
    return f"{workspace.root.name}-{crc32(str(workspace.root).encode()):08x}"


def main() -> int:
    """Tell until SIGTERM: the outbox in a thread of its own, so that a slow receiver delays no reminder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    notifier = Notifier(Store(find_workspace(parser.parse_args().workspace)), os.environ)
    notifier.tick()
    sender = threading.Thread(target=send_on, args=(notifier, stop), name="sender", daemon=True)
    sender.start()
    told = ""
    while not stop.wait(EVERY_S):
        notifier.tick()
        if notifier.problem != told:
            told = notifier.problem
            print(told or "The problem is over.", flush=True)
        if not sender.is_alive():
            return 1  # the supervisor starts both anew
    sender.join(2.0)
    notifier.store.close()
    return 0


def send_on(notifier: Notifier, stop: threading.Event) -> None:
    """Send what is due until told to stop."""
    while not stop.is_set():
        try:
            notifier.send_due()
        except LemnisError as error:  # a full disk: the next turn tries again
            print(f"{error.problem} {error.remedy}", flush=True)
        stop.wait(EVERY_S)
    notifier.store.close()


if __name__ == "__main__":
    sys.exit(main())
