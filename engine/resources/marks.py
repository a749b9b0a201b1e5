"""When jobs started and ended, for the time axis of the machine's history."""

from lemnis.engine.resources.records import Mark
from lemnis.engine.store import Store

MOST = 200  # the newest; more can't be told apart on any axis
NEWEST = """(select id, run_id, kind, state, started_at, ended_at from jobs
    where id > (select max(id) from jobs) - 2000 and started_at is not null)"""  # spares reading all there ever were
BETWEEN = f"""
    select started_at as at, id, run_id, kind, 'started' as state from {NEWEST} where started_at between ? and ?
    union all
    select ended_at, id, run_id, kind, state from {NEWEST} where ended_at between ? and ?
    order by at desc, id desc limit ?"""


def marks(store: Store, start: int, end: int) -> list[Mark]:
    """Return the jobs that started or ended between two moments (epoch ms), the oldest first."""
    rows = store.rows(BETWEEN, [start, end, start, end, MOST])
    return [
        Mark(at=row["at"], job_id=row["id"], run_id=row["run_id"], kind=row["kind"], state=row["state"])
        for row in reversed(rows)
    ]
