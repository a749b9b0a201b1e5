"""How a dataset version stands before training: what fails that nobody waives, and what is not known."""

from msgspec import Struct

from lemnis.engine.config import load_config
from lemnis.engine.data import Version
from lemnis.engine.errors import ChecksFailed
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.validate.history import list_results, list_waivers
from lemnis.engine.validate.records import CheckResult, Waiver


class Standing(Struct, frozen=True, kw_only=True):
    """What the latest run of the checks over a version says today.

    Attributes:
        version: The version's title.
        run: That run; None when the version was never checked, or nothing is declared.
        blocking: Checks that failed and are not waived now, worst first.
        waived: Checks that failed and are waived now, with the waiver.
        unknown: Checks that were not evaluated, or were declared since.
    """

    version: str
    declared: int
    run: int | None
    blocking: list[CheckResult]
    waived: list[tuple[CheckResult, Waiver]]
    unknown: list[str]

    @property
    def text(self) -> str:
        """How it stands, in words; empty when no check is declared."""
        if not self.declared:
            return ""
        if self.run is None:
            return f"{self.version} was never checked"
        parts = [f"{count(len(self.blocking), 'check')} failed: {failing(self.blocking)}"] if self.blocking else []
        parts += [f"waived: {', '.join(result.name for result, _ in self.waived)}"] if self.waived else []
        parts += [f"not evaluated: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join(parts) or "no check failed"

    def refuse(self) -> None:
        """Raise if something blocks training.

        Raises:
            ChecksFailed: With the checks, their rows, and what can be done.
        """
        if self.blocking:
            name = self.blocking[0].name
            raise ChecksFailed(
                f"{self.version} must not be trained on: {failing(self.blocking)}.",
                f"Mend the data, waive it (`lemnis validate waive {name} --why … --until …`, or w in Validate), "
                'or train with --despite-checks "reason", which stays with the run.',
                f"run {self.run} of the checks",
            )


def standing(store: Store, version: Version, *, now: int) -> Standing:
    """Return how a version stands by its latest run of the checks, by the waivers of `now` (epoch ms).

    A waiver that came or ended since that run counts as it is now; a check that is declared no more does not block.
    """
    from lemnis.engine.validate.verdicts import judge, limits_of

    checks = {check.name: check for check in load_config(store.workspace.config).checks}
    run_id = store.value("select max(id) from check_runs where version_id = ?", [version.id])
    if run_id is None or not checks:
        return Standing(
            version=version.title, declared=len(checks), run=None, blocking=[], waived=[], unknown=list(checks)
        )
    waivers = list_waivers(store, at=now)
    results = {result.name: result for result in list_results(store, run_id) if result.name in checks}
    unknown = [name for name in checks if name not in results or results[name].failing is None]
    failed = [
        result
        for result in results.values()
        if result.failing is not None
        and judge(result.failing, result.total or 0, limits_of(checks[result.name]), waived=False) == "fail"
    ]
    return Standing(
        version=version.title,
        declared=len(checks),
        run=run_id,
        blocking=[result for result in failed if result.name not in waivers],
        waived=[(result, waivers[result.name]) for result in failed if result.name in waivers],
        unknown=unknown,
    )


def failing(results: list[CheckResult], most: int = 3) -> str:
    """Return failed checks with their rows in words."""
    said = [f"{result.name} ({safe(result.message, limit=120)})" for result in results[:most]]
    return ", ".join(said) + (f" and {len(results) - most} more" if len(results) > most else "")


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
