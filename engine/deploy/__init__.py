"""The door of deployment: the registry with its aliases, the endpoints, and scoring of whole files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.config import load_config
from lemnis.engine.deploy.load.records import LoadCell, LoadTest, checked, list_load_tests
from lemnis.engine.deploy.records import AliasEvent, Candidate, Endpoint, Model, ModelVersion, TokenScope
from lemnis.engine.deploy.rollout.records import EndpointEvent, Mode, Split, Worker
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.deploy.exports.records import Export
    from lemnis.engine.deploy.sheet import Sheet
    from lemnis.engine.evaluate import CalibrationMap
    from lemnis.engine.features.signature import Signature

__all__ = [
    "AliasEvent",
    "Candidate",
    "DeployRoom",
    "Endpoint",
    "EndpointEvent",
    "LoadCell",
    "LoadTest",
    "Mode",
    "Model",
    "ModelVersion",
    "Split",
    "Worker",
]


class DeployRoom:
    """Registers models, moves aliases, and keeps endpoints up; every change says who and why."""

    def __init__(self, store: Store) -> None:
        self.store, self.jobs = store, JobsRoom(store)

    def register(self, run_id: int, model: str, who: str, why: str, *, calibrate: str = "") -> ModelVersion:
        """Make a finished run's model the next version of a name; takes a second or two. See `registry.register`."""
        from lemnis.engine.deploy import registry

        return registry.register(self.store, run_id, model, who=who, why=why, calibrate=calibrate)

    def maps_left(self, run_id: int, model: str) -> list["CalibrationMap"]:
        """Return the maps that `register` could keep with a run: they make its probabilities better."""
        from lemnis.engine.deploy import evidence

        return evidence.maps_left(self.store, run_id, model)

    def start_load(
        self,
        endpoint: str,
        *,
        connections: Sequence[int] = (1, 16, 64),
        batches: Sequence[int] = (1, 10, 100),
        seconds: float = 2.0,
    ) -> int:
        """Queue a load test of the version that an endpoint serves, and return the job's id.

        A server of its own is asked, over HTTP, with the golden rows: what is served is neither slowed by more than
        the processor's use nor are its log and figures touched.

        Raises:
            NotFound: There is no such endpoint.
            BadInput: It serves nothing, or the plan can't be done.
        """
        found = self.endpoint(endpoint)
        number = found.version or found.wanted_version
        if number is None:
            raise BadInput(f"{endpoint} serves nothing yet.", "Promote a version first.", endpoint)
        wrong = checked(connections, batches, seconds)
        if wrong:
            raise BadInput(f"This load can't be made: {wrong}.", "Change --connections, --batch or --seconds.")
        plan = {"connections": list(connections), "batches": list(batches), "seconds": seconds}
        arguments = {"endpoint": endpoint, "model": found.model, "version": number, **plan}
        return self.jobs.submit("deploy.load", f"Load test of {found.model} v{number}", arguments)

    def load_tests(self, *, model: str = "", version: int = 0, run_id: int = 0) -> list[LoadTest]:
        """Return the load tests of a version, of all versions of a model, or of a run's versions; the latest first."""
        return list_load_tests(self.store, model=model, version=version, run_id=run_id)

    def models(self) -> list[Model]:
        """Return every registered model."""
        from lemnis.engine.deploy import registry

        return registry.models(self.store)

    def candidate(self) -> Candidate | None:
        """Return the newest finished run that is no version of the usual model yet, and that model's name."""
        from lemnis.engine.deploy import registry

        return registry.candidate(self.store)

    def versions(self, model: str) -> list[ModelVersion]:
        """Return a model's versions, newest first; raises NotFound."""
        from lemnis.engine.deploy import registry

        return registry.versions(self.store, model)

    def version(self, model: str, number: int) -> ModelVersion:
        """Return one version; raises NotFound."""
        from lemnis.engine.deploy import registry

        return registry.version(self.store, model, number)

    def signature(self, model: str, number: int) -> "Signature":
        """Return what a version takes and answers; raises NotFound."""
        from lemnis.engine.deploy import registry

        return registry.signature_of(self.store, model, number)

    def resolve(self, reference: str) -> ModelVersion:
        """Return the version that ``MODEL@ALIAS`` or ``MODEL@3`` names; raises NotFound."""
        from lemnis.engine.deploy import aliases

        return aliases.resolve(self.store, reference)

    def alias(self, model: str, alias: str) -> ModelVersion | None:
        """Return the version an alias names now, or None."""
        from lemnis.engine.deploy import aliases

        number = aliases.version_of(self.store, model, alias)
        return None if number is None else self.version(model, number)

    def sheet(self, model: str, version: int, alias: str = "champion") -> "Sheet":
        """Return what speaks for and against a version before an alias moves to it; raises NotFound."""
        from lemnis.engine.deploy import sheet

        return sheet.sheet(self.store, model, version, alias)

    def rollback_sheet(self, model: str, alias: str) -> "Sheet":
        """Return what is known of the version that a rollback goes back to; raises BadInput where there is none."""
        from lemnis.engine.deploy import aliases, sheet

        return sheet.sheet(self.store, model, aliases.earlier(self.store, model, alias), alias)

    def promote(self, model: str, version: int, alias: str, who: str, why: str, *, force: bool = False) -> AliasEvent:
        """Point an alias at a version whose gates passed. See `aliases.promote`."""
        from lemnis.engine.deploy import aliases

        return aliases.promote(self.store, model, version, alias, who=who, why=why, force=force)

    def rollback(self, model: str, alias: str, who: str, why: str) -> AliasEvent:
        """Point an alias back at the version before. See `aliases.rollback`."""
        from lemnis.engine.deploy import aliases

        return aliases.rollback(self.store, model, alias, who=who, why=why)

    def withdraw(self, model: str, alias: str, who: str, why: str) -> AliasEvent:
        """Take an alias away; raises NotFound."""
        from lemnis.engine.deploy import aliases

        return aliases.withdraw(self.store, model, alias, who=who, why=why)

    def history(self, model: str = "", at: int | None = None) -> list[AliasEvent]:
        """Return alias events, newest first; with `at` (epoch ms), what was in production then."""
        from lemnis.engine.deploy import aliases

        return aliases.events(self.store, model, at=at)

    def start_endpoint(
        self,
        name: str,
        model: str,
        alias: str = "champion",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        workers: int = 0,
    ) -> Endpoint:
        """Keep a model server up at an address; 0 workers: as many as lemnis.toml says. See `endpoints.start`."""
        from lemnis.engine.deploy import endpoints

        declared = load_config(self.store.workspace.config).endpoints.get(name)
        workers = workers or (declared.workers if declared else 0)
        endpoints.start(self.store, self.jobs, name, model, alias, host=host, port=port, count=workers)
        self.jobs.ensure_supervisor()
        return self.endpoint(name)

    def stop_endpoint(self, name: str, who: str = "") -> None:
        """Stop a model server; raises NotFound."""
        from lemnis.engine.deploy import endpoints

        endpoints.stop(self.store, self.jobs, name, who=who)

    def roll_back_endpoint(self, name: str, who: str, why: str) -> AliasEvent:
        """Point the alias that an endpoint follows back at the version before. See `aliases.rollback`."""
        from lemnis.engine.deploy import endpoints

        row = endpoints.row_of(self.store, name)
        return self.rollback(row["model"], row["alias"], who, why)

    def split(
        self,
        endpoint: str,
        challenger: str,
        percent: float,
        who: str,
        why: str = "",
        *,
        mode: Mode = "canary",
        key: str = "",
    ) -> Split:
        """Let a challenger answer a share of the requests, or only score them. See `splits.start`."""
        from lemnis.engine.deploy.rollout import splits

        wish = splits.Wish(challenger=challenger, percent=percent, mode=mode, key=key, who=who, why=why)
        split = splits.start(self.store, self.jobs, endpoint, wish)
        self.jobs.ensure_supervisor()
        return split

    def move_split(self, endpoint: str, percent: float, who: str, why: str = "") -> Split:
        """Give the split that runs at an endpoint another share; raises BadInput when none runs."""
        from lemnis.engine.deploy.rollout import splits

        return splits.move(self.store, splits.running_at(self.store, endpoint), percent, who=who, why=why)

    def stop_split(self, endpoint: str, who: str, why: str) -> Split:
        """End the split that runs at an endpoint; raises BadInput when none runs."""
        from lemnis.engine.deploy.rollout import splits

        split = splits.running_at(self.store, endpoint)
        splits.end(self.store, split.id, "stopped", who=who, why=why)
        return splits.find(self.store, split.id)

    def split_of(self, endpoint: str) -> Split | None:
        """Return the split that runs at an endpoint or ran last, with where its test stands."""
        from lemnis.engine.deploy.rollout import splits

        splits.row_of(self.store, endpoint)
        return splits.latest(self.store, endpoint)

    def endpoint_events(self, name: str = "", limit: int = 500) -> list[EndpointEvent]:
        """Return the steps of an endpoint (of all when none is named), newest first."""
        from lemnis.engine.deploy.rollout import events

        return events.events(self.store, name, limit=limit)

    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint with its state and its traffic."""
        from lemnis.engine.deploy import endpoints

        return endpoints.listed(self.store)

    def endpoint(self, name: str) -> Endpoint:
        """Return one endpoint; raises NotFound."""
        from lemnis.engine.deploy import endpoints

        return endpoints.listed(self.store, name)[0]

    def curl(self, name: str) -> str:
        """Return a shell command that asks an endpoint for one row; raises NotFound."""
        from lemnis.engine.deploy import endpoints

        return endpoints.curl_of(self.store, name)

    def create_token(self, name: str, scope: TokenScope = "serve") -> str:
        """Make an endpoint's token that is good for read, serve or admin, and return it, once."""
        from lemnis.engine.deploy import endpoints

        return endpoints.create_token(self.store, name, scope)

    def endpoint_log(self, name: str, worker: int = 1) -> str:
        """Return the end of a worker's log; raises NotFound."""
        from lemnis.engine.deploy import endpoints
        from lemnis.engine.deploy.rollout.workers import worker_service

        endpoints.row_of(self.store, name)
        return self.jobs.service_log(worker_service(name, worker))

    def start_export(self, reference: str, to: Path, form: str, who: str, *, float32: bool = False) -> int:
        """Queue an export of a version for other applications, and return the job's id. See `exports.writing.export`.

        Args:
            reference: ``MODEL@ALIAS`` or ``MODEL@3``.
            to: The folder to write; it must be new or empty.
            form: One of `exports.records.FORMS`.
            who: Who exports it; kept with the version.
            float32: Of ONNX, numbers as float32 instead of double.

        Raises:
            NotFound: There is no such version.
            BadInput: The form is unknown, or the place is taken.
        """
        from lemnis.engine.deploy.exports import writing

        version, known = self.resolve(reference), writing.check_form(form)
        if float32 and known != "onnx":
            raise BadInput("Only ONNX has inputs of float32.", "Leave --float32 out.", "--float32")
        writing.check_target(to.absolute())
        arguments = {
            **{"model": version.model, "version": version.version, "form": known, "to": str(to.absolute())},
            **{"who": who, "float32": float32},
        }
        return self.jobs.submit(
            "deploy.export", f"export {version.model} {version.version} as {known}", arguments, memory_bytes=1 << 30
        )

    def exports(self, model: str = "") -> "list[Export]":
        """Return what was exported, newest first; of one model when it is named."""
        from lemnis.engine.deploy.exports import writing

        return writing.exports(self.store, model)

    def export_of(self, number: int) -> "Export":
        """Return one export by its id; raises NotFound."""
        from lemnis.engine.deploy.exports import writing

        return writing.export_by_id(self.store, number)

    def mlflow_folder(self, model: str, number: int) -> Path:
        """Return a version's directory as MLflow has it. See `exports.cached.mlflow_folder`."""
        from lemnis.engine.deploy.exports import cached

        return cached.mlflow_folder(self.store, model, number)

    def start_predict(self, reference: str, file: Path, out: Path) -> int:
        """Queue the scoring of a CSV or Parquet file and return the job's id. See `jobs.predict`."""
        from lemnis.engine.deploy.batch import check_paths

        version = self.resolve(reference)
        check_paths(file, out)
        arguments = {
            "model": version.model,
            "version": version.version,
            "file": str(file.absolute()),
            "out": str(out.absolute()),
        }
        return self.jobs.submit(
            "deploy.predict", f"score {file.name} with {version.model} {version.version}", arguments
        )
