"""What a person does to an alert: take it, end it, silence it for a while; and what time alone does to those."""

from lemnis.engine import clock
from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.config import parse_span
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.alerting.kept import find_alert
from lemnis.engine.monitor.alerting.records import Alert, Silence
from lemnis.engine.monitor.alerting.states import RAISED, State, Step, held
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

LONGEST_MS = 30 * 86_400_000  # of a silence: a forgotten one is worse than one that has to be renewed
OPEN_SQL = f"select id from alerts where state in ({', '.join(repr(state) for state in RAISED)})"


def end_in(text: str, now: int) -> int:
    """Return when something ends that was asked for as a length of time (``2h``) or a time (UTC, ISO 8601), epoch ms.

    Raises:
        BadInput: The text is neither.
    """
    try:
        return now + parse_span(text)
    except ValueError:
        pass
    try:
        return parse_ms(text)
    except ValueError:
        raise BadInput(f"{safe(text, limit=60)!r} is no end.", "Write 30m, 2h, 3d or 2026-05-01T08:00.") from None


def acknowledge(
    store: Store, alert_id: int, *, who: str, why: str, until: int | None = None, now: int | None = None
) -> Alert:
    """Take a firing alert: it stays open, but it is somebody's now.

    Args:
        store: Where alerts are.
        alert_id: Which one.
        who: Whose it is.
        why: What is being done.
        until: When it ends by itself and the alert fires again, epoch ms; None for not at all.
        now: Epoch ms.

    Raises:
        NotFound: There is no such alert.
        BadInput: It does not fire, nobody is named, or `until` is past.
    """
    moment = clock.now_ms() if now is None else now
    if until is not None and until <= moment:
        raise BadInput("The acknowledgement would end before it begins.", "Give a later time, such as 2h.")
    ends = f" (until {iso_utc(until)})" if until is not None else ""
    step = Step("acknowledged", f"{why}{ends}".strip())
    with store.write() as db:
        taken = by_hand(store, alert_id, step, who=who, allowed=("firing", "flapping"), now=moment)
        db.table("alerts").update(alert_id, {"acknowledged_until": until})
    return find_alert(store, taken.id)


def resolve(store: Store, alert_id: int, *, who: str, why: str, now: int | None = None) -> Alert:
    """End an open alert by hand; only a later window can raise it again.

    Raises:
        NotFound: There is no such alert.
        BadInput: It is resolved already, or nobody is named, or no reason is given.
    """
    if not why.strip():
        raise BadInput("Resolving an alert by hand needs a reason.", "Say what was done: --why '…'.")
    moment = clock.now_ms() if now is None else now
    return by_hand(store, alert_id, Step("resolved", why), who=who, allowed=("pending", *RAISED), now=moment)


def by_hand(store: Store, alert_id: int, step: Step, *, who: str, allowed: tuple[State, ...], now: int) -> Alert:
    """Let a person change an alert's state."""
    from lemnis.engine.monitor.alerting.changes import change

    if not who.strip():
        raise BadInput("Nobody is named.", "Say who you are: --who NAME.")
    with store.write() as db:  # the state is read inside, so that of two people one is told that it was done
        alert = find_alert(store, alert_id)
        if alert.state not in allowed:
            by = f" by {alert.acknowledged_by}" if alert.state == "acknowledged" else ""
            raise BadInput(
                f"Alert {alert_id} is {alert.state}{by}; only a {' or '.join(allowed)} one can be {step.state}.",
                f"See what happened with `lemnis alerts history {alert_id}`.",
            )
        return change(db, alert, step, who=who.strip(), now=now)


def silence(
    store: Store, rule: str, *, endpoint: str = "", until: int, who: str, why: str, now: int | None = None
) -> Silence:
    """Hold the alerts of a rule until a time: they are seen, but ask for nobody. Those that fire are held at once.

    Args:
        store: Where alerts are.
        rule: Its name; empty for every rule.
        endpoint: Empty for every endpoint.
        until: Epoch ms, at most LONGEST_MS from now.
        who: Who is to be asked about it.
        why: Why nobody is needed.
        now: Epoch ms.

    Raises:
        BadInput: Nobody is named, no reason is given, or the end is past or too far away.
    """
    from lemnis.engine.monitor.alerting import outbox

    moment = clock.now_ms() if now is None else now
    if not who.strip() or not why.strip():
        raise BadInput("A silence needs a name and a reason.", "Say who and why: --who NAME --why '…'.")
    if not moment < until <= moment + LONGEST_MS:
        raise BadInput("A silence ends later than now and within 30 days.", "Give an end such as --until 2h.")
    with store.write() as db:
        row: dict[str, object] = {"rule": rule, "endpoint": endpoint, "who": who.strip(), "why": why.strip()}
        silence_id = outbox.insert(db, "silences", row | {"starts": moment, "until": until})
        hold_all(store, now=moment)
    return find_silence(store, silence_id)


