"""A workspace with something to share, and the share room's jobs done in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lemnis.engine import Engine
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.share import jobs


class Desk:
    """A workspace, and the share room's jobs done here and now."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.root = engine, engine.workspace.root

    def remote(self, url: str, name: str = "team") -> None:
        with open(self.engine.workspace.config, "a") as file:
            file.write(f'\n[remotes.{name}]\nurl = "{url}"\n')

    def do(self, job_id: int) -> dict[str, Any]:
        """Do a queued job as its worker would."""
        job = self.engine.jobs.job(job_id)
        with self.engine.store.write() as db:
            db.execute("update jobs set state = 'running', epoch = epoch + 1 where id = ?", [job_id])
        context = JobContext(self.engine.store, job_id, epoch=job.epoch + 1, cores=1)
        context.directory.mkdir(parents=True, exist_ok=True)
        try:
            handler: Callable[..., dict[str, Any]] = {
                "share.push": jobs.push,
                "share.pull": jobs.pull,
                "share.export": jobs.export,
                "share.import": jobs.bring_in,
            }[job.kind]
            return handler(context, job.arguments)
        finally:
            with self.engine.store.write() as db:
                db.execute("update jobs set state = 'finished' where id = ?", [job_id])

    def push(self, *what: str, **more: Any) -> dict[str, Any]:
        return self.do(self.engine.share.start_push(what, **more))

    def pull(self, *what: str, **more: Any) -> dict[str, Any]:
        return self.do(self.engine.share.start_pull(what, **more))

    def export(self, file: Path, *what: str, **more: Any) -> dict[str, Any]:
        return self.do(self.engine.share.start_export(file, what, **more))

    def take(self, file: Path, **more: Any) -> dict[str, Any]:
        return self.do(self.engine.share.start_import(file, **more))

    def state(self) -> dict[str, Any]:
        """Everything that an import may change: rows of the state, files."""
        tables = ("versions", "links", "runs", "run_params", "run_metrics", "run_tags", "models", "model_versions")
        rows = {table: [tuple(row) for row in self.engine.store.rows(f"select * from {table}")] for table in tables}
        rows["origins"] = [tuple(row) for row in self.engine.store.rows("select * from origins")]
        hidden = self.engine.workspace.hidden
        folders = (hidden / "data", hidden / "models", hidden / "runs")
        files = sorted(
            str(path.relative_to(hidden)) for folder in folders for path in folder.rglob("*") if path.is_file()
        )
        return {**rows, "files": [name for name in files if not name.startswith("data/.")]}


class Pair(NamedTuple):
    """Where things were made, and another workspace."""

    a: Desk
    b: Desk


def make_things(folder: Path) -> Path:
    """Make a workspace with a dataset version, a run with its curves and a registered model; return its folder."""
    from small_problem import do_train, make_engine

    engine = make_engine(folder)
    run_id = engine.experiments.start(user="ada")
    do_train(engine, run_id)
    engine.experiments.tag(run_id, "team", "블루")
    engine.experiments.note(run_id, "a note")
    engine.deploy.register(run_id, "late", "ada", "to serve")
    engine.store.close()
    return folder
