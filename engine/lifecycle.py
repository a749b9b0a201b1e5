"""The loop: each stage's state, why, and the next step, computed from facts in the store and never stored."""

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine.config import Config, load_config
from lemnis.engine.errors import ConfigError
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.dependents import Dependents

StageWord: TypeAlias = Literal["not started", "working", "ready", "attention"]

STAGES: tuple[tuple[str, str], ...] = (
    ("1", "problem"),
    ("2", "data"),
    ("3", "explore"),
    ("4", "features"),
    ("5", "validate"),
    ("6", "experiments"),
    ("7", "evaluate"),
    ("8", "deploy"),
    ("9", "monitor"),
    ("0", "resources"),
)


# The newest challenger of a retraining that is not served, as long as it is called so.
WAITING_CHALLENGER = """
    select r.model, r.challenger_version as version from retrainings r
      join aliases a on a.model = r.model and a.alias = 'challenger' and a.version = r.challenger_version
      join endpoints e on e.name = r.endpoint and e.serving_version is not r.challenger_version
    where r.outcome = 'challenger' order by r.id desc limit 1
"""

# One look at an index that has all of it but the jobs, which are looked up for live runs alone.
RUNS = """
    select count(*) filter (where state = 'finished') as finished,
      count(*) filter (where state in ('queued', 'preparing', 'running')
        and (select job_id from runs same where same.id = runs.id) > 0) as live
    from runs where deleted_at is null
"""


class StageState(Struct, frozen=True, kw_only=True):
    """One stage of the loop as it is now."""

    key: str
    name: str
    state: StageWord
    why: str
    next: str


class Verdict(Struct, frozen=True):
    """A stage's state with its reason and the step that moves it on."""

    state: StageWord
    why: str
    next: str = ""


class Lifecycle:
    """Reads the ten stages' states; a few small queries, so it may be asked at every change."""

    def __init__(self, store: Store) -> None:
        self.store, self.jobs = store, JobsRoom(store)

    def stages(self) -> list[StageState]:
        """Return the ten stages in the loop's order; a broken lemnis.toml is the problem stage's attention."""
        try:
            config, broken = load_config(self.store.workspace.config), ""
        except ConfigError as error:
            config, broken = Config(), f"{error.place}: {error.problem}"
        facts = Facts(self.store, config)
        verdicts = {
            "problem": problem(facts, broken),
            "data": data(facts),
            "explore": explore(facts),
            "features": features(facts),
            "validate": validate(facts),
            "experiments": experiments(facts),
            "evaluate": evaluate(facts),
            "deploy": deploy(facts),
            "monitor": monitor(facts),
            "resources": resources(facts, self.jobs.status().state == "up"),
        }
        return [
            StageState(key=key, name=name, state=v.state, why=v.why, next=v.next)
            for key, name in STAGES
            for v in [verdicts[name]]
        ]

    def link_dependents(self, position: int) -> "Dependents":
        """Return what names the columns that the declared link at a position, from 1, brings."""
        from lemnis.engine.dependents import link_dependents

        return link_dependents(self.store, load_config(self.store.workspace.config), position)


