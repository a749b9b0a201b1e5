"""A small dataset to link: repeated and unknown keys, a key that is no text for a terminal, rows from the future."""

from pathlib import Path

from support import engine_at

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext

EVIL = "\x1b[2J[b]evil[/b]"
CONFIG = """
[sources.left]
path = "left.csv"
[sources.right]
path = "right.csv"
[sources.late]
path = "late.csv"
[dataset]
name = "pairs"
base = "left"
time = "day"
[[dataset.links]]
source = "right" # the first
on = { k = "k" }
prefix = "r_"
"""


def pairs_at(folder: Path, config: str = CONFIG, *, worth: str = "w") -> Engine:
    """Return the engine of a workspace whose sources are synced; `worth` is the last column of ``late``."""
    engine = engine_at(folder, config)
    root = engine.workspace.root
    rows = ["1,2013-01-01,a", "2,2013-01-02,b", "3,2013-01-03,b", f"4,2013-01-04,{EVIL}", "5,2013-01-05,"]
    (root / "left.csv").write_text("id,day,k\n" + "\n".join(rows) + "\n")
    (root / "right.csv").write_text("k,z\na,5\na,6\nc,7\n")
    (root / "late.csv").write_text(f"k,seen,{worth}\na,2013-02-01,10\nb,2012-12-01,20\n")
    jobs.sync(JobContext.for_test(engine.store), {})
    return engine
