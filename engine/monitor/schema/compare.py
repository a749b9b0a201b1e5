"""What differs between the columns of two sets of rows: one finding a cause, renames before removals. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from lemnis.engine.monitor.policy import IMPORTANT_SHARE
from lemnis.engine.monitor.records import Verdict
from lemnis.engine.monitor.schema.records import Finding, Profile
from lemnis.engine.monitor.schema.renames import Rename, find_renames
from lemnis.engine.monitor.schema.units import LEAST, UnitGuess, guess_unit
from lemnis.engine.text import safe

BEYOND = 0.1  # share of the usual range that a value must be outside of it; new rows always widen it a little
EXPECTED = 20.0  # rows of a code that should have come, from which its absence is told
NAMED = 3
BREAKING = ("removed", "renamed", "type", "unit")
MANY = 0.05  # share of rows from which a difference is more than one to watch
HOLDS = {"number": "numbers", "truth": "truth values", "text": "text", "time": "times", "nothing": "no value"}


def differences(before: Sequence[Profile], after: Sequence[Profile]) -> list[Finding]:
    """Return what differs, in the order of the columns; since, place and verdict are the caller's to add.

    Args:
        before: Columns as the model learnt from them.
        after: Columns as they come now.
    """
    known, now = {one.name: one for one in before}, {one.name: one for one in after}
    gone = [one for one in before if one.name not in now]
    fresh = [one for one in after if one.name not in known]
    renames = find_renames(gone, fresh)
    paired = {pair.was.name for pair in renames} | {pair.now.name for pair in renames}
    found = [renamed(pair) for pair in renames]
    found += [removed(one) for one in gone if one.name not in paired]
    for one in before:
        if one.name in now:
            found += column_differences(one, now[one.name])
    return found + [added(one) for one in fresh if one.name not in paired]


def renamed(pair: Rename) -> Finding:
    """Return the finding of a column under another name."""
    unit = f", {pair.unit.words}" if pair.unit else ""
    return Finding(
        kind="renamed",
        column=pair.was.name,
        new_name=pair.now.name,
        conversion=factors(pair.unit),
        was=described(pair.was),
        now=f"{shown(pair.now.name)}{unit}",
        rows=pair.now.rows,
        of=pair.now.rows,
        evidence=pair.evidence,
        examples=pair.now.examples,
    )


def removed(one: Profile) -> Finding:
    """Return the finding of a column that no longer comes."""
    return Finding(kind="removed", column=one.name, was=described(one), now="absent")


def added(one: Profile) -> Finding:
    """Return the finding of a column that came anew."""
    return Finding(
        kind="added",
        column=one.name,
        was="absent",
        now=described(one),
        rows=one.rows,
        of=one.rows,
        examples=one.examples,
    )


def column_differences(was: Profile, now: Profile) -> list[Finding]:
    """Return what is new about a column that is still there."""
    if now.present and was.present and was.holds != now.holds:
        return [
            Finding(
                kind="type",
                column=was.name,
                was=described(was),
                now=HOLDS[now.holds],
                rows=now.present,
                of=now.rows,
                evidence=strange_values(was, now)[1],
                examples=strange_values(was, now)[0],
            )
        ]
    unit = guess_unit(was.quantiles, now.quantiles) if min(was.present, now.present) >= LEAST else None
    found = [missing(was, now), unit_change(was, now, unit) if unit else out_of_range(was, now)]
    return [one for one in [*found, new_codes(was, now), gone_codes(was, now)] if one is not None]


def strange_values(was: Profile, now: Profile) -> tuple[list[str], str]:
    """Return examples of values of another type, first those that explain it, and what they tell."""
    if was.holds == "number" and now.holds == "text" and now.readable > now.present / 2:
        if not now.strange:
            return now.examples, "every value reads as a number"
        plain = now.readable / now.present
        return list(now.strange), f"{plain:.1%} of the values read as numbers, the others are {listed(now.strange)}"
    return now.examples, ""


def is_number(text: str) -> bool:
    """Say whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def missing(was: Profile, now: Profile) -> Finding | None:
    """Return the finding of missing values where there were none."""
    if was.missing or not now.missing or not was.rows:
        return None
    return Finding(
        kind="nullability",
        column=was.name,
        was="never missing",
        now=f"{now.missing / now.rows:.1%} missing",
        rows=now.missing,
        of=now.rows,
    )


