"""A workspace with something in every room, written as the rooms would, without a training or a server."""

# pyright: basic

from pathlib import Path

import msgspec
import pyarrow as pa

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.config import load_config
from lemnis.engine.data.versions import record_version
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.validate import jobs as checks
from lemnis.engine.workspace import create_workspace

CONFIG = """
[problem]
title = "Late flights"
target = "late"
[monitor]
window = "month"
[[checks]]
name = "rows"
kind = "row_count"
min = 10
[[checks]]
name = "code_known"
kind = "code_list"
column = "code"
values = ["a", "b"]
[[alerts]]
name = "auc_low"
metric = "roc_auc"
below = 0.7
severity = "page"
"""
MONTHS = ("2013-07-01", "2013-08-01", "2013-09-01", "2013-10-01")
SIGNATURE = Signature(features=[Feature(name="wind", kind="numeric")], task="binary", target="late")
ODD = "odd / name?"  # of a column, which an address has to encode


def whole_engine(folder: Path) -> Engine:
    """Return an engine: two dataset versions, checks, runs, a model that is served, windows, an alert, and a job."""
    engine = Engine(create_workspace(folder, CONFIG))
    engine.problem.record("ada", "made")
    for rows in (60, 90):
        codes = [("a", "b", "c")[row % 3] for row in range(rows)]
        table = pa.table({"code": codes, ODD: list(range(rows)), "late": [row % 2 == 0 for row in range(rows)]})
        record_version(engine.store, table, name="trips", roles={"late": "label"}, split={}, now=rows)
    checks.run(JobContext.for_test(engine.store), {})
    _runs_and_models(engine)
    _windows(engine)
    engine.deploy.promote("late", 1, "champion", "ada", "it passes")
    engine.jobs.submit("jobs.selftest", "a waiting job", {})
    return engine


def _runs_and_models(engine: Engine) -> None:
    learned = engine.data.version().id
    with engine.store.write() as db:
        for number, state in ((1, "finished"), (2, "finished"), (3, "failed")):
            run = {"id": number, "name": f"run [{number}]", "state": state, "model_sha256": "0", "created_at": number}
            db.table("runs").insert(run | {"version_id": learned, "task": "binary", "ended_at": number})
        db.table("models").insert({"name": "late", "created_at": 1})
        for number in (1, 2):
            version = {"model": "late", "version": number, "run_id": number, "sha256": "0" * 64, "path": "none"}
            facts = {"bytes": 10, "signature": msgspec.json.encode(SIGNATURE).decode(), "created_at": now_ms()}
            golden = {"golden": '{"rows": [{"wind": 1.5}], "answers": [[0.5]]}', "who": "ada", "why": "first"}
            db.table("model_versions").insert(version | facts | golden)
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"serving_version": 1, "ready": 1, "created_at": 1, "changed_at": 1})
        service = {"name": "endpoint:late", "module": "none", "arguments": "[]", "state": "up", "updated_at": now_ms()}
        db.table("services").insert(service)


def _windows(engine: Engine) -> None:
    with engine.store.write() as db:
        for number, auc in enumerate((0.75, 0.72, 0.6)):
            window = {"endpoint": "late", "model": "late", "version": 1, "rows": 28_000, "labelled": 17_000}
            span = {"starts": parse_ms(MONTHS[number]), "ends": parse_ms(MONTHS[number + 1]), "verdict": "drift"}
            more = {"why": "wind drifted", "roc_auc": auc, "roc_auc_error": 0.004, "reference_auc": 0.75}
            more |= {"closed": 1, "labels_settled": 1, "computed_at": now_ms()}
            db.table("monitor_windows").insert(window | span | more)
            for position, name in enumerate(("wind", "prediction")):
                kind = "prediction" if name == "prediction" else "numeric"
                drift = {"psi": 0.3, "method": "kolmogorov_smirnov", "score": 0.2, "kolmogorov_smirnov": 0.2}
                verdict = {"threshold": 0.05, "rule": "r", "verdict": "drift", "p": 0.0, "p_adjusted": 0.0}
                row = {"window_id": number + 1, "position": position, "feature": name, "kind": kind, "suspected": 1}
                bins = {"bins": '{"labels": ["< 1"], "reference": [1.0], "current": [1.0]}'}
                shares = {"missing_share": 0.0, "reference_missing_share": 0.0, "importance": 0.5}
                shares |= {"wasserstein": 0.1, "jensen_shannon": 0.1}
                db.table("monitor_features").insert(row | drift | verdict | bins | shares)
        cursor = {"endpoint": "late", "model": "late", "version": 1, "newest_event": parse_ms("2013-09-30")}
        db.table("monitor_cursors").insert(cursor | {"arrived_at": now_ms()})
    advance(engine.store, load_config(engine.workspace.config), "late", engine.monitor.windows("late"))
