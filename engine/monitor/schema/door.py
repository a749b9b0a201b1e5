"""SchemaDrift: what may be asked of schema drift: the differences, what would be written for them, and writing it."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.schema.edits import diff_of, migrated
from lemnis.engine.monitor.schema.kept import find_finding, list_findings
from lemnis.engine.monitor.schema.migrate import with_migration
from lemnis.engine.monitor.schema.records import Finding, Inspected
from lemnis.engine.monitor.skew.records import Skew
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store


class SchemaDrift:
    """Differences in shape between what a model learnt from and what comes now."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def findings(self, endpoint: str = "") -> list[Finding]:
        """Return the differences that last, those that break most first, with what to do about each.

        Raises:
            ConfigError: lemnis.toml is not accepted.
        """
        config = load_config(self.store.workspace.config)
        return [with_migration(one, config) for one in list_findings(self.store, endpoint)]

    def known(self, endpoint: str = "") -> list[Finding]:
        """Return the differences that last as `findings` does, without what to do: lemnis.toml is not read."""
        return list_findings(self.store, endpoint)

    def inspected(self) -> list[Inspected]:
        """Return when each endpoint was last looked at."""
        sql = "select endpoint, model, version, at, problem from monitor_inspections order by endpoint"
        return [msgspec.convert(dict(row), Inspected) for row in self.store.rows(sql)]

    def skews(self, endpoint: str = "") -> list[Skew]:
        """Return the skew of each endpoint as it was measured last; of one when it is named."""
        sql = "select skew from monitor_inspections where skew is not null and ? in ('', endpoint) order by endpoint"
        return [msgspec.json.decode(row["skew"], type=Skew) for row in self.store.rows(sql, [endpoint])]

    def diff(self, finding: Finding) -> str:
        """Return what would be written into lemnis.toml, as a unified diff; empty where nothing would, or it stands."""
        return diff_of(ProblemRoom(self.store).text(), finding.edits) if finding.edits else ""

    def accept(self, finding_ids: Sequence[int], *, who: str, why: str = "") -> list[Finding]:
        """Write what is proposed for some differences into lemnis.toml, comments kept; return them.

        Raises:
            NotFound: There is no such difference.
            BadInput: Nothing can be written for one; only its sender can mend it.
            ConfigError: The result is not accepted; the file stays as it was.
        """
        if not finding_ids:
            raise BadInput("No difference is named.", "Name those to take: `lemnis monitor schema` lists them.")
        config = load_config(self.store.workspace.config)
        found = [with_migration(find_finding(self.store, one), config) for one in dict.fromkeys(finding_ids)]
        for one in found:
            if not one.edits:
                raise BadInput(f"Nothing in lemnis.toml mends {one.column} ({one.kind}).", one.advice)
        problem = ProblemRoom(self.store)
        text = problem.text()
        edits = [edit for one in found for edit in one.edits]
        said = why or ", ".join(f"{one.source}: {one.column} {one.kind}" for one in found)
        problem.edit(migrated(text, edits), who, said, expected=text)
        return found

    def inspect(self, endpoint: str = "") -> list[Finding]:
        """Look now, in this process, at one endpoint or all; return the differences that last.

        Needs the model libraries: for workers and commands, not for the console.

        Raises:
            NotFound: The endpoint serves no model.
            Unavailable, Damaged: A file that is needed is gone or damaged.
        """
        from lemnis.engine.monitor.inspection import inspect, subjects

        names = [endpoint] if endpoint else [one.endpoint for one in subjects(self.store)]
        if not names:
            raise NotFound("No endpoint serves a model yet.", "Deploy one: `lemnis endpoints create`.")
        for name in names:
            inspect(self.store, name)
        return self.findings(endpoint)
