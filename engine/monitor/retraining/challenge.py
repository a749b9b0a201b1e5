"""The job `monitor.retrain`: a challenger is trained, judged beside the champion, and promoted if that is allowed."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.config import Config, load_config, parse_window
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.deploy.evidence import verdict_of
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.evaluate import EvaluateRoom
from lemnis.engine.experiments import ExperimentsRoom, Run
from lemnis.engine.experiments.ageing import HALF_LIFE
from lemnis.engine.experiments.begun import START, START_RUN, begun_of
from lemnis.engine.experiments.start import Prepared, checked_tags, left_out_tags, prepare_run, queue_run
from lemnis.engine.jobs import JobFailed
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining import following, ledger
from lemnis.engine.monitor.retraining.paired import beside
from lemnis.engine.monitor.retraining.policy import POLICY
from lemnis.engine.monitor.retraining.records import Retrained, Retraining, Said, Way
from lemnis.engine.monitor.retraining.splits import (
    begin_of,
    earliest_of,
    judged_windows,
    later_split,
    learnable_version,
    resplit,
    served,
)
from lemnis.engine.problem import ProblemRoom

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

CHALLENGER, CHAMPION = "challenger", "champion"
RETRAINING = "retraining"  # tag of a run: its number and its cause


def retrain(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Train, register and judge a challenger; done again, it goes on with what there is. Any: JSON.

    The month before the last whose labels are known validates, the last one tests.

    Raises:
        NotFound: The endpoint serves nothing.
        BadInput: Too few windows have their labels, or the data fail a check.
        JobFailed: The training failed.
    """
    store, deploy = context.store, DeployRoom(context.store)
    made = ledger.find(store, int(arguments["retraining"]))
    config = load_config(context.workspace.config)
    champion = champion_of(deploy, made) or served(store, made.endpoint)
    context.progress(0.01, "choosing the rows")
    if made.run_id is None:
        made = start(context, made, config, champion)
    run = ExperimentsRoom(store).run(made.run_id or 0)
    if run.state != "finished" and run.job_id is not None:
        following.followed(context, run.job_id, (0.05, 0.6), "training")
    challenger = deploy.register(run.id, champion.model, made.who, made.reason)
    ledger.note(store, made.id, challenger_version=challenger.version)
    name_challenger(context, made, challenger)
    evaluate(context, run.id)
    found = compared(context, run, (champion, challenger), config)
    ledger.note(store, made.id, found=msgspec.json.encode(found).decode(), outcome=CHALLENGER)
    decide(context, made, found, config)
    return {"retraining": made.id, "run_id": run.id, "challenger": challenger.version}


def champion_of(deploy: DeployRoom, made: Retraining) -> ModelVersion | None:
    """Return the champion of an attempt before, so that a promotion meanwhile does not change what is compared."""
    return None if made.champion_version is None else deploy.version(made.model, made.champion_version)


def start(context: "JobContext", made: Retraining, config: Config, champion: ModelVersion) -> Retraining:
    """Queue the training of a challenger and write its run into the retraining, in one transaction."""
    store = context.store
    run = ExperimentsRoom(store).run(champion.run_id)
    data = learnable_version(store, run.version_id, run.id, [*run.features, run.target])
    windows = list_windows(store, made.endpoint)
    learnt = parse_window(made.way.window)
    until = judged_windows(windows)[0][0]
    first = begin_of(data, learnt, until, width=config.monitor.window, earliest=earliest_of(store, data))
    if made.way.start != "full":
        first = newer(first, find_version(store, run.version_id), until)
    version = resplit(store, data, later_split(windows, first))
    features = DeployRoom(store).signature(champion.model, champion.version).names
    prepared = prepare(context, config, run, version, features=features, way=made.way)
    tags = checked_tags(store, version, "") | left_out_tags(prepared)
    tags |= {RETRAINING: f"{made.id}: {made.cause}"}
    row = prepared.row | {
        "name": f"retrain: {made.reason}"[:80],
        "user": made.who,
        "problem_sha256": ProblemRoom(store).problem_sha256(),
    }
    with store.write():
        run_id = queue_run(store, row, prepared.params, threshold=config.problem.threshold, tags=tags)
        ledger.note(store, made.id, run_id=run_id, champion_version=champion.version)
    return ledger.find(store, made.id)