class Facts:
    """What several stages ask of the store, read once."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config = store, config
        self.version = store.row(
            """select id, name, number, rows, columns from versions where removed_at is null
               order by linked_at desc limit 1"""
        )
        self.version_id = self.version["id"] if self.version else ""
        self.working = {
            row["room"]: row["title"]
            for row in store.rows(
                """select substr(kind, 1, instr(kind, '.') - 1) room, title from jobs
                   where state in ('queued', 'preparing', 'running')"""
            )
        }
        self.stopped = {
            row["room"]: f"{row['title']} {row['state']}: {row['why']}"
            for row in store.rows(
                """select room, title, state, why from (
                     select substr(kind, 1, instr(kind, '.') - 1) room, title, state, why,
                       row_number() over (partition by kind order by id desc) newest from jobs
                     where kind not in ('evaluate.explain', 'deploy.predict',  -- questions, not steps of the loop
                       'deploy.export', 'data.push', 'data.pull'))
                   where newest = 1 and state in ('failed', 'lost')"""
            )
        }

    def count(self, sql: str, *values: object) -> int:
        return int(self.store.value(sql, values) or 0)

    def job(self, room: str) -> Verdict | None:
        """Return what a live or a stopped job says of its stage, if there is one."""
        if room in self.working:
            return Verdict("working", self.working[room], f"Watch it: lemnis jobs list ({room}).")
        if room in self.stopped:
            return Verdict("attention", self.stopped[room], "Read its log, then try again: lemnis jobs list.")
        return None


def problem(facts: Facts, broken: str) -> Verdict:
    """The problem is ready when it has a question, a target, and criteria that can refuse a model."""
    stated = facts.config.problem
    if broken:
        return Verdict("attention", broken, "Mend lemnis.toml: press e, or `lemnis problem edit`.")
    if not stated.question or not stated.target:
        missing = "no question" if not stated.question else "no target"
        return Verdict("not started", f"{missing} is stated", "State it: press e, or `lemnis problem edit`.")
    if not stated.criteria:
        return Verdict("attention", "no success criteria: nothing can refuse a model", "Add [[problem.criteria]].")
    if facts.version is not None:
        names = {column["name"] for column in msgspec.json.decode(facts.version["columns"])}
        if stated.target not in names:
            why = f"the target {stated.target!r} is no column of version {facts.version['number']}"
            return Verdict("attention", why, "Derive it in [dataset.derive], or change the target.")
    return Verdict("ready", f"{stated.title or stated.question}: {len(stated.criteria)} success criteria")


def data(facts: Facts) -> Verdict:
    """The data are ready when the newest dataset version stands."""
    if verdict := facts.job("data"):
        return verdict
    declared = len(facts.config.sources)
    arrived = facts.count("select count(distinct source) from snapshots")
    if not arrived and not declared and facts.version is not None:
        return Verdict("ready", f"version {facts.version['number']}: {facts.version['rows']:,} rows, made elsewhere")
    if not arrived:
        word = f"{declared} sources declared, none read" if declared else "no source is declared"
        return Verdict("not started", word, "Read them: `lemnis data sync`." if declared else "`lemnis data add FILE`.")
    if facts.version is None:
        return Verdict("working", f"{arrived} of {declared} sources read", "Link them: `lemnis data link`.")
    if arrived < declared:
        return Verdict("attention", f"{declared - arrived} of {declared} sources never arrived", "`lemnis data sync`.")
    return Verdict("ready", f"version {facts.version['number']}: {facts.version['rows']:,} rows of {arrived} sources")


def explore(facts: Facts) -> Verdict:
    """Exploration is ready when the newest version is profiled."""
    if verdict := facts.job("explore"):
        return verdict
    if facts.version is None:
        return Verdict("not started", "there is no dataset version yet", "`lemnis data link` first.")
    columns = facts.count("select count(*) from profiles where version_id = ?", facts.version_id)
    if columns:
        noted = facts.count(
            """select count(*) from profiles where version_id = ? and exists
               (select 1 from json_each(notes) where coalesce(json_extract(value, '$.act'), 1))""",
            facts.version_id,
        )
        return Verdict("ready", f"{columns} columns profiled, {noted} with something to act on")
    number = facts.version["number"]
    if facts.count("select count(*) from profiles"):
        return Verdict("attention", f"version {number} is not profiled yet", "`lemnis explore profile`.")
    return Verdict("not started", f"version {number} is not profiled", "`lemnis explore profile`.")


def features(facts: Facts) -> Verdict:
    """The features are ready when they are ranked and the chosen set has no suspect."""
    if verdict := facts.job("features"):
        return verdict
    ranked = facts.count("select count(*) from feature_scores where version_id = ?", facts.version_id)
    if not ranked:
        return Verdict("not started", "no feature is ranked", "`lemnis features rank`.")
    row = facts.store.row(
        "select name, features from feature_sets where name = ? order by id desc limit 1", [facts.config.features.set]
    )
    if row is None:
        return Verdict("working", f"{ranked} features ranked, no set chosen", "Choose one: `lemnis features select`.")
    chosen = msgspec.json.decode(row["features"], type=list[str])
    suspects = facts.count(
        "select count(*) from feature_scores where version_id = ? and leakage != '' and feature in "
        "(select value from json_each(?))",
        facts.version_id,
        row["features"],
    )
    if suspects:
        why = f"set {row['name']} holds {suspects} features that look known only afterwards"
        return Verdict("attention", why, "Look at them in Features (4).")
    return Verdict("ready", f"set {row['name']}: {len(chosen)} of {ranked} features")


def validate(facts: Facts) -> Verdict:
    """Validation is ready when every check of the newest version was evaluated and none failed."""
    if verdict := facts.job("validate"):
        return verdict
    if not facts.config.checks:
        return Verdict("not started", "no check is declared", "`lemnis validate suggest`.")
    run = facts.store.row("select * from check_runs where ended_at is not null order by id desc limit 1")
    if run is None:
        return Verdict("not started", f"{len(facts.config.checks)} checks declared, none run", "`lemnis validate run`.")
    counts = f"{run['passed']} passed, {run['warned']} warned, {run['failed']} failed"
    if run["not_evaluated"]:
        return Verdict("attention", f"{run['not_evaluated']} checks were not evaluated; {counts}", "See Validate (5).")
    if run["failed"]:
        return Verdict("attention", counts, "See the failing rows in Validate (5).")
    if run["version_id"] != facts.version_id:
        return Verdict("attention", "the newest version was not checked", "`lemnis validate run`.")
    return Verdict("ready", counts)


def experiments(facts: Facts) -> Verdict:
    """Experiments are ready when a run has finished; a newest run that broke asks for attention."""
    # By id: an index that leads to all that are not deleted would be read and sorted whole.
    newest = facts.store.row("select id, state, why from runs where +deleted_at is null order by id desc limit 1")
    if newest is None:
        return Verdict("not started", "no run yet", "Train the first one: press t, or `lemnis train`.")
    runs = facts.store.row(RUNS)
    live, finished = (runs["live"], runs["finished"]) if runs is not None else (0, 0)
    if live:
        return Verdict("working", f"{live} {'run' if live == 1 else 'runs'} in work", "Watch it in Experiments (6).")
    if newest["state"] in ("failed", "lost"):
        return Verdict("attention", f"run {newest['id']} {newest['state']}: {newest['why']}", "`lemnis jobs list`.")
    if not finished:
        return Verdict("not started", "no run has finished", "Train one: press t, or `lemnis train`.")
    return Verdict("ready", f"{finished} finished runs")


def evaluate(facts: Facts) -> Verdict:
    """Evaluation is ready when the newest evaluated run passed its gates."""
    if verdict := facts.job("evaluate"):
        return verdict
    newest = facts.store.row("select run_id from evaluations order by created_at desc, id desc limit 1")
    if newest is None:
        return Verdict("not started", "no run is evaluated", "`lemnis evaluate RUN`.")
    champion = facts.store.value(
        """select v.run_id from aliases a join model_versions v on v.model = a.model and v.version = a.version
           where a.alias = 'champion' order by a.at desc limit 1"""
    )
    run_id = champion or newest["run_id"]
    verdicts = {
        row["verdict"]: row["n"]
        for row in facts.store.rows("select verdict, count(*) n from gates where run_id = ? group by verdict", [run_id])
    }
    name = f"run {run_id}{' (champion)' if champion else ''}"
    short = verdicts.get("fail", 0) + verdicts.get("not enough data", 0)
    if short:
        return Verdict(
            "attention", f"{name} does not pass {short} of {sum(verdicts.values())} gates", "See Evaluate (7)."
        )
    return Verdict("ready", f"{name} passes its {sum(verdicts.values())} gates")


def deploy(facts: Facts) -> Verdict:
    """Deployment is ready when every endpoint answers."""
    endpoints = facts.store.rows(
        """select e.name, e.model, e.alias, e.ready, e.why, e.serving_version, s.state, s.why broken from endpoints e
           left join services s on s.name = 'endpoint:' || e.name where coalesce(s.wanted, 'down') = 'up'"""
    )
    if facts.store.at is not None and facts.count("select count(*) from endpoints"):
        return deploy_then(facts)
    if not endpoints:
        if facts.count("select count(*) from model_versions"):
            return Verdict("working", "a model is registered, none is served", "`lemnis deploy MODEL@ALIAS`.")
        return Verdict("not started", "no model is registered", "`lemnis models register RUN`.")
    for row in endpoints:
        if row["state"] in ("failed", "backing off"):
            return Verdict("attention", f"endpoint {row['name']} is {row['state']}: {row['broken']}", "See Deploy (8).")
        if not row["ready"]:
            why = row["why"] or "it starts"
            word: StageWord = "attention" if row["why"] else "working"
            return Verdict(word, f"endpoint {row['name']} is not ready: {why}", "See Deploy (8).")
    first = endpoints[0]
    more = f" and {len(endpoints) - 1} more" if len(endpoints) > 1 else ""
    return Verdict("ready", f"{first['name']} serves {first['model']} version {first['serving_version']}{more}")


def deploy_then(facts: Facts) -> Verdict:
    """Return what is known of the endpoints at a past moment, from the minutes that were counted of them."""
    from lemnis.engine.deploy.endpoints import listed

    endpoints = listed(facts.store)
    worst = next((one for one in endpoints if one.state != "ready"), None)
    if worst is None:
        first = endpoints[0]
        return Verdict("ready", f"{first.name} served {first.model} version {first.version}")
    word: StageWord = "working" if worst.state == "unknown" else "attention"
    return Verdict(word, f"endpoint {worst.name} is {worst.state}: {worst.why}", "See Deploy (8).")


def monitor(facts: Facts) -> Verdict:
    """The monitor asks for attention while an alert fires; it is ready when a window was judged."""
    alerts = {
        row["state"]: row
        for row in facts.store.rows(
            "select state, count(*) n, min(message) message from alerts where state != 'resolved' group by state"
        )
    }
    take = "Acknowledge it: press 9, then a."
    if row := alerts.get("firing"):
        return Verdict("attention", f"{row['n']} firing: {row['message']}", take)
    if row := alerts.get("flapping"):
        return Verdict("attention", f"{row['n']} flapping: {row['message']}", take)
    if verdict := stale(facts):
        return verdict
    if verdict := facts.job("monitor"):
        return verdict
    if waiting := facts.store.row(WAITING_CHALLENGER):
        why = f"{waiting['model']} v{waiting['version']} was trained again and waits for a person"
        return Verdict("attention", why, "Promote it or not: press 9, then C, or `lemnis retrain status`.")
    newest = facts.store.row("select verdict, why from monitor_windows where rows > 0 order by starts desc limit 1")
    if newest is None:
        return Verdict("not started", "no prediction was judged yet", "Deploy a model and send it rows.")
    known = ", ".join(
        f"{alerts[state]['n']} {state}" for state in ("acknowledged", "pending", "silenced") if state in alerts
    )
    return Verdict("ready", f"newest window: {newest['verdict']}{'; ' + known if known else ''}")


def stale(facts: Facts) -> Verdict | None:
    """Return what is wrong while a model in charge was trained for another problem than the one that is stated."""
    if not facts.count("select exists (select 1 from model_versions)"):
        return None
    from lemnis.engine.monitor.concept.stale import stale_models  # with all of the monitor: the first picture waits

    found = stale_models(facts.store, facts.config.problem, waived=False)
    if not found:
        return None
    return Verdict("attention", found[0].words, f"`lemnis retrain`, or `lemnis monitor waive {found[0].model}`.")


def resources(facts: Facts, supervised: bool) -> Verdict:
    """The machine is ready when the supervisor keeps the queue moving and the sampler reads it."""
    broken = facts.store.row(
        "select name, state, why from services where state = 'failed' and name in ('sampler', 'device') limit 1"
    )
    if broken is not None:
        return Verdict("attention", f"{broken['name']} failed: {broken['why']}", "`lemnis engine start`.")
    if not supervised:
        return Verdict("not started", "the engine does not run", "`lemnis engine start`.")
    live = facts.count("select count(*) from jobs where state in ('preparing', 'running')")
    waiting = facts.count("select count(*) from jobs where state = 'queued'")
    if live or waiting:
        return Verdict("working", f"{live} {'job' if live == 1 else 'jobs'} running, {waiting} waiting")
    return Verdict("ready", "idle: nothing runs, nothing waits")
