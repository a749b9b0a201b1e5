"""Feature sets: each choice is an event with who and why; the latest of a name counts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Features
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.features.records import FeatureSet, SetDiff, SetNote
from lemnis.engine.features.scores import is_candidate, list_scores
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version

LONGEST_NAME, LONGEST_NOTE = 100, 10_000
DECLARED = "lemnis.toml"  # who chose a set that nobody has chosen yet


SETS = "select id, name, features, why, who, at, renamed_from from feature_sets s"
# A name that was given away is no set any more, unless it was chosen again afterwards.
GONE = "exists (select 1 from feature_sets later where later.renamed_from = s.name and later.id > s.id)"


def list_sets(store: Store, *, history: bool = False) -> list[FeatureSet]:
    """Return the latest choice of every set, newest first; every choice ever made with `history`."""
    latest = f"id in (select max(id) from feature_sets group by name) and not {GONE}"
    return _sets(store, f"{SETS} where {'true' if history else latest} order by id desc", [])


def revisions_of(store: Store, name: str) -> list[FeatureSet]:
    """Return every choice of a set, newest first, those under its earlier names too.

    Raises:
        NotFound: Nobody has chosen a set of this name.
    """
    found: list[FeatureSet] = []
    before: int | None = None
    while name:
        rows = _sets(store, f"{SETS} where name = ? and (? is null or id < ?) order by id desc", [name, before, before])
        # What stands before a renaming belongs to a set of the same name that was there earlier.
        own = rows[: next((at + 1 for at, one in enumerate(rows) if one.renamed_from), len(rows))]
        found += own
        name = own[-1].renamed_from if own else ""
        before = own[-1].revision if own else None
    if not found:
        raise NotFound("Nobody has chosen this set yet.", "Choose it with `lemnis features select`.")
    return found


def find_set(store: Store, name: str, declared: Features, version: "Version | None") -> FeatureSet:
    """Return a set by name, or a choice of it as ``name@revision``; one nobody chose is made if it is the declared one.

    Args:
        store: The state.
        name: Its name; empty for the declared one.
        declared: The [features] of lemnis.toml.
        version: What the computed set is made of; None if there is no version yet.

    Raises:
        NotFound: There is no such set, or it has another name now.
    """
    name, _, revision = (name or declared.set).partition("@")
    if revision:
        found = [one for one in list_sets(store, history=True) if one.name == name and str(one.revision) == revision]
        if not found:
            raise NotFound(f"Set {name!r} has no revision {revision}.", f"Look at `lemnis features show {name}`.")
        return found[0]
    found = [one for one in list_sets(store) if one.name == name]
    if found:
        return found[0]
    later = store.value("select name from feature_sets where renamed_from = ? order by id desc limit 1", [name])
    if later is not None:
        raise NotFound(f"The feature set {name!r} is called {later!r} now.", "Use that name.")
    if name not in (declared.set, "default") or version is None:
        known = ", ".join(one.name for one in list_sets(store)) or declared.set
        raise NotFound(f"There is no feature set {name!r}.", f"Known: {known}.")
    return declared_set(store, name, declared, version)


def declared_set(store: Store, name: str, declared: Features, version: "Version") -> FeatureSet:
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
    store: Store, name: str, features: list[str], version: "Version", *, who: str, why: str, now: int | None = None
) -> FeatureSet:
    """Record a choice and return it; the earlier choices of this name stay in the history.

    Raises:
        BadInput: The name is empty, no feature is given, one twice, or one can't be a feature.
        NotFound: The version lacks a column.
    """
    name = name.strip()
    check_name(name)
    if not features:
        raise BadInput("A feature set needs at least one feature.", "Mark features with space.")
    twice = sorted({feature for feature in features if features.count(feature) > 1})
    if twice:
        raise BadInput(f"{twice[0]} is named twice.", "Name each feature once.")
    for feature in features:
        if not is_candidate(version.column(feature)):
            raise BadInput(f"{feature} can't be a feature: it is a label, a key or a time.", "Leave it out.", feature)
    return _add(store, name, features, who=who, why=why, now=now)


def check_name(name: str) -> None:
    """Refuse a name that is empty or that a reference could not tell from a revision."""
    if not name or "@" in name or len(name) > LONGEST_NAME:
        raise BadInput(
            f"A feature set needs a name of 1 to {LONGEST_NAME} characters without @.", "Give it another name."
        )


def rename_set(store: Store, name: str, new: str, *, taken: Sequence[str], who: str, why: str) -> FeatureSet:
    """Give a set another name by a new event; its history goes with it. Return the set under its new name.

    Args:
        store: The state.
        name: The set.
        new: Its name from now on.
        taken: Names that lemnis.toml refers to: they can't be given away.
        who: Who renames it.
        why: The reason.

    Raises:
        NotFound: Nobody has chosen a set of this name.
        BadInput: The new name is not accepted or is another set's, or lemnis.toml refers to the old one.
    """
    new = new.strip()
    check_name(new)
    known = {one.name: one for one in list_sets(store)}
    if name not in known:
        raise NotFound(f"There is no chosen feature set {name!r}.", f"Known: {', '.join(known) or 'none'}.")
    if new in known:
        raise BadInput(f"There is a feature set {new!r} already.", "Give it another name.")
    if name in taken:
        raise BadInput(f"lemnis.toml names the set {name!r}.", "Change features.set or the preset there first.", name)
    return _add(store, new, known[name].features, who=who, why=why or f"renamed from {name}", renamed_from=name)


def note_set(store: Store, revision: int, note: str, *, who: str) -> None:
    """Add a remark to one choice of a set.

    Raises:
        NotFound: There is no such choice.
        BadInput: The note is empty or too long.
    """
    note = note.strip()
    if not note or len(note) > LONGEST_NOTE:
        raise BadInput(f"A note has 1 to {LONGEST_NOTE:,} characters.", "Write what others should know.")
    if store.value("select 1 from feature_sets where id = ?", [revision]) is None:
        remedy = "List them with `lemnis features sets --history`."
        raise NotFound(f"There is no revision {revision} of a feature set.", remedy)
    with store.write() as db:
        db.table("feature_set_notes").insert({"revision": revision, "note": note, "who": who, "at": now_ms()})


def difference(first: FeatureSet, second: FeatureSet) -> SetDiff:
    """Return what the second set has more and less than the first."""
    return SetDiff(
        first=first.reference,
        second=second.reference,
        added=[name for name in second.features if name not in first.features],
        removed=[name for name in first.features if name not in second.features],
        kept=[name for name in first.features if name in second.features],
    )


def _add(
    store: Store,
    name: str,
    features: list[str],
    *,
    who: str,
    why: str,
    now: int | None = None,
    renamed_from: str = "",
) -> FeatureSet:
    row = {
        "name": name,
        "features": msgspec.json.encode(features).decode(),
        "why": why,
        "who": who,
        "at": now_ms() if now is None else now,
        "renamed_from": renamed_from,
    }
    with store.write() as db:
        db.table("feature_sets").insert(row)
    return list_sets(store)[0]


def _sets(store: Store, sql: str, values: list[Any]) -> list[FeatureSet]:  # Any: what SQLite takes
    notes: dict[int, list[SetNote]] = {}
    for row in store.rows("select revision, note, who, at from feature_set_notes order by id"):
        notes.setdefault(row["revision"], []).append(SetNote(note=row["note"], who=row["who"], at=row["at"]))
    return [
        FeatureSet(
            name=row["name"],
            features=msgspec.json.decode(row["features"], type=list[str]),
            why=row["why"],
            who=row["who"],
            at=row["at"],
            revision=row["id"],
            renamed_from=row["renamed_from"],
            notes=notes.get(row["id"], []),
        )
        for row in store.rows(sql, values)
    ]
