"""A job that only shows that jobs run: it counts, tells its progress, and may be told to misbehave."""

import os
import signal
import time
from typing import Any

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs.context import JobContext


def selftest(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Count `steps` with `pause_s` between, taking `grow_mib` at each, then end as `ending` says: well or not.

    Any: JSON arguments and result of a job.
    """
    steps = int(arguments.get("steps", 3))
    taken: list[bytes] = []
    for step in range(steps):
        taken.append(bytes([1]) * (int(arguments.get("grow_mib", 0)) << 20))
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
