"""A job that only shows that jobs run: it counts, tells its progress, and may be told to misbehave."""

import os
import signal
import time
from typing import Any

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs.context import JobContext


def selftest(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Count `steps` with `pause_s` between, then end as `ending` says: well, badly, by a bug or by a crash.

    Any: JSON arguments and result of a job.
    """
    steps = int(arguments.get("steps", 3))
    for step in range(steps):
        context.progress(step / steps, f"step {step + 1} of {steps}")
        time.sleep(float(arguments.get("pause_s", 0.01)))
    match arguments.get("ending", "well"):
        case "badly":
            raise BadInput("The self-test was told to fail.", "Run it without an ending.", "ending")
        case "bug":
            raise RuntimeError("the self-test was told to break")
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case _:
            pass
    return {"steps": steps, "pid": os.getpid(), "epoch": context.epoch}