def unit_change(was: Profile, now: Profile, unit: UnitGuess) -> Finding:
    """Return the finding of values in another unit."""
    median = len(was.quantiles) // 2
    return Finding(
        kind="unit",
        column=was.name,
        conversion=factors(unit),
        was=f"median {was.quantiles[median]:g}",
        now=f"median {now.quantiles[median]:g}: {unit.words}",
        rows=now.present,
        of=now.rows,
        evidence=f"{unit.unconverted:.2g} ranges of the middle half away, {unit.distance:.2g} once converted",
        examples=now.examples,
    )


def factors(unit: UnitGuess | None) -> list[float]:
    """Return factor and offset of a guess; none of none."""
    return [unit.conversion.factor, unit.conversion.offset] if unit else []


def out_of_range(was: Profile, now: Profile) -> Finding | None:
    """Return the finding of numbers well outside of what there was."""
    if not was.quantiles or not now.quantiles:
        return None
    low, high = was.quantiles[0], was.quantiles[-1]
    room = BEYOND * (high - low)
    below, above = now.quantiles[0] < low - room, now.quantiles[-1] > high + room
    if not (below or above):
        return None
    sides = [f"down to {now.quantiles[0]:g}"] * below + [f"up to {now.quantiles[-1]:g}"] * above
    return Finding(
        kind="range", column=was.name, was=f"{low:g} to {high:g}", now=" and ".join(sides), of=now.rows,
        examples=[f"{now.quantiles[0]:g}"] * below + [f"{now.quantiles[-1]:g}"] * above,
    )  # fmt: skip


def new_codes(was: Profile, now: Profile) -> Finding | None:
    """Return the finding of texts that did not occur, where all that did are known."""
    if not (was.codes and was.whole):
        return None
    fresh = {code: rows for code, rows in now.codes.items() if code not in was.codes}
    if not fresh:
        return None
    return Finding(
        kind="code",
        column=was.name,
        was=f"{len(was.codes):,} codes",
        now=f"{len(fresh):,} new: {listed(fresh)}",
        rows=sum(fresh.values()),
        of=now.rows,
        examples=list(fresh),
    )


def gone_codes(was: Profile, now: Profile) -> Finding | None:
    """Return the finding of texts that should have come by now and did not."""
    if not (was.codes and was.present and now.codes and now.whole):
        return None
    gone = {
        code: rows
        for code, rows in was.codes.items()
        if code not in now.codes and rows / was.present * now.present >= EXPECTED
    }
    if not gone:
        return None
    share = sum(gone.values()) / was.present
    return Finding(
        kind="code gone",
        column=was.name,
        was=f"{share:.1%} of the rows: {listed(gone)}",
        now="none",
        of=now.rows,
        examples=list(gone),
    )


def listed(codes: Mapping[str, int]) -> str:
    """Return the commonest codes with their rows."""
    ordered = sorted(codes.items(), key=lambda one: (-one[1], one[0]))
    more = ", …" if len(ordered) > NAMED else ""
    return ", ".join(f"{shown(code)} ({rows:,})" for code, rows in ordered[:NAMED]) + more


def described(one: Profile) -> str:
    """Return what a column holds, in words."""
    if one.quantiles:
        return f"numbers from {one.quantiles[0]:g} to {one.quantiles[-1]:g}"
    if one.codes:
        return f"text, {len(one.codes):,}{'' if one.whole else ' or more'} different"
    return HOLDS[one.holds]


def shown(text: str) -> str:
    """Return a name or code as it is shown within a sentence."""
    return safe(text, limit=40)


def judged(finding: Finding, importance: float | None) -> Finding:
    """Return a finding with its verdict: `drift` where it breaks an important column or many rows, else `watch`.

    Args:
        finding: Without a verdict.
        importance: The column's share of the model's gain; None where the model does not take it.
    """
    breaks = finding.kind in BREAKING and (finding.refused or importance is not None)
    many = bool(finding.of) and finding.rows / finding.of >= MANY and (importance or 0.0) >= IMPORTANT_SHARE
    verdict: Verdict = "drift" if breaks or many else "watch"
    return msgspec.structs.replace(finding, verdict=verdict, importance=importance)
