"""The Experiments room's pictures: the curve of a run, and a run in full."""

from msgspec import Struct, field
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from lemnis.engine.experiments import Curve, Run
from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.stages.experiments import facts
from lemnis.tui.widgets import Chart, Facts, LogView, Panel, Spark, Words

STALE_SECONDS = 10.0


class Look(Struct, frozen=True):
    """One run and what is drawn of it."""

    run: Run
    curves: dict[str, Curve]
    at: int | None  # when its newest point was taken
    now_ms: int
    baseline: Run | None = None
    base_curves: dict[str, Curve] = field(default_factory=dict[str, Curve])
    log: str = ""
    origin: str = ""  # where it was made, if not here


class CurvePanel(Panel):
    """The curve of the run under the cursor, the baseline's over it, the best round marked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(_("Curve"), id=id)
        self.look: Look | None = None
        self.metric = ""

    def compose(self) -> ComposeResult:
        yield Chart(x=_("round"), empty=_("No round yet."))

    def show(self, look: Look | None) -> None:
        """Draw a run."""
        self.look = look
        names = facts.metrics_drawn(look.curves) if look else []
        if self.metric not in names:
            self.metric = names[0] if names else self.metric
        chart = self.query_one(Chart)
        if look is None:
            self.retitle(_("Curve"))
            chart.show([])
            return
        self.retitle(*facts.curve_title(look.run, self.metric))
        chart.show(facts.curve_lines(self.metric, look.run, look.curves, look.baseline, look.base_curves))
        if look.run.state == "running":
            self.dated(look.at, look.now_ms, STALE_SECONDS)
        else:
            self.footnote(_("v next metric") if len(names) > 1 else "")

    def next_metric(self) -> None:
        """Draw the metric after this one."""
        names = facts.metrics_drawn(self.look.curves) if self.look else []
        if names:
            self.metric = names[(names.index(self.metric) + 1) % len(names)] if self.metric in names else names[0]
            self.show(self.look)


class CurveLine(Vertical):
    """Two lines for small screens: how the run stands, and its curve as a sparkline."""

    def compose(self) -> ComposeResult:
        yield Words(classes="stands")
        yield Spark()

    _shown: tuple[Look | None, str] | None = None

    def show(self, look: Look | None, metric: str) -> None:
        """Draw a run, where the screen is so small that these lines are seen."""
        self._shown = (look, metric)
        if self.display:
            self._draw(look, metric)

    def on_show(self) -> None:
        if self._shown is not None:
            self._draw(*self._shown)

    def _draw(self, look: Look | None, metric: str) -> None:
        spark = self.query_one(Spark)
        spark.display = look is not None and bool(look.curves.get(metric))
        if look is None:
            self.query_one(".stands", Words).say("")
            return
        run, curve = look.run, look.curves.get(metric, [])
        head = Content.assemble((f" #{run.id} {safe(run.name, limit=30)}  ", "bold"), facts.headline(run))
        self.query_one(".stands", Words).say(head)
        best = (
            "  "
            + _("best {dict} at {best_round}").format(
                dict=number(dict(curve).get(run.best_round or 0), 4), best_round=run.best_round
            )
            if run.best_round
            else ""
        )
        last = number(curve[-1][1], 4) if curve else ""
        spark.show([value for _, value in curve], label=metric, last=f"{last}{best}")


class RunDetail(Horizontal):
    """Everything on record of one run: its facts on the left, its curve and its log on the right."""

    def compose(self) -> ComposeResult:
        with Panel(_("Run"), id="record"), VerticalScroll(can_focus=True):
            for place in range(5):
                yield Words(classes="group", id=f"group-{place}")
                yield Facts(id=f"facts-{place}")
        with Vertical(id="detail-side"):
            yield CurvePanel(id="detail-curve")
            with Panel(_("Log"), id="detail-log"):
                yield LogView()

    def show(self, look: Look) -> None:
        """Draw a run."""
        self.query_one("#record", Panel).retitle(f"#{look.run.id} {look.run.name}")
        for place, (title, known) in enumerate(facts.groups(look.run, look.baseline, look.now_ms, look.origin)):
            self.query_one(f"#group-{place}", Words).say(Content.styled(title, "bold $stage-accent"))
            self.query_one(f"#facts-{place}", Facts).show(known)
        self.query_one("#detail-curve", CurvePanel).show(look)
        self.query_one(LogView).show(look.log)
