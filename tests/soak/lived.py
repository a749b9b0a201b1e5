"""A workspace that lives while somebody looks: the quick demo, alerts that fire, more traffic, a run that is logged."""

# pyright: basic

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support import until

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.demo import ENDPOINT, QUICK_SAMPLE, Demo, data_folder
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.tracked import Announced, Logged
from lemnis.engine.workspace import create_workspace

BEFORE, DURING = ("2013-07-01", "2013-10-01"), ("2013-10-01", "2014-01-01")
DURING_S = 92 * 86_400
POINT_S = 0.5
JUDGED_S = 120.0
ROOT = Path(__file__).parent.parent.parent


def begun(folder: Path) -> Engine:
    """Return the engine of a new workspace that declares what the demo does."""
    text = (ROOT / "engine" / "demo.toml").read_text("utf-8").replace("{data}", str(data_folder()))
    text = text.replace('policy = "suggest"', 'policy = "manual"')  # a training would take a core from what is measured
    return Engine(create_workspace(folder, text))


def make(engine: Engine) -> None:
    """Let everything happen once: data, runs, an endpoint, a quarter's traffic; takes about a minute."""
    Demo(engine, lambda step: None, quick=True).build()
    start, end = BEFORE
    engine.jobs.wait(engine.monitor.start_replay(ENDPOINT, start=start, end=end, sample=QUICK_SAMPLE, batch=500))
    until(lambda: engine.monitor.caught_up(ENDPOINT), JUDGED_S)


@contextmanager
def lived(folder: Path, seconds: float) -> Iterator[Engine]:
    """Yield the engine of a new workspace that for so long gets traffic and a run's points; stops all it began."""
    engine = begun(folder)
    stop = threading.Event()
    logging = threading.Thread(target=log, args=(engine, stop), daemon=True)
    try:
        make(engine)
        start, end = DURING
        speed = DURING_S / seconds
        engine.monitor.start_replay(ENDPOINT, start=start, end=end, sample=QUICK_SAMPLE, batch=20, speed=speed)
        logging.start()
        yield engine
    finally:
        stop.set()
        if logging.is_alive():
            logging.join()
        for job in engine.jobs.jobs(states=("queued", "preparing", "running")):
            with suppress(LemnisError):
                engine.jobs.cancel(job.id)
        for endpoint in engine.deploy.endpoints():
            with suppress(LemnisError):
                engine.deploy.stop_endpoint(endpoint.name)
        engine.jobs.stop_supervisor()
        engine.store.close()


def log(engine: Engine, stop: threading.Event) -> None:
    """Log one run after another as a client would, two points a second of two metrics."""
    store, step, run = engine.store, 0, None
    while not stop.wait(POINT_S):
        if run is None:
            announced = Announced(name=f"logged {step}", user="soak", params={"learning_rate": "0.1"})
            run = tracked.find_run(store, tracked.uid_of(engine.experiments.run(tracked.announce(store, announced))))
        at, loss = now_ms(), math.exp(-step % 600 / 200)
        tracked.log_batch(store, run, metrics=[Logged("auc", step, at, 1 - loss / 2), Logged("loss", step, at, loss)])
        step += 1
        if step % 600 == 0:
            tracked.move(store, run, state="finished")
            run = None
    store.close()
