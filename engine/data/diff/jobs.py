"""The comparison of two versions, done in a worker: rows are matched first, then columns are looked at one by one."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import load_config
from lemnis.engine.data.diff.kept import Differing, name_of, save_diff, write_rows
from lemnis.engine.data.diff.records import ColumnDiff, Diff, Side
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.data.diff.matching import Content, Matching
    from lemnis.engine.data.diff.values import Bits, Pair
    from lemnis.engine.jobs.context import JobContext

MATCHING = 3  # how many columns' time the matching of rows is expected to take


def diff(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Compare the versions `before` and `after` by the columns `key`, whole rows if it is empty; keep what is found.

    Any: JSON objects.

    Raises:
        NotFound: A version or a key column is gone.
        Cancelled: The job was asked to stop; nothing is kept.
    """
    before, after = (find_version(context.store, arguments[side]) for side in ("before", "after"))
    scratch = Path(tempfile.mkdtemp(dir=context.workspace.data, prefix=".diffing."))
    try:
        found = Comparison(context, before, after, list(arguments["key"])).compare(scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {name: getattr(found, name) for name in ("added", "removed", "changed", "same")}


class Comparison:
    """One comparison while it is made; holds one column of both versions at a time, besides the places of rows."""

    def __init__(self, context: "JobContext", before: Version, after: Version, key: list[str]) -> None:
        from lemnis.engine.data.diff.values import Reader

        self.context, self.before, self.after, self.key = context, before, after, key
        self.readers = Reader(before), Reader(after)
        self.rows = before.rows, after.rows
        self.columns = blank_columns(before, after, key)
        self.shared = [place for place, column in enumerate(self.columns) if column.before and column.after]
        self.bins = load_config(context.workspace.config).monitor.bins
        self.started = monotonic_s()
        self.steps, self.done = MATCHING + len(self.shared), 0

    def compare(self, scratch: Path) -> Diff:
        """Match the rows, compare the columns, keep both, and return what was found."""
        import numpy as np

        matching = self._match(scratch)
        differs = np.zeros(len(matching.before), np.bool_)
        marks: dict[int, Any] = {}  # which matched rows changed, packed eight a byte, by place of the column
        for place in self.shared:
            self._tell(f"comparing {self._name(place)}")
            self.columns[place], changed = self._compare(place, matching)
            if self.columns[place].changed:
                differs |= changed
                marks[place] = np.packbits(changed)
            self.done += 1
        self._tell("keeping the rows that differ")
        changed_rows = np.flatnonzero(differs)
        count = len(differs)
        rows = Differing(
            before=matching.before[changed_rows],
            after=matching.after[changed_rows],
            removed=matching.removed,
            added=matching.added,
            marks={place: np.packbits(np.unpackbits(bits, count=count)[changed_rows]) for place, bits in marks.items()},
        )
        found = self._found(matching, len(changed_rows))
        write_rows(self.context.store, found.file, rows)
        save_diff(self.context.store, found, self.context.job_id)
        return found

    def _match(self, scratch: Path) -> "Matching":
        from lemnis.engine.data.diff.matching import Asked, match_rows

        keys = [self._pair(name) for name in self.key] or self._content().pairs()
        unique = bool(self.key) and all(known_unique(version, self.key) for version in (self.before, self.after))
        self._tell("matching the rows")
        asked = Asked(keys, self.rows, unique, self._content if self.key else None)
        matching = match_rows(self.context, asked, scratch)
        self.done += MATCHING
        return matching

    def _content(self) -> "Content":
        """Return hashes of the rows over the columns that both versions have."""
        from lemnis.engine.data.diff.matching import Content

        content = Content(*self.rows)
        self.steps += len(self.shared)
        for place in self.shared:
            self._tell(f"reading {self._name(place)}")
            content.add(self._pair(self.columns[place].name))
            self.done += 1
        return content

    def _compare(self, place: int, matching: "Matching") -> "tuple[ColumnDiff, Bits]":
        from lemnis.engine.data.diff.measuring import Cells, measure
        from lemnis.engine.data.diff.values import chosen, differing

        pair = self._pair(self.columns[place].name)
        was, now = pair.before.of(chosen(matching.before)), pair.after.of(chosen(matching.after))
        changed = differing(was, now)
        return measure(self.columns[place], pair, Cells(was, now, changed), self.bins), changed

    def _pair(self, name: str) -> "Pair":
        from lemnis.engine.data.diff.values import pair_of

        return pair_of(*(reader.column(name) for reader in self.readers))

    def _found(self, matching: "Matching", changed: int) -> Diff:
        return Diff(
            before_id=self.before.id,
            after_id=self.after.id,
            before_title=self.before.title,
            after_title=self.after.title,
            before_rows=self.before.rows,
            after_rows=self.after.rows,
            key=self.key,
            added=len(matching.added),
            removed=len(matching.removed),
            changed=changed,
            same=len(matching.before) - changed,
            repeated_before=matching.repeated[0],
            repeated_after=matching.repeated[1],
            columns=self.columns,
            file=name_of(self.before.id, self.after.id, self.key),
            seconds=round(monotonic_s() - self.started, 3),
            created_at=now_ms(),
        )

    def _name(self, place: int) -> str:
        return safe(self.columns[place].name, limit=60)

    def _tell(self, words: str) -> None:
        elapsed = monotonic_s() - self.started
        left = f", about {elapsed / self.done * (self.steps - self.done):.0f} s left" if self.done else ""
        self.context.progress(self.done / max(1, self.steps), f"{words}{left}")


def known_unique(version: Version, key: list[str]) -> bool:
    """Say whether it was found when the version was made that no two rows have this key.

    Keys that hold fractions were compared by their bits then, so that 0.0 and -0.0 were two.
    """
    exact = all("float" not in version.column(name).type and version.column(name).type != "double" for name in key)
    return exact and sorted(version.keys) == sorted(key) and not version.repeated_keys


def blank_columns(before: Version, after: Version, key: list[str]) -> list[ColumnDiff]:
    """Return the columns of either version, in the order of the one after, before their values are looked at.

    Columns of the key are left out unless their type changed: rows are the same because these are.
    """
    sides = [{column.name: column for column in version.columns} for version in (before, after)]
    names = [*sides[1], *(name for name in sides[0] if name not in sides[1])]
    found: list[ColumnDiff] = []
    for name in names:
        one, other = sides[0].get(name), sides[1].get(name)
        if name in key and one and other and one.type == other.type:
            continue
        column = other or sides[0][name]
        found.append(
            ColumnDiff(
                name=name,
                role=column.role,
                nature="text" if column.kind == "categorical" else column.kind,
                before=Side(type=one.type) if one else None,
                after=Side(type=other.type) if other else None,
            )
        )
    return found
