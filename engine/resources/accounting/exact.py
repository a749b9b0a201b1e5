"""What a worker's process took in all, by the kernel's own count; kept when it ends, exact for short jobs too."""

import resource

from lemnis.engine.errors import StoreError
from lemnis.engine.resources.accounting.meter import EXACT
from lemnis.engine.store import Store

KEEP = """
    insert or replace into used (owner, width, at, seconds, cpu_s, memory_byte_s, peak_bytes, gpu_s, gpu_peak_bytes)
    values (?, ?, ?, ?, ?, 0, ?, 0, 0)"""


def keep_exact(store: Store, job_id: int, started_at: int, seconds: float) -> None:
    """Keep what this process and its children used for a job; what can't be kept is left to the sampler's sums.

    Args:
        store: Of the workspace.
        job_id: The job that all of this process was.
        started_at: Of the attempt, epoch ms.
        seconds: How long it held what it asked for.
    """
    mine, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu_s = sum(each.ru_utime + each.ru_stime for each in (mine, others))
    peak = max(mine.ru_maxrss, others.ru_maxrss) * 1024
    try:
        with store.write("metrics") as db:
            db.execute(KEEP, [f"job:{job_id}", EXACT, started_at, seconds, cpu_s, peak])
    except StoreError as error:
        print(f"warning: what the job used was not kept: {error.problem}", flush=True)
