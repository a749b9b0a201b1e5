"""Tries candidates: which checks held on all versions there are, and which faults each of them catches."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.config import Check, Config
from lemnis.engine.data import Version
from lemnis.engine.data.duck import literal, open_duck
from lemnis.engine.data.split import kind_of
from lemnis.engine.errors import LemnisError
from lemnis.engine.validate.circumstances import Circumstances
from lemnis.engine.validate.faults import FAULTS, ROW, Fault, fault_sql, touched
from lemnis.engine.validate.proposals import Proposal, Proposals
from lemnis.engine.validate.records import DATASET, CheckResult
from lemnis.engine.validate.runner import Runner
from lemnis.engine.validate.tables import table_columns

SAMPLE = 20_000  # rows that faults are put into
VERSIONS = 12  # the newest, at most

Tell = Callable[[float, str], None]


class Trial:
    """One trial of candidates; `files` gives the tables of a version."""

    def __init__(self, files: Callable[[Version], dict[str, Path]], folder: Path, *, threads: int, tell: Tell) -> None:
        self.files, self.folder, self.threads, self.tell = files, folder, threads, tell

    def run(self, candidates: list[Check], versions: Sequence[Version]) -> Proposals:
        """Return what holds on all versions (the newest first) and catches faults in a sample of the newest."""
        newest = versions[0]
        held, fell = self._held(candidates, versions)
        kept = [check for check in candidates if check.name in held]
        rules, caught, missed = self._injected(kept, newest)
        proposals = [
            Proposal(
                check=check,
                rule=rules[check.name],
                held=held[check.name],
                versions=len(versions),
                caught=sorted({fault for fault, _ in caught[check.name]}),
                missed=sorted({fault for fault, _ in missed[check.name]}),
            )
            for check in kept
            if caught[check.name]
        ]
        columns = {column.name: column.type for column in newest.columns}
        every = {place for fault in FAULTS for place in places(fault, columns)}
        seen = {place for check in kept for place in caught[check.name]}
        return Proposals(
            version_id=newest.id,
            version=newest.title,
            versions=len(versions),
            candidates=len(candidates),
            fell=fell,
            idle=[check.name for check in kept if not caught[check.name]],
            proposals=sorted(proposals, key=lambda each: (-len(each.caught), each.check.name)),
            faults=len(every),
            caught=len(seen & every),
        )

    def _held(self, candidates: list[Check], versions: Sequence[Version]) -> tuple[dict[str, int], dict[str, str]]:
        """Return on how many versions each candidate held, for those that failed on none; and where the others fell."""
        held = dict.fromkeys((check.name for check in candidates), 0)
        fell: dict[str, str] = {}
        for place, version in enumerate(versions):
            self.tell(0.5 * place / len(versions), f"does it hold on {version.title}")
            try:
                results = self._evaluate(candidates, self.files(version))
            except LemnisError:
                continue  # its file is gone or damaged: it tells nothing
            for result in results:
                if result.verdict == "pass":
                    held[result.name] += 1
                elif result.failing is not None:
                    fell.setdefault(result.name, f"{version.title}: {result.message}")
        return {name: count for name, count in held.items() if name not in fell and count}, fell

    def _injected(
        self, checks: list[Check], version: Version
    ) -> tuple[dict[str, str], dict[str, set[tuple[str, str]]], dict[str, set[tuple[str, str]]]]:
        """Return each check's rule, and the (fault, column) pairs it caught and missed in a sample of a version."""
        caught: dict[str, set[tuple[str, str]]] = {check.name: set() for check in checks}
        missed: dict[str, set[tuple[str, str]]] = {check.name: set() for check in checks}
        files, columns = self.files(version), {column.name: column.type for column in version.columns}
        sample = self.folder / "sample.parquet"
        duck = open_duck(self.threads)
        try:
            duck.execute(f"create table sample as {sample_sql(files[DATASET])}")
            kept: int = duck.execute("select count(*) from sample").fetchall()[0][0]
            scaled = [scaled_to(check, kept / version.rows) for check in checks]
            write(duck, 'select * exclude ("#row") from sample', sample)
            sound = {r.name: r for r in self._evaluate(scaled, {**files, DATASET: sample})}
            for place, fault in enumerate(FAULTS):
                self.tell(0.5 + 0.5 * place / len(FAULTS), f"is it seen: {fault.name}")
                write(duck, fault_sql(fault, columns), sample)
                for result in self._evaluate(scaled, {**files, DATASET: sample}):
                    check = next(each for each in checks if each.name == result.name)
                    if sound[result.name].verdict != "pass" or not touched(fault, check, columns):
                        continue
                    seen = result.failing is not None and result.verdict != "pass"
                    (caught if seen else missed)[result.name] |= places(fault, columns, check)
        finally:
            duck.close()
            sample.unlink(missing_ok=True)
        return {name: result.rule for name, result in sound.items()}, caught, missed

    def _evaluate(self, checks: list[Check], files: Mapping[str, Path]) -> list[CheckResult]:
        runner = Runner(files, table_columns(dict(files)), around=Circumstances(now=0), threads=self.threads)
        try:
            return runner.run(checks)
        finally:
            runner.close()


def places(fault: Fault, columns: Mapping[str, str], check: Check | None = None) -> set[tuple[str, str]]:
    """Return where a fault is put, as (fault, column), the column empty for whole rows; of a check what it looks at."""
    if fault.rows:
        return {(fault.name, "")}
    names = columns if check is None else {name: columns[name] for name in check.columns or [check.column]}
    return {(fault.name, name) for name, kind in names.items() if kind_of(kind) in fault.kinds}


def scaled_to(check: Check, share: float) -> Check:
    """Return a check whose bounds on a number of rows fit a sample."""
    if check.kind != "row_count" or not isinstance(check.min, float) or not isinstance(check.max, float):
        return check
    return msgspec.structs.replace(check, min=check.min * share, max=check.max * share)


def sample_sql(path: Path) -> str:
    """Return the query of a sample that is the same every time, numbered from 0."""
    sampled = f"select * from read_parquet({literal(str(path))}) using sample reservoir({SAMPLE} rows) repeatable (1)"
    return f'select *, row_number() over () - 1 as "{ROW}" from ({sampled})'


# Any: DuckDB's connection.
def write(duck: Any, sql: str, path: Path) -> None:
    """Write a query's rows to a Parquet file."""
    import pyarrow.parquet as pq

    pq.write_table(duck.sql(sql).to_arrow_table(), path)


def references_of(config: Config) -> dict[str, str]:
    """Return SOURCE.COLUMN by the column of the dataset that a link looks up in it; links by one plain column alone."""
    return {
        left: f"{link.source}.{right}"
        for link in config.dataset.links
        if len(link.on) == 1 and not link.asof
        for left, right in link.on.items()
        if left.isidentifier()
    }
