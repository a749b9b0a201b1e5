"""What the Deploy tab shows, read at one moment."""

from msgspec import Struct, field

from lemnis.engine import Engine
from lemnis.engine.config import Endpoint as Declared
from lemnis.engine.deploy import AliasEvent, Candidate, Endpoint, EndpointEvent, LoadTest, ModelVersion
from lemnis.engine.deploy.exports.records import Export
from lemnis.engine.evaluate import Gate
from lemnis.engine.monitor import Stale
from lemnis.engine.tracking.clients import ClientVersion

EVENTS_SHOWN = 500


class DeployView(Struct, frozen=True):
    """Everything the tab shows, read at one moment."""

    at: int
    endpoints: list[Endpoint]
    versions: list[ModelVersion]
    events: list[AliasEvent]
    steps: list[EndpointEvent]
    candidate: Candidate | None
    declared: dict[str, Declared]
    gates: dict[int, list[Gate]] = field(default_factory=dict[int, list[Gate]])
    metrics: dict[int, dict[str, dict[str, float | None]]] = field(
        default_factory=dict[int, dict[str, dict[str, float | None]]]
    )
    log: str = ""
    clients: list[ClientVersion] = field(default_factory=list[ClientVersion])  # what MLflow's clients registered
    exports: list[Export] = field(default_factory=list[Export])
    loads: list[LoadTest] = field(default_factory=list[LoadTest])  # the latest first
    stale: dict[str, Stale] = field(default_factory=dict[str, Stale])  # by model@version, whose problem changed
    origins: dict[str, str] = field(default_factory=dict[str, str])  # by model@version, of what was made elsewhere


def read_view(engine: Engine, log_of: str) -> DeployView:
    """Return what there is now, with the end of the log of one endpoint where it is named."""
    room = engine.deploy
    versions = [version for model in room.models() for version in room.versions(model.name)]
    runs = {version.run_id for version in versions}
    return DeployView(
        at=engine.now_ms(),
        endpoints=room.endpoints(),
        versions=versions,
        events=room.history()[:EVENTS_SHOWN],
        steps=room.endpoint_events(limit=EVENTS_SHOWN),
        candidate=room.candidate(),
        declared=engine.config().endpoints,
        gates={run: engine.evaluate.gates(run) for run in runs},
        metrics={run: {e.part: e.metrics for e in engine.evaluate.evaluations(run)} for run in runs},
        log=room.endpoint_log(log_of) if log_of else "",
        clients=engine.tracking.client_versions(),
        exports=room.exports(),
        loads=room.load_tests(),
        stale={f"{one.model}@{one.version}": one for one in engine.monitor.stale()},
        origins={one.here: one.text for one in engine.share.origins() if one.kind == "model"},
    )
