"""Stage 5, Validate: checks as queries, a verdict each, every failing row reachable."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Check, load_config
from lemnis.engine.data import DataRoom
from lemnis.engine.doors import later
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore import Page
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store
from lemnis.engine.validate import history
from lemnis.engine.validate.records import (
    CheckResult,
    CheckRun,
    Compared,
    HistoryPoint,
    Offender,
    Reason,
    Sample,
    Waiver,
    Which,
)

if TYPE_CHECKING:
    from lemnis.engine.validate.code_acts import CodeLists
    from lemnis.engine.validate.proposals import Proposals
    from lemnis.engine.validate.standing import Standing


class ValidateRoom:
    """The checks of the workspace and how they went."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def declared(self) -> list[Check]:
        """Return the checks that lemnis.toml declares."""
        return load_config(self.store.workspace.config).checks

    def start(self, version: str | int | None = None) -> int:
        """Queue a run of all checks over a version (None: the latest) and return the job's id.

        Raises:
            NotFound: There is no such version.
            BadInput: No check is declared.
        """
        if not self.declared():
            raise BadInput("No check is declared.", "Take proposals from `lemnis validate suggest`.", "lemnis.toml")
        found = DataRoom(self.store).version(version)
        return JobsRoom(self.store).submit("validate.run", f"Checks of {found.title}", {"version": found.id})

    def runs(self, limit: int = 50) -> list[CheckRun]:
        """Return the runs of the checks, newest first."""
        return history.list_runs(self.store, limit)

    def latest(self) -> CheckRun | None:
        """Return the latest run of the checks, None before the first."""
        return next(iter(history.list_runs(self.store, 1)), None)

    def run(self, check_run_id: int | None = None) -> CheckRun:
        """Return one run of the checks; None is the latest.

        Raises:
            NotFound: There is none.
        """
        return history.find_run(self.store, check_run_id)

    def results(self, check_run_id: int) -> list[CheckResult]:
        """Return the results of one run, worst first."""
        return history.list_results(self.store, check_run_id)

    def history(self, name: str, runs: int = 30) -> list[HistoryPoint]:
        """Return how a check went in the latest runs, oldest first."""
        return history.list_history(self.store, name, runs=runs).get(name, [])

    def histories(self, runs: int = 30) -> dict[str, list[HistoryPoint]]:
        """Return how every check went in the latest runs, oldest first."""
        return history.list_history(self.store, runs=runs)

    def failures(
        self, name: str, offset: int = 0, limit: int = 100, *, check_run_id: int | None = None, which: Which = "all"
    ) -> Page:
        """Return a page of the rows that fail a check, in a run or the latest; takes about half a second.

        Args:
            name: The check.
            offset: The first row, from 0.
            limit: How many.
            check_run_id: The run; None for the latest.
            which: All, or new, persisting or fixed against the run it was compared with.

        Raises:
            NotFound: There is no such run or check.
            BadInput: It was not evaluated, counts rows, or was not compared.
            Unavailable: The query ran past its limits.
        """
        from lemnis.engine.validate.failures import Asked, failing_page

        return failing_page(self.store, Asked(check=name, run=check_run_id, which=which), offset, limit)

    def export(self, name: str, path: Path, *, check_run_id: int | None = None, which: Which = "all") -> int:
        """Write all rows that fail a check to a new .csv, .jsonl or .parquet file; return how many.

        Raises:
            NotFound, BadInput, Unavailable: As `failures`; or the file can't be written.
        """
        from lemnis.engine.validate.failures import Asked, export_failing

        return export_failing(self.store, Asked(check=name, run=check_run_id, which=which), path)

    def reasons(self, name: str, *, check_run_id: int | None = None) -> list[Reason]:
        """Return the values of other columns that are over-represented among the failing rows, strongest first.

        Raises:
            NotFound, BadInput, Unavailable: As `failures`.
        """
        from lemnis.engine.validate.reasons import find_reasons

        return find_reasons(self.store, name, check_run_id)

    def waive(self, name: str, *, until: int, who: str, why: str) -> Waiver:
        """Let a failing check only warn until a time (epoch ms), from its next run on; a past time takes it back.

        Raises:
            NotFound: No such check is declared.
            BadInput: Nobody or no reason is named.
        """
        return history.add_waiver(self.store, name, until=until, who=who, why=why, now=now_ms())

    def waivers(self) -> dict[str, Waiver]:
        """Return the waivers in force, by check."""
        return history.list_waivers(self.store, at=self.store.now_ms())

    @cached_property
    def codes(self) -> "CodeLists":
        """The code lists: what they hold, how they changed, and the acts on them."""
        from lemnis.engine.validate.code_acts import CodeLists

        return CodeLists(self.store)

    def standing(self, version: str | int | None = None) -> "Standing":
        """Return how a version (None: the latest) stands before training.

        Raises:
            NotFound: There is no such version.
        """
        from lemnis.engine.validate.standing import standing

        return standing(self.store, DataRoom(self.store).version(version), now=self.store.now_ms())

    def start_suggest(self, version: str | int | None = None) -> int:
        """Queue the trial of checks that a version's profile suggests, and return the job's id; see `proposals`.

        Raises:
            NotFound: There is no such version.
            BadInput: The version is not profiled yet.
        """
        from lemnis.engine.validate.jobs import profiles_of

        found = DataRoom(self.store).version(version)
        profiles_of(self.store, found)
        return JobsRoom(self.store).submit("validate.suggest", f"Checks for {found.title}", {"version": found.id})

    def proposals(self) -> "Proposals | None":
        """Return what the latest trial proposes and is not declared yet; None before the first."""
        from lemnis.engine.validate.proposals import Proposals

        done = self.store.value(
            "select result from jobs where kind = 'validate.suggest' and state = 'finished' order by id desc limit 1"
        )
        return msgspec.json.decode(done, type=Proposals).without(self.declared()) if done else None

    def accept(self, names: Sequence[str], *, who: str, why: str = "") -> list[Check]:
        """Declare proposed checks in lemnis.toml, comments kept; return them.

        Raises:
            NotFound: The latest trial does not propose one of them.
            BadInput: None is named.
        """
        found = self.proposals()
        offered = {proposal.check.name: proposal for proposal in found.proposals} if found else {}
        unknown = [name for name in names if name not in offered]
        if unknown:
            known = ", ".join(offered) or "none; run `lemnis validate suggest`"
            raise NotFound(f"{unknown[0]!r} is not proposed.", f"Proposed: {known}.")
        if not names:
            raise BadInput("No check is named.", "Name those to take.")
        chosen = [offered[name] for name in dict.fromkeys(names)]
        said = why or f"proposed: held on {chosen[0].held} versions, caught injected faults"
        return self.declare([each.check for each in chosen], who=who, why=said)

    def declare(self, checks: list[Check], *, who: str, why: str) -> list[Check]:
        """Write checks into lemnis.toml behind those it has, comments kept; return them.

        Raises:
            ConfigError: They are not accepted, such as a name that is taken.
        """
        from lemnis.engine.validate.suggest import text_with_checks

        problem = ProblemRoom(self.store)
        text = problem.text()
        problem.edit(text_with_checks(text, checks), who, why, expected=text)
        return checks


__all__ = [
    "CheckResult",
    "CheckRun",
    "Compared",
    "HistoryPoint",
    "Offender",
    "Reason",
    "Sample",
    "Standing",
    "ValidateRoom",
    "Waiver",
    "Which",
]
__getattr__ = later(__name__, {"standing": ("Standing",)})
