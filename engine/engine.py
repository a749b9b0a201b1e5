"""Engine: one object per workspace, one attribute per room, each built when first used."""

import shutil
import weakref
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.config import Config, load_config
from lemnis.engine.store import Store, journal_notice
from lemnis.engine.workspace import Workspace, exposed, find_workspace

if TYPE_CHECKING:
    from lemnis.engine.data import DataRoom
    from lemnis.engine.deploy import DeployRoom
    from lemnis.engine.evaluate import EvaluateRoom
    from lemnis.engine.experiments import ExperimentsRoom
    from lemnis.engine.experiments.sweep import SweepsRoom
    from lemnis.engine.explore import ExploreRoom
    from lemnis.engine.features import FeaturesRoom
    from lemnis.engine.jobs import JobsRoom
    from lemnis.engine.labelling import LabellingRoom
    from lemnis.engine.lifecycle import Lifecycle
    from lemnis.engine.lineage import Lineage
    from lemnis.engine.modelcard import CardRoom
    from lemnis.engine.moments import Moment
    from lemnis.engine.monitor import MonitorRoom
    from lemnis.engine.problem import ProblemRoom
    from lemnis.engine.resources import ResourcesRoom
    from lemnis.engine.share import ShareRoom
    from lemnis.engine.tracking import TrackingRoom
    from lemnis.engine.validate import ValidateRoom


class Engine:
    """Everything that can be done with one workspace. Calls block; any thread may call."""

    def __init__(self, workspace: Workspace, *, read_only: bool = False, at: int | None = None) -> None:
        self.workspace = workspace
        self.store = Store(workspace, read_only=read_only, at=at)

    @classmethod
    def open(cls, path: Path | None = None, *, read_only: bool = False) -> "Engine":
        """Open the workspace of `path` (or of the current folder) or of the nearest folder above.

        Raises:
            NoWorkspace: There is none.
            StoreError: Its state can't be opened.
        """
        return cls(find_workspace(path or Path.cwd()), read_only=read_only)

    def as_of(self, at: int) -> "Engine":
        """Return an engine whose every answer is what was there at a moment (epoch ms); it changes nothing.

        Raises:
            BadInput: The workspace had not begun by then, or the moment is yet to come.
        """
        from lemnis.engine.moments import workspace_then

        workspace = workspace_then(self.store, at)
        engine = Engine(workspace, at=at)
        weakref.finalize(engine, shutil.rmtree, workspace.config.parent, ignore_errors=True)
        return engine

    def present(self) -> "Engine":
        """Return an engine of now for the workspace whose past this one tells."""
        return Engine(replace(self.workspace, declared=None))

    @property
    def at(self) -> int | None:
        """The past moment whose facts this engine tells, epoch ms; None for now."""
        return self.store.at

    def now_ms(self) -> int:
        """Return the moment whose facts this engine tells: what ages are counted from, epoch ms."""
        return self.store.now_ms()

    def moments(self, limit: int = 500) -> "list[Moment]":
        """Return what happened last, newest first, to go back to; see `moments.latest`."""
        from lemnis.engine.moments import latest

        return latest(self.store, limit)

    def moment_beside(self, at: int, *, later: bool) -> "Moment | None":
        """Return what happened next before or after a moment (epoch ms); None where nothing did."""
        from lemnis.engine.moments import after, before

        return after(self.store, at) if later else before(self.store, at)

    def lineage(self, kind: str, key: str) -> "Lineage":
        """Return what a thing comes from and what came of it; see `lineage.trace`."""
        from lemnis.engine.lineage import trace

        return trace(self.store, kind, key)

    def config(self) -> Config:
        """Read lemnis.toml as it is now.

        Raises:
            ConfigError: It is not accepted.
        """
        return load_config(self.workspace.config)

    def notices(self) -> tuple[str, ...]:
        """Return what a person must know of this engine, one sentence each."""
        read_only = "read-only" if self.store.read_only and self.store.at is None else ""
        return tuple(filter(None, (journal_notice(), exposed(self.workspace), read_only)))

    def revisions(self) -> dict[str, int]:
        """Return one counter per topic; see `store.revisions`."""
        from lemnis.engine.store.revisions import revisions

        return revisions(self.store)

    @cached_property
    def jobs(self) -> "JobsRoom":
        from lemnis.engine.jobs import JobsRoom

        return JobsRoom(self.store)

    @cached_property
    def problem(self) -> "ProblemRoom":
        from lemnis.engine.problem import ProblemRoom

        return ProblemRoom(self.store)

    @cached_property
    def data(self) -> "DataRoom":
        from lemnis.engine.data import DataRoom

        return DataRoom(self.store)

    @cached_property
    def explore(self) -> "ExploreRoom":
        from lemnis.engine.explore import ExploreRoom

        return ExploreRoom(self.store)

    @cached_property
    def features(self) -> "FeaturesRoom":
        from lemnis.engine.features import FeaturesRoom

        return FeaturesRoom(self.store)

    @cached_property
    def validate(self) -> "ValidateRoom":
        from lemnis.engine.validate import ValidateRoom

        return ValidateRoom(self.store)

    @cached_property
    def experiments(self) -> "ExperimentsRoom":
        from lemnis.engine.experiments import ExperimentsRoom

        return ExperimentsRoom(self.store, champion=self._champion)

    @cached_property
    def sweeps(self) -> "SweepsRoom":
        from lemnis.engine.experiments.sweep import SweepsRoom

        return SweepsRoom(self.store)

    def _champion(self) -> int | None:
        from lemnis.engine.deploy.aliases import champion_run

        return champion_run(self.store)

    @cached_property
    def evaluate(self) -> "EvaluateRoom":
        from lemnis.engine.evaluate import EvaluateRoom

        return EvaluateRoom(self.store)

    @cached_property
    def deploy(self) -> "DeployRoom":
        from lemnis.engine.deploy import DeployRoom

        return DeployRoom(self.store)

    @cached_property
    def tracking(self) -> "TrackingRoom":
        from lemnis.engine.tracking import TrackingRoom

        return TrackingRoom(self.store)

    @cached_property
    def monitor(self) -> "MonitorRoom":
        from lemnis.engine.monitor import MonitorRoom

        return MonitorRoom(self.store)

    @cached_property
    def cards(self) -> "CardRoom":
        from lemnis.engine.modelcard import CardRoom

        return CardRoom(self.store)

    @cached_property
    def labelling(self) -> "LabellingRoom":
        from lemnis.engine.labelling import LabellingRoom

        return LabellingRoom(self.store)

    @cached_property
    def resources(self) -> "ResourcesRoom":
        from lemnis.engine.resources import ResourcesRoom

        return ResourcesRoom(self.store)

    @cached_property
    def share(self) -> "ShareRoom":
        from lemnis.engine.share import ShareRoom

        return ShareRoom(self.store)

    @cached_property
    def lifecycle(self) -> "Lifecycle":
        from lemnis.engine.lifecycle import Lifecycle

        return Lifecycle(self.store)