def prepare(
    context: "JobContext", config: Config, run: Run, version: Version, *, features: list[str], way: Way
) -> Prepared:
    """Return a run under the conditions of the champion's, on other rows."""
    learnt = parse_window(way.window)
    wanted: dict[str, Any] = {**run.params, "algorithm": run.algorithm}  # Any: texts and numbers
    for name in (HALF_LIFE, START, START_RUN):
        wanted.pop(name, None)
    if learnt.kind == "decay":
        wanted[HALF_LIFE] = f"{learnt.amount:g}d"
    if way.start != "full":
        wanted |= {START: way.start, START_RUN: str(run.id)}
    if way.start == "continue":
        begun = begun_of(context.store, wanted, features)
        wanted["rounds"] = str(int(run.params.get("rounds", "1")) + (begun.rounds if begun is not None else 0))
    preset = run.preset if run.preset in config.presets else None
    return prepare_run(
        context.store, config, preset, overrides=wanted, version=version.id, features=features, spread=run.spread
    )


def newer(first: int, seen: Version, until: int) -> int:
    """Return where the rows begin that a warm start learns from: where the champion's training ended, epoch ms."""
    ended = seen.split["train"].end if "train" in seen.split else first
    return max(first, ended) if ended < until else first


def name_challenger(context: "JobContext", made: Retraining, challenger: ModelVersion) -> None:
    """Point the alias challenger at the new version, whatever its gates will say: nothing answers with it yet."""
    deploy = DeployRoom(context.store)
    named = deploy.alias(challenger.model, CHALLENGER)
    if named is None or named.version != challenger.version:
        deploy.promote(challenger.model, challenger.version, CHALLENGER, made.who, made.reason, force=True)
        say(context, made, "challenger", f"version {challenger.version} is trained: {made.reason}")


def evaluate(context: "JobContext", run_id: int) -> None:
    """Judge the gates of a run; what can't be judged stays unjudged, which no promotion by policy gets past."""
    room = EvaluateRoom(context.store)
    if room.gates(run_id) or room.evaluations(run_id):
        return
    try:
        following.followed(context, room.start(run_id), (0.6, 0.9), "judging the gates")
    except JobFailed as error:
        print(f"warning: the gates were not judged: {error.problem}", flush=True)


def compared(context: "JobContext", run: Run, versions: tuple[ModelVersion, ModelVersion], config: Config) -> Retrained:
    """Return the challenger beside the champion on the newest labelled rows."""
    data, store = find_version(context.store, run.version_id), context.store
    span = data.split["test"]
    champion, challenger = versions
    try:
        measured = beside(store, versions, data, config.problem, lambda: context.progress(0.92, "comparing both"))
        rows, blocks, figures = measured.rows, measured.blocks, measured.figures
    except BadInput as error:
        print(f"warning: champion and challenger were not compared: {error.problem}", flush=True)
        rows, blocks, figures = 0, "", []
    return Retrained(
        run_id=run.id,
        dataset=data.title,
        champion_version=champion.version,
        challenger_version=challenger.version,
        part=(iso_utc(span.start), iso_utc(span.end)),
        rows=rows,
        blocks=blocks,
        currency=config.problem.currency,
        figures=figures,
        gates=verdict_of(store, run.id),
    )


def decide(context: "JobContext", made: Retraining, found: Retrained, config: Config) -> None:
    """Promote the challenger where the policy is auto, every gate passes and it is not worse; say why otherwise."""
    if made.who != POLICY:
        return
    against = objection(found)
    if config.retraining.policy != "auto":
        speaks = f"; {against}" if against else ""
        say(context, made, "kept", f"policy = {config.retraining.policy}: a person promotes it{speaks}")
        return
    if against:
        say(context, made, "kept", f"not promoted: {against}")
        return
    deploy = DeployRoom(context.store)
    named = deploy.alias(made.model, CHAMPION)
    if named is not None and named.version not in (found.champion_version, found.challenger_version):
        say(context, made, "kept", f"not promoted: version {named.version} became the champion meanwhile")
        return
    try:
        if named is None or named.version != found.challenger_version:
            why = f"policy = auto: every gate passes; {found.words}; {made.reason}"
            deploy.promote(made.model, found.challenger_version, CHAMPION, POLICY, why)
    except LemnisError as error:
        say(context, made, "kept", f"not promoted: {error.problem}")
        return
    ledger.note(context.store, made.id, outcome="promoted")
    say(context, made, "promoted", f"every gate passes; {found.words}")


def objection(found: Retrained) -> str:
    """Return what speaks against a promotion without a person; empty when nothing does."""
    if found.gates != "pass":
        return f"gates: {found.gates}"
    if found.main is None or not found.main.verdict:
        return "it could not be compared with the champion"
    return found.words if found.main.verdict == "worse" else ""


def say(context: "JobContext", made: Retraining, what: Said, why: str) -> None:
    """Keep a step of a retraining as an event."""
    with context.store.write() as db:
        ledger.tell(db, made.endpoint, made.cause, what, who=made.who, why=why, now=now_ms())
