"""MonitorRoom: what the other rooms and the console may ask of the monitor; reads are SQLite alone."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.monitor import alerts as alerting
from lemnis.engine.monitor.records import Alert, AlertEvent, Bins, FeatureDrift, Replay, Verdict, Watched, Window
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version
    from lemnis.engine.jobs import JobsRoom

SERVICE = "monitor"
MODULE = "lemnis.engine.monitor.watch"
HEARTBEAT = "monitor"  # its row in metrics.db's `latest`
STALE_MS = 10_000  # a watch that was not heard of for so long is not watching
REPLAY = "monitor.replay"
DAY_MS = 86_400_000
COLUMNS = ", ".join(Window.__struct_fields__)


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
    firing: int
    pending: int


class Cell(msgspec.Struct, frozen=True):
    """One feature in one window."""

    psi: float
    verdict: Verdict


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Drift of every feature over the windows: the features by importance, the prediction first.

    Attributes:
        windows: Ids, in order of time.
        cells: By feature, one per window; None where the window has no such feature.
    """

    windows: list[int]
    features: list[str]
    importance: dict[str, float | None]
    cells: dict[str, list[Cell | None]]


class MonitorRoom:
    """Windows, drift, performance, alerts, the watch and replays of one workspace."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def windows(self, endpoint: str | None = None, *, limit: int = 500) -> list[Window]:
        """Return the latest windows of one endpoint or of all, in order of event time."""
        return list_windows(self.store, endpoint or "", limit)

    def window(self, window_id: int) -> Window:
        """Return one window, or raise NotFound."""
        row = self.store.row(f"select {COLUMNS} from monitor_windows where id = ?", [window_id])
        if row is None:
            raise NotFound(f"There is no window {window_id}.", "List them with `lemnis monitor drift`.")
        return window_in(row)

    def features(self, window_id: int) -> list[FeatureDrift]:
        """Return the features of a window, those that matter most (PSI times importance) first, the prediction last."""
        rows = self.store.rows("select * from monitor_features where window_id = ? order by position", [window_id])
        found = [feature_in(row) for row in rows]
        return sorted(found, key=lambda feature: (feature.kind == "prediction", -feature.weight, -feature.psi))

    def grid(self, endpoint: str | None = None, *, limit: int = 60) -> Grid:
        """Return the drift of every feature over the latest windows."""
        windows = [window.id for window in self.windows(endpoint, limit=limit)]
        rows = self.store.rows(
            f"""select window_id, feature, psi, verdict, importance from monitor_features
                where window_id in ({", ".join("?" * len(windows))})""",
            windows,
        )
        importance: dict[str, float | None] = {row["feature"]: row["importance"] for row in rows}
        found = {(row["feature"], row["window_id"]): Cell(row["psi"], row["verdict"]) for row in rows}
        order = sorted(importance, key=lambda name: -(2.0 if importance[name] is None else importance[name] or 0.0))
        return Grid(
            windows=windows,
            features=order,
            importance=importance,
            cells={name: [found.get((name, window)) for window in windows] for name in order},
        )

    def endpoints(self) -> list[str]:
        """Return the endpoints that have windows."""
        return [row[0] for row in self.store.rows("select distinct endpoint from monitor_windows order by 1")]

    def alerts(self, open_only: bool = True, *, endpoint: str | None = None) -> list[Alert]:
        """Return alerts: firing, acknowledged, pending, then (if wanted) resolved ones."""
        return alerting.list_alerts(self.store, open_only=open_only, endpoint=endpoint or "")

    def alert(self, alert_id: int) -> Alert:
        """Return one alert, or raise NotFound."""
        return alerting.find_alert(self.store, alert_id)

    def events(self, alert_id: int | None = None) -> list[AlertEvent]:
        """Return what happened to one alert, or to all of them, newest first."""
        return alerting.events_of(self.store, alert_id)

    def acknowledge(self, alert_id: int, who: str, why: str = "") -> Alert:
        """Take a firing alert; see `alerts.acknowledge`."""
        return alerting.acknowledge(self.store, alert_id, who=who, why=why)

    def resolve(self, alert_id: int, who: str, why: str) -> Alert:
        """End an alert by hand; see `alerts.resolve`."""
        return alerting.resolve(self.store, alert_id, who=who, why=why)

    def status(self) -> Status:
        """Say whether the watch is at work, how far it is, and what is being replayed."""
        row = self.store.row("select sample from latest where name = ?", [HEARTBEAT], name="metrics")
        beat = msgspec.json.decode(row["sample"], type=Heartbeat) if row else None
        fresh = beat is not None and clock.now_ms() - beat.at < STALE_MS
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
            firing=counts.get("firing", 0),
            pending=counts.get("pending", 0),
        )

    def ensure_watch(self) -> None:
        """Keep the watch up from now on."""
        jobs = self._jobs()
        jobs.declare_service(SERVICE, MODULE, ["--workspace", str(self.store.workspace.root)])
        jobs.ensure_supervisor()

    def refresh(self) -> list[str]:
        """Count new rows and labels now, in this process, and advance the alerts; return the endpoints that changed.

        Needs the model libraries when a new model version has answered: for workers and commands, not for the console.
        """
        from lemnis.engine.monitor.windows import refresh

        config = load_config(self.store.workspace.config)
        changed = sorted(refresh(self.store, config))
        for endpoint in changed:
            alerting.advance(self.store, config, endpoint, list_windows(self.store, endpoint))
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
        start: str,
        end: str,
        version: str | None = None,
        batch: int = 250,
        sample: float = 1.0,
        delay_days: float = 30.0,
        speed: float = 0.0,
    ) -> int:
        """Queue a replay of a dataset version's rows to an endpoint and return the job; see `replay.Plan`.

        Raises:
            NotFound: There is no such endpoint or version.
            Unavailable: The endpoint serves no model now.
            BadInput: The span or a number can't be used, or a replay to this endpoint is under way.
        """
        from lemnis.engine.data.versions import find_version
        from lemnis.engine.features.signature import Signature

        check_plan(start, end, batch, sample, delay_days, speed)
        running = next((replay for replay in self.replays() if replay.endpoint == endpoint), None)
        if running is not None:
            raise BadInput(
                f"Job {running.job_id} replays to {endpoint} already.",
                f"Stop it: `lemnis jobs cancel {running.job_id}`.",
            )
        row = self.store.row(
            """select e.host, e.port, e.serving_version, v.signature, s.url, r.version_id
               from endpoints e left join model_versions v on v.model = e.model and v.version = e.serving_version
                 left join runs r on r.id = v.run_id left join services s on s.name = 'endpoint:' || e.name
               where e.name = ?""",
            [endpoint],
        )
        if row is None:
            raise NotFound(f"There is no endpoint {endpoint!r}.", "See `lemnis endpoints list`.")
        if row["signature"] is None:
            raise Unavailable(f"{endpoint} serves no model yet.", "Wait until it is ready: `lemnis endpoints list`.")
        signature = msgspec.json.decode(row["signature"], type=Signature)
        dataset = find_version(self.store, version or row["version_id"])
        self.ensure_watch()
        return self._jobs().submit(
            REPLAY,
            f"replay {dataset.title} from {start} to {endpoint}",
            {
                "endpoint": endpoint,
                "url": row["url"] or f"http://{row['host']}:{row['port']}",
                "version": dataset.id,
                "features": signature.names,
                "target": signature.target,
                "start": start,
                "end": end,
                "batch": batch,
                "sample": sample,
                "delay_days": delay_days,
                "speed": speed,
            },
            cores=0.5,
            priority=80,
        )

    def proposed_replay(self, endpoint: str) -> tuple[str, str]:
        """Return a span worth replaying: from where the model's training and validation end to the version's last row.

        Returns:
            First day and the day after the last, ISO dates in UTC.

        Raises:
            NotFound: The endpoint serves no model of a dataset version that has a time column.
        """
        from lemnis.engine.data.versions import find_version

        sql = """select r.version_id from endpoints e join model_versions v
                   on v.model = e.model and v.version = e.serving_version join runs r on r.id = v.run_id
                 where e.name = ?"""
        dataset = find_version(self.store, self.store.value(sql, [endpoint]) or "")
        seen = [part.end for name, part in dataset.split.items() if name != "test"]
        last = newest_time(dataset)
        return clock.iso_utc(max(seen, default=0))[:10], clock.iso_utc(last + DAY_MS)[:10]

    def replays(self) -> list[Replay]:
        """Return the replays that wait or run."""
        rows = self.store.rows(
            """select id, state, progress, progress_text, why, arguments ->> 'endpoint' as endpoint from jobs
               where kind = ? and state in ('queued', 'preparing', 'running') order by id""",
            [REPLAY],
        )
        return [
            Replay(
                job_id=row["id"],
                endpoint=row["endpoint"],
                state=row["state"],
                progress=row["progress"],
                text=row["progress_text"] if row["state"] == "running" else row["why"],
            )
            for row in rows
        ]

    def stop_replay(self, job_id: int) -> None:
        """Ask a replay to stop; started again, it goes on where it was."""
        self._jobs().cancel(job_id)

    def _why(self, beat: Heartbeat | None, fresh: bool) -> str:
        if beat is not None and beat.problem:
            return beat.problem
        if fresh:
            return ""
        row = self.store.row("select state, why from services where name = ?", [SERVICE])
        if row is None:
            return "the watch was never started"
        if row["state"] == "up" and beat is not None:
            return f"the watch is up but has not looked for {(clock.now_ms() - beat.at) // 1000:,} s"
        return f"the watch is {row['state']}" + (f": {row['why']}" if row["why"] else "")

    def _watched(self) -> list[Watched]:
        rows = self.store.rows(
            """select c.endpoint, c.model, c.version, c.newest_event, c.newest_label_event, c.arrived_at, c.problem,
                 coalesce(sum(w.rows), 0) as rows, coalesce(sum(w.labelled), 0) as labelled
               from monitor_cursors c left join monitor_windows w using (endpoint, model, version)
               group by c.endpoint, c.model, c.version order by c.arrived_at desc"""
        )
        return [msgspec.convert(dict(row), Watched) for row in rows]

    def _jobs(self) -> "JobsRoom":
        from lemnis.engine.jobs import JobsRoom

        return JobsRoom(self.store)


def newest_time(dataset: "Version") -> int:
    """Return the latest time in a version's time column, epoch ms, from the file's footer alone.

    Raises:
        NotFound: There is no time column, or the footer does not say.
    """
    import pyarrow.parquet as pq

    if dataset.time:
        meta: Any = pq.read_metadata(dataset.path)  # Any: pyarrow's footers are untyped
        place = next(n for n in range(meta.num_columns) if meta.schema.column(n).name == dataset.time)
        columns = [meta.row_group(group).column(place) for group in range(meta.num_row_groups)]
        newest = [column.statistics.max for column in columns if column.statistics and column.statistics.has_min_max]
        if newest:
            return clock.parse_ms(str(max(newest)))
    raise NotFound(f"{dataset.title} does not say when its rows happened.", "Set dataset.time and link it again.")


def check_plan(start: str, end: str, batch: int, sample: float, delay_days: float, speed: float) -> None:
    """Refuse a replay that can't be."""
    try:
        first, last = clock.parse_ms(start), clock.parse_ms(end)
    except ValueError:
        raise BadInput(f"{start!r} to {end!r} is no span of dates.", "Write for example 2013-07-01.") from None
    if first >= last:
        raise BadInput(f"The span ends before it starts: {start} to {end}.", "Swap the two dates.")
    if not (1 <= batch <= 20_000 and 0 < sample <= 1 and delay_days >= 0 and speed >= 0):
        raise BadInput(
            f"Batch {batch}, sample {sample:g}, delay {delay_days:g} days and speed {speed:g} can't all be used.",
            "Batch 1 to 20,000, sample above 0 up to 1, delay and speed at least 0.",
        )


def list_windows(store: Store, endpoint: str = "", limit: int = 500) -> list[Window]:
    """Return the latest windows of one endpoint, or of all, in order of event time."""
    sql = f"""select {COLUMNS} from monitor_windows where ? in ('', endpoint)
              order by starts desc, version desc, endpoint limit ?"""
    return [window_in(row) for row in reversed(store.rows(sql, [endpoint, limit]))]


def window_in(row: Row) -> Window:
    """Return the window of one row."""
    facts: dict[str, Any] = dict(row)  # Any: what the columns hold
    facts |= {"closed": bool(row["closed"]), "labels_settled": bool(row["labels_settled"])}
    return msgspec.convert(facts | {"schema_changes": msgspec.json.decode(row["schema_changes"])}, Window)


def feature_in(row: Row) -> FeatureDrift:
    """Return the feature of one row."""
    facts: dict[str, Any] = {name: row[name] for name in row.keys() if name != "position"}  # noqa: SIM118
    return msgspec.convert(facts | {"bins": msgspec.json.decode(row["bins"], type=Bins)}, FeatureDrift)
