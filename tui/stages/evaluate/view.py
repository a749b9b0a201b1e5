"""What Evaluate shows of one run, read in one go, and which views there are of it."""

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content

from lemnis.engine import Engine
from lemnis.engine.deploy import LoadTest
from lemnis.engine.errors import NotFound
from lemnis.engine.evaluate import Evaluation, Explanation, Failures, Folds, Gate, Importance, Perturbations, Slices
from lemnis.engine.experiments import Run
from lemnis.engine.text import safe
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.evaluate.features import NOTHING, Interpreted, interpreted

BASELINES, CALIBRATION, FOLDS = N_("baselines"), N_("calibration"), N_("folds")
SLICES, STRESS, LOAD = N_("slices"), N_("stress"), N_("load")
FEATURES, FAILURES, ROWS = N_("features"), N_("failures"), N_("rows")
CHARTS = (N_("quality"), N_("curves"), N_("months"))  # a large screen shows them together
LISTED = (BASELINES, CALIBRATION, FOLDS, SLICES, STRESS, LOAD)  # a list with a detail of the line under the cursor
VIEWS = (*CHARTS, *LISTED, FEATURES, FAILURES, ROWS)
MOST_RUNS = 200


class EvaluateView(Struct, frozen=True):
    """One run, all that was measured of it, and what it serves as."""

    runs: list[Run]
    run: Run | None
    evaluations: list[Evaluation]
    gates: list[Gate]
    importances: list[Importance]
    explanations: list[Explanation]
    aliases: list[str]
    working: str
    interpreted: Interpreted = NOTHING
    folds: Sequence[Folds] = ()
    slices: Slices | None = None
    perturbations: Perturbations | None = None
    failures: Failures | None = None
    load_tests: Sequence[LoadTest] = ()

    @property
    def last(self) -> Evaluation | None:
        """The evaluation on the rows that judge: test, where there are some."""
        return self.evaluations[-1] if self.evaluations else None


def read_view(engine: Engine, thing: str) -> EvaluateView:
    """Return what is known of the run that `thing` names, else of the one that matters most."""
    runs = engine.experiments.search("state = finished", limit=MOST_RUNS).runs
    aliases = aliases_of(engine)
    run = chosen_run(runs, engine.evaluate.evaluated(), aliases, thing)
    if run is None:
        return EvaluateView(runs, None, [], [], [], [], [], "")
    room, importances = engine.evaluate, engine.evaluate.importances(run.id)
    return EvaluateView(
        runs=runs,
        run=run,
        evaluations=room.evaluations(run.id),
        gates=room.gates(run.id),
        importances=importances,
        explanations=room.explanations(run.id),
        aliases=aliases.get(run.id, []),
        working=working_on(engine, run.id),
        interpreted=interpreted(room, run.id, importances),
        folds=room.folds(run.id),
        slices=room.slices(run.id),
        perturbations=room.perturbations(run.id),
        failures=room.failures(run.id),
        load_tests=engine.deploy.load_tests(run_id=run.id),
    )


def found_run(engine: Engine, number: str) -> Run:
    """Return the finished run with a number.

    Raises:
        NotFound: There is none, or it has not finished.
    """
    run = engine.experiments.run(int(number)) if number.isdecimal() else None
    if run is None or run.state != "finished":
        why = f"Run {run.id} is {run.state}." if run is not None else f"“{safe(number, limit=40)}” is no run's number."
        raise NotFound(why, "Finished runs are judged: see Experiments ({app.go_experiments}).")
    return run


def aliases_of(engine: Engine) -> dict[int, list[str]]:
    """Return the aliases that name a version of each run."""
    found: dict[int, list[str]] = {}
    for model in engine.deploy.models():
        for version in engine.deploy.versions(model.name):
            if version.aliases:
                found.setdefault(version.run_id, []).extend(version.aliases)
    return found


def chosen_run(runs: Sequence[Run], evaluated: Sequence[int], aliases: dict[int, list[str]], thing: str) -> Run | None:
    """Return the run asked for, else the champion, else the latest evaluated, else the newest."""
    known = {run.id: run for run in runs}
    wanted = int(thing) if thing.isdecimal() else None
    champions = [run_id for run_id, names in aliases.items() if "champion" in names]
    for run_id in (wanted, *champions, *evaluated):
        if run_id in known:
            return known[run_id]
    return runs[0] if runs else None


def working_on(engine: Engine, run_id: int) -> str:
    """Return what is under way for a run, or why the last of it failed."""
    for job in engine.jobs.jobs(limit=50):
        if job.kind.startswith("evaluate.") and job.arguments.get("run") == run_id:
            if job.state in ("running", "queued", "preparing"):
                done = f"{job.progress:.0%} " if job.progress is not None else ""
                running = job.state == "running"
                return f"{done}{told(job.progress_text)}" if running else f"{_(job.state)}: {told(job.why)}"
            return f"{told(job.title)}: {_(job.state)}, {told(job.why)}" if job.state in ("failed", "lost") else ""
    return ""


def views_line(views: Sequence[str], current: str, width: int) -> Content:
    """Return the names of the views, the open one bold in brackets; where they do not fit, those around it."""
    texts = [f"[{_(name)}]" if name == current else _(name) for name in views]
    place = views.index(current) if current in views else 0
    first, last = place, place + 1
    while True:
        wider = [(first, last + 1), (first - 1, last)]
        fits = [
            (low, high)
            for low, high in wider
            if low >= 0 and high <= len(views) and len("  ".join(texts[low:high])) + 8 <= width
        ]
        if not fits:
            break
        first, last = fits[0]
    parts: list[str | tuple[str, str]] = [("v ", "$key"), ("‹ " if first else "", "$muted")]
    for at in range(first, last):
        parts += [(texts[at], "bold" if at == place else "$muted"), "  " if at < last - 1 else ""]
    return Content.assemble(*parts, (" ›" if last < len(views) else "", "$muted"))
