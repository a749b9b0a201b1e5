"""Profile a Parquet file with ydata-profiling's shortest report; prints the seconds without imports and reading.

Runs in that peer's own environment, which has other versions than ours.
"""

import json
import os
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
from ydata_profiling import ProfileReport  # noqa: E402

table = pd.read_parquet(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    started = time.perf_counter()
    report = ProfileReport(table, minimal=True, progress_bar=False)
    report.to_file(os.path.join(folder, "report.html"), silent=True)
    print("\n" + json.dumps({"seconds": time.perf_counter() - started}), flush=True)
