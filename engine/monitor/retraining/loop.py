"""The loop of one endpoint: observe, suspect, train, verify, shadow, promote, watch; each with what it waits for."""

from collections.abc import Callable

from lemnis.engine import clock
from lemnis.engine.config import Config
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.retraining.policy import POLICY, day
from lemnis.engine.monitor.retraining.records import Loop, Step, StepState
from lemnis.engine.store import Row, Store

STEPS = ("observe", "suspect", "train", "verify", "shadow", "promote", "watch")


class Facts:
    """What the steps ask of the store, read once."""

    def __init__(self, store: Store, config: Config, endpoint: str, *, watching: str, now: int) -> None:
        """Read the facts.

        Args:
            store: The workspace's state.
            config: Says the policy.
            endpoint: Whose loop.
            watching: Why nobody watches; empty when somebody does.
            now: Epoch ms.
        """
        from lemnis.engine.deploy.evidence import verdict_of
        from lemnis.engine.monitor.retraining import ledger
        from lemnis.engine.monitor.retraining.causes import open_causes

        row = store.row("select model, alias, serving_version from endpoints where name = ?", [endpoint])
        if row is None:
            raise NotFound(f"There is no endpoint {endpoint!r}.", "See `lemnis endpoints list`.")
        self.store, self.endpoint, self.now = store, endpoint, now
        self.watching, self.policy = watching, config.retraining.policy
        self.model, self.version = str(row["model"]), row["serving_version"]
        self.causes = [cause for cause in open_causes(store, config) if cause.endpoint == endpoint]
        self.queue = [one for one in ledger.queue(store, config, now=now) if one.endpoint == endpoint]
        self.last = next(iter(ledger.listed(store, endpoint, 1)), None)
        named = DeployRoom(store).alias(self.model, "challenger")
        self.challenger = named if named is not None and named.version != self.version else None
        self.promoted_at: int | None = store.value(
            "select max(at) from alias_events where model = ? and alias = ? and version = ?",
            [self.model, row["alias"], self.version],
        )
        self.gates = verdict_of(store, self.challenger.run_id) if self.challenger is not None else ""

    def newest(self) -> Row | None:
        """Return the newest window with rows."""
        return self.store.row(
            """select verdict, why, rows, computed_at from monitor_windows where endpoint = ? and rows > 0
               order by starts desc limit 1""",
            [self.endpoint],
        )


def loop_of(store: Store, config: Config, endpoint: str, *, watching: str = "", now: int | None = None) -> Loop:
    """Return the loop of an endpoint; raises NotFound.

    Args:
        store: The workspace's state.
        config: What is declared.
        endpoint: Its name.
        watching: Why nobody watches; empty when somebody does.
        now: Epoch ms.
    """
    facts = Facts(store, config, endpoint, watching=watching, now=clock.now_ms() if now is None else now)
    named: dict[str, Callable[[Facts], Step]] = {
        "observe": observe, "suspect": suspect, "train": train, "verify": verify, "shadow": shadow, "promote": promote,
        "watch": watch,
    }  # fmt: skip
    challenger = facts.challenger
    return Loop(
        endpoint=endpoint,
        model=facts.model,
        version=facts.version,
        challenger=challenger.version if challenger else None,
        run_id=challenger.run_id if challenger else None,
        policy=facts.policy,
        steps=[named[name](facts) for name in STEPS],
        last=facts.last,
        queue=facts.queue,
    )


def observe(facts: Facts) -> Step:
    """Rows that were answered are counted by the watch."""
    row = facts.store.row(
        """select max(arrived_at) as at, count(*) as n from monitor_cursors where endpoint = ? and arrived_at > 0""",
        [facts.endpoint],
    )
    at = row["at"] if row is not None else None
    if facts.watching:
        return Step(
            name="observe",
            state="attention",
            why="nobody counts what is served",
            since=at,
            blocker=facts.watching,
            key="w",
            command="lemnis engine start",
        )
    newest = facts.newest()
    if newest is None:
        return Step(
            name="observe",
            state="not started",
            why="no row was answered yet",
            blocker="it needs traffic",
            command="lemnis monitor replay",
        )
    return Step(
        name="observe", state="ready", why=f"newest window: {newest['verdict']}, {newest['rows']:,} rows", since=at
    )


def suspect(facts: Facts) -> Step:
    """Something says that the model should learn again."""
    if not facts.causes:
        return Step(name="suspect", state="ready", why="no alert of drift or performance, the problem as it was")
    first, more = facts.causes[0], len(facts.causes) - 1
    why = first.reason + (f" and {more} more" if more else "")
    return Step(name="suspect", state="attention", why=why, since=first.since or None)


