"""Gathers the facts of a model card from every stage, as they are on record now."""

from collections.abc import Iterable

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.evaluate import EvaluateRoom, Evaluation
from lemnis.engine.experiments import ExperimentsRoom, Run
from lemnis.engine.features.signature import Signature
from lemnis.engine.modelcard.records import Card, Fact, Section
from lemnis.engine.monitor import MonitorRoom
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store

MOST_FEATURES, MOST_LISTED = 200, 10
NOT_EVALUATED = "The run was not evaluated."


def gather(store: Store, model: str, number: int) -> Card:
    """Return the card of a version; raises NotFound."""
    deploy, evaluate = DeployRoom(store), EvaluateRoom(store)
    version = deploy.version(model, number)
    run = ExperimentsRoom(store).run(version.run_id)
    evaluations = evaluate.evaluations(run.id)
    last = evaluations[-1] if evaluations else None
    data = find_version(store, run.version_id) if run.version_id else None
    sections = [
        model_section(version),
        problem_section(store, run),
        data_section(data),
        features_section(run, deploy.signature(model, number)),
        training_section(run),
        *(measures_section(one) for one in reversed(evaluations)),
        gates_section(evaluate, run.id),
        *months_sections(last),
        *calibration_sections(last),
        *slices_sections(evaluate, run.id),
        explained_section(evaluate, run.id),
        *failures_sections(evaluate, run.id),
        *speed_sections(last),
        monitors_section(store, model, version),
        aliases_section(deploy, model, number),
    ]
    return Card(model=model, version=number, at=now_ms(), sections=sections)


def model_section(version: ModelVersion) -> Section:
    """Return who registered what."""
    facts = [
        Fact(name="run", value=f"{version.run_id} {version.run_name}"),
        Fact(name="registered", value=iso_utc(version.created_at), note=f"{version.who}: {version.why}"),
        Fact(name="model file", value=version.sha256),
        Fact(name="bytes", value=version.bytes),
        Fact(name="golden rows", value=version.golden_rows),
        Fact(name="gates", value=version.verdict),
    ]
    return Section(title="Model", facts=facts)


def problem_section(store: Store, run: Run) -> Section:
    """Return the question, and whether it is still the one that the model was trained for."""
    room = ProblemRoom(store)
    said = room.statement()
    same = run.problem_sha256 == room.problem_sha256()
    facts = [
        Fact(name=name, value=text)
        for name, text in (
            ("title", said.title), ("question", said.question), ("task", run.task), ("target", run.target),
            ("unit", said.unit), ("decided", said.decided), ("owner", said.owner),
        )
        if text
    ]  # fmt: skip
    note = "" if same else "The problem was changed after this version was trained; this is how it stands now."
    return Section(title="Problem", facts=facts, note=note)


def data_section(version: Version | None) -> Section:
    """Return what it learned from."""
    if version is None:
        return Section(title="Data", note="The dataset version is not on record.")
    facts = [
        Fact(name="version", value=version.title, note=version.id),
        Fact(name="rows", value=version.rows),
        Fact(name="columns", value=len(version.columns)),
        Fact(name="key", value=", ".join(version.keys) or None),
        Fact(name="time", value=version.time or None),
    ]
    facts += [
        Fact(name=f"{name} rows", value=part.rows, note=f"{iso_utc(part.start)} until before {iso_utc(part.end)}")
        for name, part in version.split.items()
    ]
    return Section(title="Data", facts=facts)


def features_section(run: Run, signature: Signature) -> Section:
    """Return what the model takes."""
    facts = [
        Fact(name="feature set", value=run.set_reference or None),
        Fact(name="count", value=len(signature.features)),
    ]
    for one in signature.features[:MOST_FEATURES]:
        if one.kind == "categorical":
            span = f"{len(one.categories)} categories: {', '.join(one.categories[:8])}"
        else:
            span = "true or false" if one.logical else f"{one.low:.6g} to {one.high:.6g}" if one.low is not None else ""
        facts.append(Fact(name=one.name, value=one.kind, note=f"{span}{', or missing' if one.nullable else ''}"))
    return Section(title="Features", facts=facts)


