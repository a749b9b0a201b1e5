"""MonitorRoom: what the other rooms and the console may ask of the monitor; reads are SQLite alone."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import load_config
from lemnis.engine.errors import NotFound
from lemnis.engine.monitor import replays
from lemnis.engine.monitor.alerting import hand, kept
from lemnis.engine.monitor.alerting.records import Alert, AlertEvent
from lemnis.engine.monitor.alerting.room import AlertingRoom
from lemnis.engine.monitor.concept.stale import Stale, stale_models, waive
from lemnis.engine.monitor.kept import COLUMNS, Grid, feature_in, grid_of, list_windows, moved_first, window_in
from lemnis.engine.monitor.records import FeatureDrift, Replay, Watched, Window
from lemnis.engine.monitor.spans import Width
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.jobs import JobsRoom
    from lemnis.engine.monitor.concept.report import Performance
    from lemnis.engine.monitor.drift.contrasting import Span
    from lemnis.engine.monitor.drift.found import Contrast
    from lemnis.engine.monitor.duty import Duty
    from lemnis.engine.monitor.incident.records import IncidentReport
    from lemnis.engine.monitor.judgements import Judgement
    from lemnis.engine.monitor.retraining import RetrainingRoom
    from lemnis.engine.monitor.schema.door import SchemaDrift
    from lemnis.engine.monitor.zoom import Zoom

SERVICE = "monitor"
SERVICES = {SERVICE: "lemnis.engine.monitor.watch", "notifier": "lemnis.engine.monitor.alerting.notifier"}
HEARTBEAT = "monitor"  # its row in metrics.db's `latest`
STALE_MS = 10_000  # a watch that was not heard of for so long is not watching


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The watch's last look: when (epoch ms), and what stood in its way."""

    at: int
    problem: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody watches, and what.

    Attributes:
        watching: The watch was heard of in the last seconds; `why` says what is wrong otherwise.
        at: When it last looked, epoch ms; None before the first time.
    """

    watching: bool
    why: str
    at: int | None
    watched: list[Watched]
    replays: list[Replay]
    paused: list[Replay]
    firing: int
    pending: int


class MonitorRoom:
    """Windows, drift, performance, alerts, the watch and replays of one workspace."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.alerting = AlertingRoom(store)

    @cached_property
    def _zoom(self) -> "Zoom":
        from lemnis.engine.monitor.zoom import Zoom  # imports NumPy

        return Zoom(self.store)

    @cached_property
    def schema(self) -> "SchemaDrift":
        """How requests and snapshots differ in shape from what was learnt, and what to write for it."""
        from lemnis.engine.monitor.schema.door import SchemaDrift

        return SchemaDrift(self.store)

    def windows(
        self, endpoint: str | None = None, *, limit: int = 500, width: Width | None = None, until: int | None = None
    ) -> list[Window]:
        """Return the latest windows of one endpoint or of all, in order of event time.

        Args:
            endpoint: None for all.
            limit: How many.
            width: Another one than the declared one: these are judged now, from what was counted; see `zoom.Zoom`.
            until: Only those that start before it, epoch ms.
        """
        config = load_config(self.store.workspace.config) if width else None
        if config is None or width is None or width == config.monitor.window:
            return list_windows(self.store, endpoint or "", limit, until=until)
        return self._zoom.windows(config, endpoint or "", width, limit, until)

    def window(self, window_id: int) -> Window:
        """Return one window, or raise NotFound."""
        row = self.store.row(f"select {COLUMNS} from monitor_windows where id = ?", [window_id])
        if row is None:
            raise NotFound(f"There is no window {window_id}.", "List them with `lemnis monitor drift`.")
        return window_in(row)

    def judgements(self, window_id: int) -> "list[Judgement]":
        """Return what was said of a window before it was judged again, the latest first."""
        from lemnis.engine.monitor.judgements import earlier_judgements

        return earlier_judgements(self.store, window_id)

    def features(self, window_id: int) -> list[FeatureDrift]:
        """Return the features of a window, what moved most first (`policy.moved_order`), the prediction last."""
        rows = self.store.rows("select * from monitor_features where window_id = ? order by position", [window_id])
        return moved_first((feature_in(dict(row)) for row in rows) if window_id > 0 else self._zoom.features(window_id))

    def grid(self, windows: list[Window]) -> Grid:
        """Return the drift of every feature over some windows that `windows` returned."""
        return self._zoom.grid(windows) if windows and windows[0].id < 0 else grid_of(self.store, windows)

    def start_contrast(self, of: "Window | Span") -> int:
        """Queue a job that finds what tells a window's rows from training rows, and return it."""
        from lemnis.engine.monitor.drift import contrasting

        span = contrasting.span_of(of) if isinstance(of, Window) else of
        contrasting.note_asked(self.store, span)
        title, arguments = contrasting.title_of(span), msgspec.to_builtins(span)
        return self._jobs().submit(contrasting.KIND, title, arguments, cores=1, priority=40)

    def contrast(self, window: Window) -> "Contrast | None":
        """Return what tells a window's rows from training rows, None before it was found."""
        from lemnis.engine.monitor.drift.contrasting import kept_contrast, span_of

        return kept_contrast(self.store, span_of(window))

    def performance(self, endpoint: str, *, limit: int = 60, width: Width | None = None) -> "Performance":
        """Return truth, estimate and money of an endpoint's latest windows; see `concept.report`.

        Windows of another width than the declared one have their figures without intervals, estimates and money.

        Raises:
            ConfigError: lemnis.toml is not accepted.
        """
        from lemnis.engine.monitor.concept.report import performance_of

        return performance_of(self.store, endpoint, self.windows(endpoint, limit=limit, width=width))

    def stale(self) -> list[Stale]:
        """Return the champions and served versions whose problem changed since they were trained; see `concept.stale`.

        Raises:
            ConfigError: lemnis.toml is not accepted.
        """
        return stale_models(self.store)

    def waive_stale(self, model: str, who: str, why: str) -> list[Stale]:
        """Let a model's stale versions stay until the problem changes again; see `concept.stale.waive`."""
        return waive(self.store, model, who=who, why=why)

    def endpoints(self) -> list[str]:
        """Return the endpoints that have windows."""
        return [row[0] for row in self.store.rows("select distinct endpoint from monitor_windows order by 1")]

    def alerts(self, open_only: bool = True, *, endpoint: str | None = None) -> list[Alert]:
        """Return alerts: firing, acknowledged, pending, then (if wanted) resolved ones."""
        return kept.list_alerts(self.store, open_only=open_only, endpoint=endpoint or "")

    def alert(self, alert_id: int) -> Alert:
        """Return one alert, or raise NotFound."""
        return kept.find_alert(self.store, alert_id)

    def events(self, alert_id: int | None = None) -> list[AlertEvent]:
        """Return what happened to one alert, or to all of them, newest first."""
        return kept.events_of(self.store, alert_id)

    def incident(self, alert_id: int) -> "IncidentReport":
        """Return an alert with everything around it; see `incident.records`. Raises NotFound."""
        from lemnis.engine.monitor.incident.gathering import gather

        return gather(self.store, alert_id)

    def acknowledge(self, alert_id: int, who: str, why: str = "", until: int | None = None) -> Alert:
        """Take a firing alert, for good or until a time (epoch ms); see `hand.acknowledge`."""
        return hand.acknowledge(self.store, alert_id, who=who, why=why, until=until)

    def resolve(self, alert_id: int, who: str, why: str) -> Alert:
        """End an alert by hand; see `hand.resolve`."""
        return hand.resolve(self.store, alert_id, who=who, why=why)

    def status(self) -> Status:
        """Say whether the watch is at work, how far it is, and what is being replayed."""
        beat = self._heartbeat() if self.store.at is None else self._minute_then(self.store.at)
        fresh = beat is not None and self.store.now_ms() - beat.at < STALE_MS
        open_alerts = self.store.rows(
            "select state, count(*) as n from alerts where state != 'resolved' group by state"
        )
        counts = {str(row["state"]): int(row["n"]) for row in open_alerts}
        return Status(
            watching=fresh and not (beat and beat.problem),
            why=self._why(beat, fresh),
            at=beat.at if beat else None,
            watched=self._watched(),
            replays=self.replays(),
            paused=replays.paused(self.store, now=self.store.now_ms()),
            firing=counts.get("firing", 0) + counts.get("flapping", 0),
            pending=counts.get("pending", 0),
        )

    def duty(self) -> "Duty":
        """Return what a person on call must know; see `duty.Duty`."""
        from lemnis.engine.monitor.duty import duty_of

        status = self.status()
        return duty_of(self.store, watching=status.watching, why=status.why, looked_at=status.at)

    def ensure_watch(self) -> None:
        """Keep the watch and the notifier up from now on."""
        jobs = self._jobs()
        for name, module in SERVICES.items():
            jobs.declare_service(name, module, ["--workspace", str(self.store.workspace.root)])
        jobs.ensure_supervisor()

    def caught_up(self, endpoint: str) -> bool:
        """Say whether the watch has counted every row and label of an endpoint and let the alert rules speak."""
        cursors = self.store.rows("select * from monitor_cursors where endpoint = ?", [endpoint])
        seen = max((row["prediction_id"] for row in cursors), default=0)
        newest = self.store.value("select max(id) from predictions where endpoint = ?", [endpoint], name="predictions")
        label = self.store.value("select max(at) from actuals where endpoint = ?", [endpoint], name="predictions")
        beat = self._heartbeat()
        return (
            (newest or 0) <= seen
            and (label or 0) <= min((row["labels_at"] for row in cursors), default=0)
            and beat is not None
            and all(row["arrived_at"] < beat.at for row in cursors)
        )

    def refresh(self) -> list[str]:
        """Count new rows and labels now, in this process, and advance the alerts; return the endpoints that changed.

        Needs the model libraries when a new model version has answered: for workers and commands, not for the console.
        """
        from lemnis.engine.monitor.alerting.advance import advance
        from lemnis.engine.monitor.windows import refresh

        config = load_config(self.store.workspace.config)
        changed = sorted(refresh(self.store, config))
        for endpoint in changed:
            advance(self.store, config, endpoint, list_windows(self.store, endpoint))
        return changed

    def feedback(self, endpoint: str, actuals: list[tuple[str, Any]]) -> int:
        """Record what turned out to be true, by row key; return how many. Any: the label as the target has it.

        Raises:
            NotFound: No such endpoint has answered.
            BadInput: A value is no value of the target.
        """
        from lemnis.engine.deploy.predictions import record_actuals
        from lemnis.engine.features.signature import Signature, target_value

        sql = """select signature from endpoints e join model_versions v
                   on v.model = e.model and v.version = e.serving_version where e.name = ?"""
        found = self.store.value(sql, [endpoint])
        if found is None:
            raise NotFound(f"No endpoint {endpoint!r} serves a model.", "See `lemnis endpoints list`.")
        signature = msgspec.json.decode(found, type=Signature)
        judged = [(key, target_value(actual, signature)) for key, actual in actuals]
        record_actuals(self.store, endpoint, judged, now=clock.now_ms())
        return len(judged)

    def start_replay(
        self,
        endpoint: str,
        *,
        start: str = "",
        end: str = "",
        source: str | replays.File | None = None,
        batch: int = 250,
        sample: float = 1.0,
        delay_days: float = 30.0,
        speed: float = 0.0,
    ) -> int:
        """Queue a replay of rows to an endpoint and return the job.

        `source` is a dataset version or a file, None for the version the served model was trained on. `replay.Plan`
        says what the numbers mean, `replays.order_of` what is refused.
        """
        plan = {"start": start, "end": end, "batch": batch, "sample": sample, "delay_days": delay_days, "speed": speed}
        title, arguments = replays.order_of(self.store, endpoint, source, plan)
        self.ensure_watch()
        return self._jobs().submit(replays.KIND, title, arguments, cores=0.5, priority=80)

    def plan_replay(self, endpoint: str, *, source: str | replays.File | None = None, **plan: Any) -> replays.Planned:
        """Return what `start_replay` would send, without sending it. Any: its numbers and dates.

        Raises what `start_replay` raises.
        """
        usual = {"start": "", "end": "", "batch": 250, "sample": 1.0, "delay_days": 30.0, "speed": 0.0}
        return replays.planned(self.store, endpoint, source, usual | plan)

    def proposed_replay(self, endpoint: str) -> tuple[str, str, str]:
        """Return a version, first day and day after the last of a span worth replaying; see `replays.proposed`."""
        return replays.proposed(self.store, endpoint)

    def columns_of(self, file: replays.File) -> tuple[list[str], list[str]]:
        """Return the columns of a file that could be replayed, and those of times; raises NotFound or BadInput."""
        from lemnis.engine.monitor.traffic import Rows, columns_of

        return columns_of(Rows(path=str(file.path), title=file.path.name, time=""))

    def replays(self) -> list[Replay]:
        """Return the replays that wait or run."""
        return replays.under_way(self.store)

    @cached_property
    def retraining(self) -> "RetrainingRoom":
        """What is trained again, by whose decision, and how the challengers did."""
        from lemnis.engine.monitor.retraining import RetrainingRoom  # it reads Experiments: not at the console's start

        return RetrainingRoom(self.store)

    def stop_replay(self, job_id: int) -> None:
        """Ask a replay to stop; resumed, or started again, it goes on where it was."""
        self._jobs().cancel(job_id)

    def resume_replay(self, job_id: int) -> None:
        """Let a stopped replay go on where it was; raises BadInput when it has not ended."""
        self.ensure_watch()
        self._jobs().retry(job_id)

    def _heartbeat(self) -> Heartbeat | None:
        sample = self.store.value("select sample from latest where name = ?", [HEARTBEAT], name="metrics")
        return None if sample is None else msgspec.json.decode(sample, type=Heartbeat)

    def _minute_then(self, at: int) -> Heartbeat | None:
        """Return a look of the watch at the end of the last minute that it counted before a past moment."""
        minute = self.store.value("select max(at) from endpoint_minutes where at > ?", [at - 180_000], name="metrics")
        return None if minute is None else Heartbeat(at=at)

    def _why(self, beat: Heartbeat | None, fresh: bool) -> str:
        if beat is not None and beat.problem:
            return beat.problem
        if fresh:
            return ""
        if self.store.at is not None:
            return "nothing tells that it watched then"
        row = self.store.row("select state, why from services where name = ?", [SERVICE])
        if row is None:
            return "the watch was never started"
        if row["state"] == "up" and beat is not None:
            return f"the watch is up but has not looked for {max(1, (clock.now_ms() - beat.at) // 60_000):,} min"
        return f"the watch is {row['state']}" + (f": {row['why']}" if row["why"] else "")

    def _watched(self) -> list[Watched]:
        rows = self.store.rows(
            """select c.endpoint, c.model, c.version, c.newest_event, c.newest_label_event, c.arrived_at, c.problem,
                 c.misdated,
                 coalesce(sum(w.rows), 0) as rows, coalesce(sum(w.labelled), 0) as labelled
               from monitor_cursors c left join monitor_windows w using (endpoint, model, version)
               group by c.endpoint, c.model, c.version order by c.arrived_at desc"""
        )
        return [msgspec.convert(dict(row), Watched) for row in rows]

    def _jobs(self) -> "JobsRoom":
        from lemnis.engine.jobs import JobsRoom

        return JobsRoom(self.store)
