"""Feature sets: each choice is an event with who and why; the latest of a name counts."""

from typing import Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Features
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.features.records import FeatureSet
from lemnis.engine.features.scores import is_candidate, list_scores
from lemnis.engine.store import Store

DECLARED = "lemnis.toml"  # who chose a set that nobody has chosen yet


def list_sets(store: Store, *, history: bool = False) -> list[FeatureSet]:
    """Return the latest choice of every name, newest first; every choice ever made with `history`."""
    rows = store.rows(
        """select id, name, features, why, who, at from feature_sets
           where ? or id in (select max(id) from feature_sets group by name) order by id desc""",
        [int(history)],
    )
    return [_set(row) for row in rows]


def find_set(store: Store, name: str, declared: Features, version: Version | None) -> FeatureSet:
    """Return a set by name; one that nobody has chosen is computed if it is the declared one.

    Args:
        store: The state.
        name: Its name; empty for the declared one.
        declared: The [features] of lemnis.toml.
        version: What the computed set is made of; None if there is no version yet.

    Raises:
        NotFound: There is no such set.
    """
    name = name or declared.set
    row = store.row(
        "select id, name, features, why, who, at from feature_sets where name = ? order by id desc limit 1", [name]
    )
    if row is not None:
        return _set(row)
    if name not in (declared.set, "default") or version is None:
        known = ", ".join(found.name for found in list_sets(store)) or declared.set
        raise NotFound(f"There is no feature set {name!r}.", f"Known: {known}.")
    return declared_set(store, name, declared, version)


def declared_set(store: Store, name: str, declared: Features, version: Version) -> FeatureSet:
    """Return what lemnis.toml offers (all columns if it names none) without what is suspected or declared as later."""
    leaks = {score.name for score in list_scores(store, version.id) if score.leakage} | set(declared.after)
    usable = [column.name for column in version.columns if is_candidate(column)]
    for wanted in declared.offered:
        if wanted not in usable:
            version.column(wanted)
            raise BadInput(
                f"features.offered names {wanted!r}, which can't be a feature.",
                "Take it out: a label, a key or a time is none.",
                "lemnis.toml",
            )
    offered = declared.offered or usable
    why = "offered in lemnis.toml" if declared.offered else "every column of the dataset"
    left_out = [feature for feature in offered if feature in leaks]
    if left_out:
        why += f", without {', '.join(left_out)}"
    return FeatureSet(name=name, features=[f for f in offered if f not in leaks], why=why, who=DECLARED)


def choose_set(
    store: Store, name: str, features: list[str], version: Version, *, who: str, why: str, now: int | None = None
) -> FeatureSet:
    """Record a choice and return it; the earlier choices of this name stay in the history.

    Raises:
        BadInput: The name is empty, no feature is given, one twice, or one can't be a feature.
        NotFound: The version lacks a column.
    """
    name = name.strip()
    if not name or not features:
        raise BadInput("A feature set needs a name and at least one feature.", "Mark features with space.")
    twice = sorted({feature for feature in features if features.count(feature) > 1})
    if twice:
        raise BadInput(f"{twice[0]} is named twice.", "Name each feature once.")
    for feature in features:
        if not is_candidate(version.column(feature)):
            raise BadInput(f"{feature} can't be a feature: it is a label, a key or a time.", "Leave it out.", feature)
    with store.write() as db:
        db.table("feature_sets").insert(
            {
                "name": name,
                "features": msgspec.json.encode(features).decode(),
                "why": why,
                "who": who,
                "at": now_ms() if now is None else now,
            }
        )
    return list_sets(store)[0]


def _set(row: Any) -> FeatureSet:  # Any: a row of SQLite
    return FeatureSet(
        name=row["name"],
        features=msgspec.json.decode(row["features"], type=list[str]),
        why=row["why"],
        who=row["who"],
        at=row["at"],
        revision=row["id"],
    )