def training_section(run: Run) -> Section:
    """Return the algorithm and the conditions of training."""
    facts = [
        Fact(name="algorithm", value=run.algorithm),
        Fact(name="preset", value=run.preset),
        Fact(name="trained by", value=run.user or None),
        Fact(name="trained", value=iso_utc(run.ended_at) if run.ended_at else None),
        Fact(name="rounds done", value=run.rounds_done),
        Fact(name="best round", value=run.best_round),
        Fact(name="seed", value=run.seed),
        Fact(name="device", value=run.device),
        Fact(name="code", value=run.code_version or None),
        Fact(name="reproduces run", value=run.reproduces),
    ]
    facts += [Fact(name=name, value=value) for name, value in sorted(run.params.items())]
    return Section(title="Training", facts=[fact for fact in facts if fact.value is not None], note=run.note)


def measures_section(found: Evaluation) -> Section:
    """Return the measures of one part, with their intervals."""
    facts = [Fact(name="rows", value=found.rows), Fact(name="threshold", value=found.threshold)]
    for name, value in found.metrics.items():
        low, high = found.intervals.get(name, (None, None))
        facts.append(Fact(name=name, value=value, low=low, high=high))
    for base in found.baselines:
        first = base.tests[0] if base.tests else None
        if first is not None:
            words = f"{first.metric} {first.base:.4g}, the model {first.value:.4g}. {base.words}"
            facts.append(Fact(name=f"beside {base.name}", value=words))
    return Section(title=f"Measured on {found.part}", facts=facts)


def gates_section(room: EvaluateRoom, run_id: int) -> Section:
    """Return what the problem's criteria say."""
    facts = [
        Fact(
            name=f"{gate.metric} on {gate.part} {gate.rule}",
            value=gate.verdict,
            low=gate.low,
            high=gate.high,
            note=gate.why,
        )
        for gate in room.gates(run_id)
    ]
    return Section(title="Gates", facts=facts, note="" if facts else "No criterion was judged.")


def months_sections(last: Evaluation | None) -> Iterable[Section]:
    """Yield how it did month by month after training, if there are months."""
    if last is None or not last.months:
        return
    metric = next(iter(last.months[0].metrics), "")
    facts = [
        Fact(
            name=month.name,
            value=month.metrics.get(metric),
            note=f"{month.rows:,} rows{', worst' if month.name == last.worst_month else ''}",
        )
        for month in last.months
    ]
    yield Section(title=f"By month: {metric}", facts=facts)


def calibration_sections(last: Evaluation | None) -> Iterable[Section]:
    """Yield how far probabilities can be taken at their word, if that was measured."""
    if last is None or last.calibrated is None:
        return
    found = last.calibrated.reliability
    facts = [Fact(name="calibration error", value=found.ece), Fact(name="Brier score", value=found.brier)]
    if last.calibrated.classes:
        facts = [Fact(name="calibration error", value=found.ece, note="of the class answered")]
        facts += [Fact(name=f"of {name}", value=one.ece) for name, one in last.calibrated.classes.items()]
    facts += [
        Fact(name=one.method, value="better on unseen rows" if one.wins else "no better", note=f"{one.rows:,} rows")
        for one in last.calibrated.maps
    ]
    yield Section(title="Calibration", facts=facts)


def slices_sections(room: EvaluateRoom, run_id: int) -> Iterable[Section]:
    """Yield where it is worse than elsewhere, if that was looked for."""
    found = room.slices(run_id)
    if found is None:
        return
    facts = [
        Fact(
            name=one.words,
            value=one.value,
            note=f"{one.rows:,} rows; {found.loss_name} {one.loss:.4g}, else {one.rest:.4g}",
        )
        for one in found.slices[:MOST_LISTED]
    ]
    yield Section(title=f"Weak slices: {found.metric}", facts=facts, note="" if facts else "None was found.")


