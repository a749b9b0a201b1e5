"""Stage 4, Features: what each column is worth, which ones know the answer, and the sets chosen from them."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.config import Features, load_config
from lemnis.engine.errors import NotFound
from lemnis.engine.features.matrices import find_matrix, strongest
from lemnis.engine.features.records import (
    FeatureScore,
    FeatureSet,
    Matrix,
    Pair,
    PairDetail,
    Ranking,
    SetDiff,
    SetNote,
    Spread,
)
from lemnis.engine.features.scores import find_ranking, is_candidate, list_scores
from lemnis.engine.features.sets import (
    choose_set,
    difference,
    find_set,
    list_sets,
    note_set,
    rename_set,
    revisions_of,
)
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version


class FeaturesRoom:
    """Columns of the dataset versions as features."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _version(self, version_id: str | int | None) -> "Version":
        """Return a dataset version; raises NotFound."""
        from lemnis.engine.data.versions import find_version  # a model server needs signatures, and nothing of Data

        return find_version(self.store, version_id)

    def scores(self, version_id: str) -> list[FeatureScore]:
        """Return what was measured of a version's columns, in their order; empty before it was ranked."""
        return list_scores(self.store, version_id)

    def ranking(self, version_id: str) -> Ranking | None:
        """Return how a version was ranked, None if it was not."""
        return find_ranking(self.store, version_id)

    def matrix(self, version_id: str) -> Matrix | None:
        """Return how every two columns of a version go together, None before it was measured."""
        return find_matrix(self.store, version_id)

    def pairs(self, version_id: str, feature: str = "", limit: int = 50, measure: str = "kind") -> list[Pair]:
        """Return the pairs of columns that go together most, of one column if `feature` is given, strongest first.

        Args:
            version_id: The version; without a measured matrix there are no pairs.
            feature: Only pairs with this column.
            limit: How many at most.
            measure: kind (what suits the pair), pearson, spearman, cramers_v, ratio or information.
        """
        matrix = self.matrix(version_id)
        return [] if matrix is None else strongest(matrix, measure, feature, limit)

    def pair(self, version_id: str, first: str, second: str) -> PairDetail:
        """Measure two columns side by side in a process of its own, about two seconds, and return what it found.

        Raises:
            NotFound: The version or a column is not there.
            BadInput: It is one column twice, or a time.
        """
        found, jobs = self._version(version_id), JobsRoom(self.store)
        for name in (first, second):
            found.column(name)
        arguments = {"version": found.id, "first": first, "second": second}
        # It asks for no core, so that a person who looks does not wait for a training to end.
        job = jobs.submit("features.pair", f"{first} beside {second}", arguments, cores=0, priority=90)
        return msgspec.convert(jobs.wait(job).result, PairDetail)

    def candidates(self, version_id: str) -> list[str]:
        """Return the columns of a version that could be features, in their order."""
        return [column.name for column in self._version(version_id).columns if is_candidate(column)]

    def sets(self, *, history: bool = False) -> list[FeatureSet]:
        """Return the latest choice of every name, newest first; every choice ever made with `history`."""
        return list_sets(self.store, history=history)

    def feature_set(self, name: str = "", version: str | int | None = None) -> FeatureSet:
        """Return a set by name or one choice of it as ``name@revision``, the declared one if none is given.

        A set that nobody has chosen is what [features] offers, without columns declared or found to be leaks.

        Raises:
            NotFound: There is no such set, or no dataset version to make the declared one of.
        """
        try:
            made_of: Version | None = self._version(version)
        except NotFound:
            made_of = None
        return find_set(self.store, name, self.declared(), made_of)

    def declared(self) -> Features:
        """Return the [features] of lemnis.toml."""
        return load_config(self.store.workspace.config).features

    def choose(
        self, name: str, features: list[str], who: str, why: str, version: str | int | None = None
    ) -> FeatureSet:
        """Record the choice of a set; it does not change what earlier runs were trained with.

        Raises:
            BadInput: The name is empty, or a feature can't be one.
            NotFound: The version lacks a column.
        """
        return choose_set(self.store, name, features, self._version(version), who=who, why=why)

    def revisions(self, name: str) -> list[FeatureSet]:
        """Return every choice of a set, newest first, those under its earlier names too.

        Raises:
            NotFound: Nobody has chosen it.
        """
        return revisions_of(self.store, name)

    def rename(self, name: str, new: str, who: str, why: str = "") -> FeatureSet:
        """Give a set another name; its history goes with it.

        Raises:
            NotFound: Nobody has chosen a set of this name.
            BadInput: The new name is not accepted or taken, or lemnis.toml refers to the old one.
        """
        config = load_config(self.store.workspace.config)
        taken = [config.features.set, *(preset.features for preset in config.presets.values())]
        return rename_set(self.store, name, new, taken=taken, who=who, why=why)

    def note(self, revision: int, note: str, who: str) -> None:
        """Add a remark to one choice of a set.

        Raises:
            NotFound: There is no such choice.
            BadInput: The note is empty or too long.
        """
        note_set(self.store, revision, note, who=who)

    def compare(self, first: str, second: str, version: str | int | None = None) -> SetDiff:
        """Return what the second set has more and less than the first; both as names or ``name@revision``.

        Raises:
            NotFound: One is not there.
        """
        return difference(self.feature_set(first, version), self.feature_set(second, version))

    def start_rank(self, version: str | int | None = None) -> int:
        """Queue the ranking of a version's columns (None: the latest) and return the job's id.

        Raises:
            NotFound: There is no such version.
        """
        found = self._version(version)
        return JobsRoom(self.store).submit("features.rank", f"Ranking of {found.title}", {"version": found.id})

    def start_associate(self, version: str | int | None = None) -> int:
        """Queue the association of every two columns of a version (None: the latest) and return the job's id.

        Raises:
            NotFound: There is no such version.
        """
        found = self._version(version)
        title = f"Association of the columns of {found.title}"
        return JobsRoom(self.store).submit("features.associate", title, {"version": found.id})


__all__ = [
    "FeatureScore",
    "FeatureSet",
    "FeaturesRoom",
    "Matrix",
    "Pair",
    "PairDetail",
    "Ranking",
    "SetDiff",
    "SetNote",
    "Spread",
]
