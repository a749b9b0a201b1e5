"""The Deploy room: what is served and how it answers, the versions that could be, and every move of an alias."""

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus

from lemnis.engine import Engine
from lemnis.engine.deploy import AliasEvent, Candidate, Endpoint, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.tracking.clients import ClientVersion
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import _
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.deploy import acts, clients, rows
from lemnis.tui.stages.deploy.explained import CELLS, DEPLOYMENT_TEXT
from lemnis.tui.stages.deploy.exported import export_lines
from lemnis.tui.stages.deploy.loads import load_lines
from lemnis.tui.stages.deploy.logged import log_note
from lemnis.tui.stages.deploy.rollout import next_share
from lemnis.tui.stages.deploy.view import DeployView, read_view
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Chart, LogView, Panel, Table, Words

if TYPE_CHECKING:
    from lemnis.tui.app import Console

TABLES = ("endpoints", "versions", "events")


class DeployStage(Stage[DeployView]):
    """Endpoints, model versions, and the log of aliases."""

    BINDINGS = bindings("deploy")
    cells = CELLS
    topics = frozenset({"deploy", "jobs", "evaluate", "experiments"})
    live_seconds = 2.0

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.log_of = ""  # the endpoint whose log is open
        self.detail_open = False  # only a narrow screen hides the detail
        self._view: DeployView | None = None
        self._about = "endpoints"

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="lists"):
                with Panel(_("Endpoints"), id="endpoints-panel"):
                    yield Table(
                        *rows.ENDPOINTS,
                        id="endpoints",
                        empty=_("Nothing is served yet. Press {deploy.start} to serve."),
                    )
                with Panel(_("Versions"), id="versions-panel"):
                    empty = _("No model yet. Press {deploy.register} to register the latest finished run.")
                    yield Table(*rows.VERSIONS, id="versions", empty=empty)
                with Panel(_("Aliases"), id="events-panel"):
                    yield Table(
                        *rows.EVENTS,
                        id="events",
                        empty=_("No alias was moved yet. Press {deploy.promote} on a version."),
                    )
            with Vertical(id="aside"):
                with Panel(_("Detail"), id="detail-panel"):
                    with VerticalScroll(id="detail-scroll", can_focus=True):
                        yield Words(id="detail")
                    yield LogView(id="log")
                with Panel(_("Traffic"), id="traffic"):
                    yield Chart(id="rate", y=_("per second"), empty=_("No request in the last 5 minutes."))
                    yield Chart(id="latency", x=_("minutes"), y="ms", empty="")

    def load(self) -> DeployView:
        return read_view(self.engine, self.log_of)

    def show(self, view: DeployView) -> None:
        self._view = view
        narrow = self.app.screen.has_class("-narrow")
        self._show_endpoints(view)
        versions = rows.NARROW_VERSIONS if narrow else rows.VERSIONS
        table = self.query_one("#versions", Table)
        table.set_columns(versions)
        stale = view.stale
        own = [
            rows.version_row(version, versions, now=view.at, stale=stale.get(f"{version.model}@{version.version}"))
            for version in view.versions
        ]
        table.show([*own, *(clients.client_row(version, versions, now=view.at) for version in view.clients)])
        candidate = view.candidate
        ready = ""
        if candidate:
            key = key_of("deploy.register")
            ready = _("{key} registers run {run_id} {run_name} as {model}").format(
                key=key, run_id=candidate.run_id, run_name=candidate.run_name, model=candidate.model
            )
        self.query_one("#versions-panel", Panel).retitle(
            _("Versions"), rows.versions_counted(view.versions, view.clients)
        )
        self.query_one("#versions-panel", Panel).footnote(ready)
        events = rows.NARROW_EVENTS if narrow else rows.EVENTS
        table = self.query_one("#events", Table)
        table.set_columns(events)
        table.show([rows.event_row(event, events) for event in view.events])
        self.query_one("#lists").display = not (narrow and self.detail_open)
        self.query_one("#aside").display = not narrow or self.detail_open
        self._show_detail()

    def _show_endpoints(self, view: DeployView) -> None:
        table = self.query_one("#endpoints", Table)
        columns = rows.endpoint_columns(table.size.width)
        table.set_columns(columns)
        table.show([rows.endpoint_row(endpoint, columns) for endpoint in view.endpoints])
        panel = self.query_one("#endpoints-panel", Panel)
        panel.styles.height = min(len(view.endpoints) or 2, 8) + 3
        rate = sum(map(rows.now_per_second, view.endpoints))
        panel.retitle(
            _("Endpoints"),
            _("{endpoints} · {rate} requests/s").format(endpoints=len(view.endpoints), rate=rows.number(rate, 1))
            if rate
            else "",
        )
        panel.footnote(" · ".join(filter(None, [_("live") if view.endpoints else "", log_note(view.endpoints)])))

    def _show_traffic(self) -> None:
        endpoint = self.endpoint
        panel = self.query_one("#traffic", Panel)
        panel.display = endpoint is not None and not self.detail_open
        if endpoint is not None and panel.display:
            panel.retitle(_("Traffic"), _("{name}, last 5 min").format(name=endpoint.name))
            panel.footnote(log_note([endpoint]))
            self.query_one("#rate", Chart).show(rows.rate_series(endpoint))
            self.query_one("#latency", Chart).show(rows.latency_series(endpoint))

    def _show_detail(self) -> None:
        view, panel = self._view, self.query_one("#detail-panel", Panel)
        if view is None:
            return
        self._show_traffic()
        log, detail = self.query_one("#log", LogView), self.query_one("#detail", Words)
        log.display, self.query_one("#detail-scroll").display = bool(self.log_of), not self.log_of
        if self.log_of:
            panel.retitle(self.log_of, _("server's log"))
            log.show(view.log or _("The server has said nothing."))
            return
        endpoint, version, event = self.endpoint, self.version, self.event
        if self._about == "events" and event is not None:
            panel.retitle(f"{event.model}@{event.alias}", _("and its evidence"))
            detail.say(rows.event_detail(event))
        elif (self._about == "versions" or endpoint is None) and version is not None:
            panel.retitle(f"{version.model} {version.version}", _("version"))
            gates, metrics = view.gates.get(version.run_id, []), view.metrics.get(version.run_id, {})
            named = f"{version.model}@{version.version}"
            origin, stale = view.origins.get(named, ""), view.stale.get(named)
            words = rows.version_detail(version, gates, metrics, now=view.at, origin=origin, stale=stale)
            detail.say(rows.Content("\n").join([words, *export_lines(view.exports, version, now=view.at)]))
        elif self._about == "versions" and (client := self.client_version) is not None:
            panel.retitle(client.title, _("of MLflow"))
            detail.say(clients.client_detail(client, now=view.at))
        elif endpoint is not None:
            panel.retitle(endpoint.name, _("endpoint"))
            words = [rows.endpoint_detail(endpoint, view.steps, now=view.at)]
            detail.say(rows.Content("\n").join([*words, *load_lines(endpoint, view.loads, now=view.at)]))
        else:
            panel.retitle(_("Detail"))
            detail.say(_("A finished run becomes a version, a version is promoted to champion, an endpoint serves it."))

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint under the cursor."""
        key = self.query_one("#endpoints", Table).key
        return next((e for e in self._view.endpoints if e.name == key), None) if self._view else None

    @property
    def version(self) -> ModelVersion | None:
        """The version under the cursor."""
        key = self.query_one("#versions", Table).key
        return next((v for v in self._view.versions if rows.version_key(v) == key), None) if self._view else None

    @property
    def client_version(self) -> ClientVersion | None:
        """The version under the cursor, if an MLflow client registered it."""
        key = self.query_one("#versions", Table).key
        return next((v for v in self._view.clients if clients.client_key(v) == key), None) if self._view else None

    @property
    def event(self) -> AliasEvent | None:
        """The alias event under the cursor."""
        key = self.query_one("#events", Table).key
        return next((e for e in self._view.events if str(e.id) == key), None) if self._view else None

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    @on(Table.Moved)
    def row_changed(self) -> None:
        self._show_detail()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if event.widget.id in TABLES:
            self._about = event.widget.id
            self._show_detail()

    @on(Table.Opened)
    def open_detail(self, message: Table.Opened) -> None:
        """Enter: an endpoint's log; of anything else the whole detail."""
        self.detail_open = True
        self.log_of = message.key if message.table.id == "endpoints" else ""
        self.query_one("#log" if self.log_of else "#detail-scroll").focus()
        if self._view is not None:
            self.show(self._view)
        self.reload()

    def back(self) -> bool:
        if not (self.detail_open or self.log_of):
            return False
        self.detail_open, self.log_of = False, ""
        if self._view is not None:
            self.show(self._view)
        self.query_one(f"#{self._about}", Table).focus()
        return True

    def address(self) -> Address:
        endpoint, event = self.endpoint, self.event
        if self._about == "events" and event is not None:
            return address("deploy", "event", event.id)
        if (self._about == "versions" or endpoint is None) and self.version is not None:
            return address("model", rows.version_key(self.version))
        if endpoint is None:
            return Address("deploy")
        return address("endpoint", endpoint.name, *(("log",) if self.log_of else ()))

    def visit(self, place: Address) -> None:
        event = place.named("event")
        self.detail_open, self.log_of = False, place.thing if "log" in place.parts[1:] else ""
        if place.kind == "model":
            self._about = "versions"
            self.seek(
                place,
                self.engine.deploy.resolve,
                place.thing,
                then=lambda version: self.point("versions", rows.version_key(version)),
            )
            return
        self._about = "events" if event else "endpoints"
        if self.log_of:
            self.detail_open = True
            self.query_one("#endpoints", Table).select(place.thing)
        known = (
            _("There is no endpoint {thing}.").format(thing=place.thing)
            if not event
            else _("There is no event {event}.").format(event=event)
        )
        self.point(self._about, event or (place.thing if place.kind == "endpoint" else ""), known)

    def goto(self, thing: str) -> None:
        """Show an endpoint, or a version as MODEL@NUMBER."""
        for name in TABLES[:2]:
            if self.query_one(f"#{name}", Table).select(thing):
                self.query_one(f"#{name}", Table).focus()
        super().goto(thing)

    # Keys.

    def action_register(self) -> None:
        candidate, version = self._view.candidate if self._view else None, self.version
        if candidate is not None:
            acts.register(self, candidate, new=True)
        elif version is not None:
            run = Candidate(run_id=version.run_id, run_name=version.run_name, model=version.model)
            acts.register(self, run, new=False)
        else:
            self.refuse(
                BadInput(
                    "There is no finished run that is not registered.",
                    "Train one in Experiments ({app.go_experiments}).",
                )
            )

    def _refuse_version(self, verb: str) -> None:
        client = self.client_version
        if client is None:
            self.refuse(BadInput(f"There is no version to {verb}.", "Register a run first: n."))
        else:
            self.refuse(BadInput(f"An MLflow client registered {client.title}.", f"It is {client.why}."))

    def action_promote(self) -> None:
        self._promote("champion")

    def action_challenge(self) -> None:
        self._promote("challenger")

    def _promote(self, alias: str) -> None:
        version = self.version
        if version is None:
            self._refuse_version("promote")
        else:
            acts.promote(self, version, alias)

    def action_rollback(self) -> None:
        about = {"endpoints": self.endpoint, "events": self.event}.get(self._about)
        if about is not None:
            acts.roll_back(self, about.model, about.alias)
        elif self.version is not None:
            acts.roll_back(self, self.version.model, "champion")
        else:
            self.refuse(BadInput("There is no alias to roll back.", "Promote a version first: P."))

    def action_export(self) -> None:
        from lemnis.tui.stages.deploy.exporting import ExportScreen

        def closed(_done: None) -> None:
            self.reload()

        if self.version is None:
            self._refuse_version("export")
        else:
            self.app.push_screen(ExportScreen(self.engine, self.version), closed)

    def action_card(self) -> None:
        """Show the model card of the version under the cursor, or that an endpoint or an alias event names."""
        view, endpoint, version, event = self._view, self.endpoint, self.version, self.event
        if view is None:
            return
        about = {
            "endpoints": (endpoint.model, endpoint.version or endpoint.wanted_version) if endpoint else None,
            "versions": (version.model, version.version) if version else None,
            "events": (event.model, event.version or event.previous) if event else None,
        }
        model, number = about[self._about] or about["versions"] or ("", None)
        if number is None:
            self._refuse_version("describe")
        else:
            acts.show_card(self, view, model, number)

    def action_start(self) -> None:
        acts.start(self, self._view, self.endpoint, self.version)

    def action_stop(self) -> None:
        endpoint = self.endpoint
        if endpoint is None:
            self.refuse(BadInput("There is no endpoint to stop.", "Start one: r."))
            return
        acts.stop(self, endpoint)

    def action_split(self) -> None:
        """Begin a split, or end the one that runs."""
        endpoint = self.endpoint
        if endpoint is None:
            self.refuse(BadInput("There is no endpoint to split.", "Start one: r."))
            return
        acts.split(self, endpoint)

    def action_less(self) -> None:
        self._move_share(-1)

    def action_more(self) -> None:
        self._move_share(1)

    def _move_share(self, by: int) -> None:
        split = self.endpoint.split if self.endpoint is not None else None
        if split is None or split.state != "running":
            self.refuse(BadInput("No split runs at this endpoint.", "Begin one: t."))
            return
        percent = next_share(split.percent, by)
        if percent != split.percent:
            self.perform(self.engine.deploy.move_split, split.endpoint, percent, user_name())

    def action_whole(self) -> None:
        """Show the whole detail of what is under the cursor, of an endpoint its workers, split and steps."""
        self.detail_open, self.log_of = True, ""
        self.query_one("#detail-scroll").focus()
        if self._view is not None:
            self.show(self._view)

    def action_curl(self) -> None:
        endpoint = self.endpoint
        if endpoint is None:
            self.refuse(BadInput("There is no endpoint to ask.", "Start one: r."))
            return
        self.perform(self.engine.deploy.curl, endpoint.name, then=self._copy)

    def _copy(self, text: str) -> None:
        cast("Console", self.app).copy(text, "command")

    def explain(self) -> tuple[str, str] | None:
        return _("Deployment"), DEPLOYMENT_TEXT