def train(facts: Facts) -> Step:
    """A challenger is trained for it."""
    last, how = facts.last, "lemnis retrain"
    if last is not None and last.live:
        share = "" if last.progress is None else f" {last.progress:.0%}"
        return Step(
            name="train",
            state="working",
            why=f"job {last.job_id} {last.state}{share}: {last.doing}",
            since=last.created_at,
        )
    if last is not None and last.state in ("failed", "lost", "cancelled"):
        return Step(
            name="train",
            state="attention",
            why=f"retraining {last.id} {last.state}",
            since=last.created_at,
            blocker=last.doing,
            key="t",
            command=f"lemnis jobs retry {last.job_id}",
        )
    if facts.queue:
        decision = facts.queue[0].decision
        if decision.answer == "train":
            return Step(name="train", state="working", why=f"begins at the watch's next look: {decision.why}")
        allowed = f"; next allowed at {day(decision.allowed_at)}" if decision.allowed_at else ""
        why, since = f"asked for by: {facts.queue[0].reason}", facts.queue[0].since or None
        return Step(
            name="train",
            state="attention",
            why=why,
            since=since,
            blocker=f"{decision.why}{allowed}",
            key="t",
            command=how,
        )
    if last is None:
        return Step(
            name="train",
            state="not started",
            why="nothing was trained again yet",
            key="t",
            command=how,
        )
    who = "the policy" if last.who == POLICY else last.who
    why = f"v{last.challenger_version} was trained for {who}: {last.reason}"
    return Step(name="train", state="ready", why=why, since=last.created_at)


def verify(facts: Facts) -> Step:
    """The challenger is judged by its gates, and beside the champion."""
    if facts.challenger is None:
        return Step(name="verify", state="not started", why="there is no challenger")
    number, run_id = facts.challenger.version, facts.challenger.run_id
    beside = f"; {compared(facts)}" if compared(facts) else ""
    if facts.gates in ("pass", "no gates"):
        word = "passes its gates" if facts.gates == "pass" else "has no gates"
        return Step(name="verify", state="ready", why=f"v{number} {word}{beside}", since=facts.challenger.created_at)
    says = {"fail": "a gate fails", "not enough data": "a gate needs more rows"}.get(
        facts.gates, "its gates were never judged"
    )
    return Step(
        name="verify",
        state="attention",
        why=f"v{number}{beside or ' is not judged'}",
        since=facts.challenger.created_at,
        blocker=says,
        key="v",
        command=f"lemnis evaluate {run_id}",
    )


def compared(facts: Facts) -> str:
    """Return the main measure of challenger and champion; empty where they were not compared."""
    found = facts.last.found if facts.last is not None else None
    if found is None or facts.challenger is None or found.challenger_version != facts.challenger.version:
        return ""
    main = found.main
    if main is None or main.champion is None or main.challenger is None:
        return ""
    figures = f"{main.champion:.3f} → {main.challenger:.3f}"
    return f"{main.metric.replace('_', ' ')} {figures}, {main.verdict or 'not tested'}"


def shadow(facts: Facts) -> Step:
    """The challenger scores what is asked beside the champion, and answers nobody."""
    if facts.challenger is None:
        return Step(name="shadow", state="not started", why="there is no challenger")
    row = facts.store.row(
        """select mode, percent, state, why, started_at from splits where endpoint = ? and challenger = ?
           order by id desc limit 1""",
        [facts.endpoint, facts.challenger.version],
    )
    if row is None:
        command = f"lemnis endpoints split {facts.endpoint} challenger 100 --shadow"
        why = f"v{facts.challenger.version} has scored no request yet"
        return Step(name="shadow", state="not started", why=why, key="H", command=command)
    says = f"{row['mode']} of {row['percent']:g} %: {row['why'] or row['state']}"
    state: StepState = "working" if row["state"] == "running" else "attention" if row["state"] == "aborted" else "ready"
    return Step(name="shadow", state=state, why=says, since=row["started_at"])


def promote(facts: Facts) -> Step:
    """The challenger becomes the champion."""
    if facts.challenger is None:
        last = facts.last
        if last is not None and last.challenger_version == facts.version and facts.version is not None:
            return Step(name="promote", state="ready", why=f"v{facts.version} is the champion", since=facts.promoted_at)
        return Step(name="promote", state="not started", why="there is no challenger")
    number, command = (
        facts.challenger.version,
        f"lemnis models promote {facts.model} {facts.challenger.version} --reason …",
    )
    if facts.gates in ("pass", "no gates"):
        return Step(
            name="promote",
            state="attention",
            why=f"v{number} may follow v{facts.version}",
            since=facts.challenger.created_at,
            blocker="a person decides",
            key="P",
            command=command,
        )
    return Step(
        name="promote",
        state="attention",
        why=f"v{number} may not follow v{facts.version} yet",
        blocker=f"gates: {facts.gates}",
        key="v",
        command=f"lemnis evaluate {facts.challenger.run_id}",
    )


def watch(facts: Facts) -> Step:
    """What the champion does since it was promoted."""
    if facts.version is None:
        return Step(name="watch", state="not started", why="nothing is served", command="lemnis deploy MODEL@champion")
    row = facts.store.row(
        """select count(*) as n, sum(labelled > 0) as told, sum(verdict in ('drift', 'watch')) as moved
           from monitor_windows where endpoint = ? and model = ? and version = ? and rows > 0""",
        [facts.endpoint, facts.model, facts.version],
    )
    windows = int(row["n"]) if row is not None else 0
    if row is None or not windows:
        return Step(
            name="watch", state="not started", why=f"v{facts.version} has answered no row yet", since=facts.promoted_at
        )
    moved = int(row["moved"] or 0)
    why = f"v{facts.version}: {windows} windows, {int(row['told'] or 0)} with labels, {moved} to watch or drifted"
    return Step(name="watch", state="working", why=why, since=facts.promoted_at)
