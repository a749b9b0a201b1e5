"""Which trainings this machine has measured: the finished runs of the workspace, as the law of planning takes them."""

import platform

from lemnis.engine.resources.planning.records import Measured, Sizes
from lemnis.engine.store import Row, Store

NEWEST = 100  # of each device; older ones say less about the machine as it is now
USUAL_LEAVES, USUAL_BINS = 31, 255  # LightGBM's own, where a run says nothing

# One attempt from start to end: of a run that went on from a checkpoint the time of the first attempt is not known.
TRAININGS = """
    select r.id, r.rounds_done, r.cores, r.device, json_array_length(r.features) as columns,
      (r.ended_at - r.started_at) / 1000.0 as seconds, m.value as peak_mib,
      coalesce(json_extract(v.split, '$.train.labelled'), v.rows) as rows,
      coalesce(json_extract(v.split, '$.validation.labelled'), 0) as held_rows,
      (select number from run_params p where p.run_id = r.id and p.key = 'num_leaves') as leaves,
      (select number from run_params p where p.run_id = r.id and p.key = 'max_bin') as bins
    from runs r join jobs j on j.id = r.job_id and j.attempts <= 1 join versions v on v.id = r.version_id
      join run_metrics m on m.run_id = r.id and m.key = 'peak_memory_mib' and m.value > 0
    where r.state = 'finished' and r.deleted_at is null and r.executor = 'local' and r.rounds_done > 0
      and r.algorithm not in ('linear', 'constant') and r.ended_at > r.started_at
      and json_extract(r.machine, '$.host') = ?
      and not exists (select 1 from run_params p where p.run_id = r.id and p.key = 'start_run')
    order by r.id desc"""


def measured_trainings(store: Store) -> dict[str, list[Measured]]:
    """Return the newest finished trainings of trees on this machine by device (cpu, gpu, cuda), the newest first."""
    found: dict[str, list[Measured]] = {}
    for row in store.rows(f"{TRAININGS} limit ?", [platform.node(), 3 * NEWEST]):
        of_device = found.setdefault(str(row["device"]).partition(":")[0] or "cpu", [])
        if len(of_device) < NEWEST:
            of_device.append(measured(row))
    return found


def measured(row: Row) -> Measured:
    """Return one row of TRAININGS."""
    return Measured(
        sizes=Sizes(
            rows=int(row["rows"]),
            held_rows=int(row["held_rows"]),
            columns=max(1, int(row["columns"])),
            rounds=int(row["rounds_done"]),
            leaves=int(row["leaves"] or USUAL_LEAVES),
            bins=int(row["bins"] or USUAL_BINS),
            cores=float(row["cores"]),
        ),
        seconds=float(row["seconds"]),
        peak_bytes=float(row["peak_mib"]) * 2**20,
        run_id=int(row["id"]),
    )
