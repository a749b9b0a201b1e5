"""Dependents: which feature sets and checks name the columns that a link brings."""

import re
from collections.abc import Iterable

from msgspec import Struct

from lemnis.engine.config import Check, Config
from lemnis.engine.data.drafts import brought, left_columns, without
from lemnis.engine.data.snapshots import current_snapshots
from lemnis.engine.features.sets import list_sets
from lemnis.engine.store import Store

MOST = 6  # names that are said of each kind


class Dependents(Struct, frozen=True, kw_only=True):
    """What names the columns that a dataset would lose.

    Attributes:
        columns: Those columns.
        feature_sets, checks: By name, with the columns that each one names.
    """

    columns: list[str]
    feature_sets: dict[str, list[str]]
    checks: dict[str, list[str]]

    @property
    def words(self) -> str:
        """``feature set wide (3 columns) and check temp_known use its columns``; empty when nothing does."""
        kinds = [
            named("feature set", [f"{name} ({len(columns)} of them)" for name, columns in self.feature_sets.items()]),
            named("check", list(self.checks)),
        ]
        said = [words for words in kinds if words]
        alone = len(self.feature_sets) + len(self.checks) == 1
        return f"{' and '.join(said)} {'uses' if alone else 'use'} its columns" if said else ""


def named(noun: str, names: list[str]) -> str:
    """Return things with their names: ``checks a, b``; empty when there are none."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{noun}{'s' * (len(names) > 1)} {', '.join(names[:MOST])}{more}" if names else ""


def link_dependents(store: Store, config: Config, position: int) -> Dependents:
    """Return what names the columns that a dataset would lose with its link at a position, from 1."""
    dataset = config.dataset
    shapes = {name: [column.name for column in one.columns] for name, one in current_snapshots(store).items()}
    rest = without(dataset, position)
    link = dataset.links[position - 1]
    kept = {*left_columns(rest, len(rest.links) + 1, shapes), *dataset.derive}
    lost = [name for name in brought(link, shapes.get(link.source, ())).values() if name not in kept]
    sets = {one.name: among(lost, one.features) for one in list_sets(store)}
    checks = {check.name: named_columns(check, lost) for check in config.checks if not check.source}
    return Dependents(
        columns=lost,
        feature_sets={name: columns for name, columns in sets.items() if columns},
        checks={name: columns for name, columns in checks.items() if columns},
    )


def named_columns(check: Check, columns: list[str]) -> list[str]:
    """Return those of some columns that a check of the dataset names, in its SQL too."""
    said = f"{check.condition}\n{check.query}"
    written = [name for name in columns if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said, re.IGNORECASE)]
    return among(columns, [*check.columns, check.column, *written])


def among(columns: list[str], names: Iterable[str]) -> list[str]:
    """Return those of some columns that are named, in their order."""
    wanted = set(names)
    return [name for name in columns if name in wanted]