def end_silence(store: Store, silence_id: int, *, who: str, now: int | None = None) -> Silence:
    """End a silence early: what it held fires again.

    Raises:
        NotFound: There is no such silence.
        BadInput: It is over already, or nobody is named.
    """
    moment = clock.now_ms() if now is None else now
    if not who.strip():
        raise BadInput("Nobody is named.", "Say who you are: --who NAME.")
    with store.write() as db:
        found = find_silence(store, silence_id)
        if found.ended_at is not None or found.until <= moment:
            raise BadInput(f"Silence {silence_id} is over already.", "List them with `lemnis alerts silences`.")
        db.table("silences").update(silence_id, {"ended_at": moment, "ended_by": who.strip()})
        hold_all(store, now=moment)
    return find_silence(store, silence_id)


def find_silence(store: Store, silence_id: int) -> Silence:
    """Return one silence; raises NotFound."""
    row = store.row("select * from silences where id = ?", [silence_id])
    if row is None:
        raise NotFound(f"There is no silence {silence_id}.", "List them with `lemnis alerts silences --all`.")
    return silence_in(row)


def list_silences(store: Store, *, in_force: bool, now: int | None = None) -> list[Silence]:
    """Return silences: those in force first, the one that ends next before the others; then, if wanted, those past."""
    moment = clock.now_ms() if now is None else now
    rows = store.rows(
        """select * from silences where ? = 0 or (ended_at is null and until > ?)
           order by ended_at is not null or until <= ?, case when until > ? then until else -until end, id limit 500""",
        [int(in_force), moment, moment, moment],
    )
    return [silence_in(row) for row in rows]


def silence_in(row: Row) -> Silence:
    """Return a row as a record."""
    return Silence(**dict(row))


def hold_all(store: Store, *, now: int) -> int:
    """Let silences, acknowledgements and inhibitions that began or ended have their say; return how many changed."""
    from lemnis.engine.monitor.alerting.changes import alert_of, hold, holds_of, tell

    changed = 0
    reading = store.connection()
    for row in store.rows(OPEN_SQL):
        alert = alert_of(reading, row["id"])
        if held(alert.state, holds_of(reading, alert, now)[0]) is None:
            continue  # no write lock for what stays as it is
        with store.write() as db:
            before = alert_of(db.conn, row["id"])
            after = hold(db, before, now=now)
            tell(db, before, after, now=now)
            changed += after.state != before.state
    return changed


def remind(store: Store, *, now: int) -> int:
    """Queue what time asks for: an alert that nobody takes is told again and escalated; return how many were."""
    from lemnis.engine.monitor.alerting import outbox
    from lemnis.engine.monitor.alerting.changes import WATCH, alert_of, note

    due = store.rows(
        """select id, state_at, told_at, escalated_at,
             handling ->> '$.repeat_after_ms' as repeat, handling ->> '$.escalate_after_ms' as escalate
           from alerts where state = 'firing' and incident_id is not null and told_at is not null
             and ((repeat > 0 and :now - told_at >= repeat)
               or (escalate > 0 and escalated_at is null and :now - state_at >= escalate))""",
        {"now": now},
    )
    for row in due:
        with store.write() as db:
            alert = alert_of(db.conn, row["id"])
            if alert.state != "firing" or alert.incident_id is None:
                continue
            wait = alert.handling.escalate_after_ms
            if wait and alert.escalated_at is None and now - alert.state_at >= wait:
                people = alert.handling.escalate_to
                outbox.queue(db, alert.id, alert.incident_id, "escalated", people, now)
                db.table("alerts").update(alert.id, {"escalated_at": now, "updated_at": now})
                why = f"nobody took it for {wait // 60_000:,} minutes: escalated to {', '.join(people)}"
                note(db, alert, Step("firing", why), who=WATCH, now=now)
            repeat = alert.handling.repeat_after_ms
            if repeat and alert.told_at is not None and now - alert.told_at >= repeat:
                both = [*alert.handling.notify, *(alert.handling.escalate_to if alert.escalated_at else [])]
                outbox.queue(db, alert.id, alert.incident_id, "repeated", both, now)
                db.table("alerts").update(alert.id, {"told_at": now, "updated_at": now})
    return len(due)