def explained_section(room: EvaluateRoom, run_id: int) -> Section:
    """Return which features it lives by, and which act together."""
    facts: list[Fact] = []
    contributions = room.contributions(run_id)
    for output in contributions.outputs if contributions else []:
        towards = f" towards {output.answer}" if contributions and len(contributions.outputs) > 1 else ""
        for swarm in output.swarms[:MOST_LISTED]:
            ends = swarm.extremes
            note = f"{ends[0].name} {ends[0].mean:+.3g}; {ends[1].name} {ends[1].mean:+.3g}" if ends else ""
            facts.append(Fact(name=f"{swarm.feature}{towards}", value=swarm.mean_absolute, note=note))
    if not facts:
        listed = room.importances(run_id)[:MOST_LISTED]
        facts = [Fact(name=one.feature, value=one.gain, note="gain: contributions are not told") for one in listed]
    interactions = room.interactions(run_id)
    facts += [
        Fact(name=f"{pair.first} with {pair.second}", value=pair.strength, note="acting together, raw score")
        for pair in (interactions.pairs[:3] if interactions else [])
    ]
    return Section(
        title="What decides", facts=facts, note="Mean |contribution| to the raw score." if facts else NOT_EVALUATED
    )


def failures_sections(room: EvaluateRoom, run_id: int) -> Iterable[Section]:
    """Yield what its errors have in common, if that was looked for."""
    found = room.failures(run_id)
    if found is None or not found.types:
        return
    facts = [Fact(name=one.name, value=one.count, note=f"{one.share:.0%} of the errors") for one in found.types]
    yield Section(
        title="Failure types", facts=facts, note=f"{found.errors:,} errors of {found.rows:,} {found.part} rows."
    )


def speed_sections(last: Evaluation | None) -> Iterable[Section]:
    """Yield how fast it answers, if that was measured."""
    if last is None or last.speed is None:
        return
    speed = last.speed
    facts = [
        Fact(name="one row, median ms", value=speed.latency_p50_ms),
        Fact(name="one row, 99 % ms", value=speed.latency_p99_ms),
        Fact(name="rows per second", value=speed.rows_per_s, note=f"{speed.batch_cores} threads"),
    ]
    yield Section(title="Speed", facts=facts)


def monitors_section(store: Store, model: str, version: ModelVersion) -> Section:
    """Return which endpoints answer with it, what their latest windows say and what is alerted."""
    monitor, facts = MonitorRoom(store), list[Fact]()
    for endpoint in DeployRoom(store).endpoints():
        if endpoint.model != model or endpoint.version != version.version:
            continue
        facts.append(Fact(name=f"endpoint {endpoint.name}", value=endpoint.state, note=f"alias {endpoint.alias}"))
        windows = monitor.windows(endpoint.name, limit=1)
        facts += [
            Fact(name=f"latest window of {endpoint.name}", value=window.verdict, note=f"from {iso_utc(window.starts)}")
            for window in windows
        ]
        facts += [
            Fact(name=f"alert {alert.rule} of {endpoint.name}", value=alert.state, note=alert.message)
            for alert in monitor.alerts(endpoint=endpoint.name)
        ]
    return Section(title="Monitors", facts=facts, note="" if facts else "No endpoint answers with this version.")


def aliases_section(deploy: DeployRoom, model: str, number: int) -> Section:
    """Return every move of an alias to or from the version, latest first."""
    facts = [
        Fact(
            name=f"{iso_utc(event.at)} {event.alias}",
            value=f"{event.kind}: {event.previous or 'none'} → {event.version or 'none'}",
            note=f"{event.who}: {event.why}{' (forced)' if event.forced else ''}",
        )
        for event in deploy.history(model)
        if number in (event.version, event.previous)
    ]
    return Section(title="Aliases", facts=facts, note="" if facts else "No alias ever named it.")
