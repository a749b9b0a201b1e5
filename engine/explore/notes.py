"""What a person should look at in a column, from its figures alone. Pure."""

import re

from lemnis.engine.explore.profile import Note, Profile, acts

MISSING = 0.2  # share of rows
NEARLY_CONSTANT = 0.99
SKEWED = 3.0  # Fisher skewness; an exponential distribution has 2
MANY_CATEGORIES = 50
MISSING_SHIFT = 0.1  # total variation between the classes where the value is missing and where it is present
UNIQUE_ROWS = 20  # fewer rows are unique by chance
FEW_ROWS = 100  # fewer rows say nothing about the classes
ZEROS = 0.5  # share of the values
OUTLIERS = 0.01  # share of the values beyond the robust fences
DRIFTED = 0.25  # PSI
UNIFORM = 0.01  # largest distance of a quantile from the straight line
UNIFORM_VALUES = 100  # fewer different values are even by design
WRITTEN = 0.95  # share of the most frequent values that look like a date or a number
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}년 ?\d{1,2}월 ?\d{1,2}일"
)
NUMBER = re.compile(r"[-+−]?[\d ,.']*\d([eE][-+]?\d+)?\s?[%$€£₩원]?")

TELLS_TOO_MUCH = 0.4  # share of the target's uncertainty: what is known beforehand seldom tells so much

Found = tuple[bool, str, str]


def column_notes(profile: Profile, *, shift: float = 0.0) -> list[Note]:
    """Return the notes on one column, the most serious first.

    Args:
        profile: Its figures and findings.
        shift: Total variation between the label's classes in rows without and with a value, in [0, 1].
    """
    if not profile.present:
        return [Note(word="empty", detail="No row has a value.")]
    found = [
        *_about_values(profile),
        *_about_missing(profile, shift),
        *_about_categories(profile),
        *_about_numbers(profile),
        *_about_time(profile),
    ]
    return [Note(word=word, detail=detail, act=acts(word, profile.role)) for holds, word, detail in found if holds]


def _about_values(profile: Profile) -> list[Found]:
    top = profile.top[0] if profile.top else None
    share = top.rows / profile.present if top else 0.0
    infinite, drift = profile.findings.infinite, profile.findings.drift or 0.0
    tells = profile.findings.association or 0.0
    whole = profile.kind == "categorical" or profile.type.startswith(("int", "uint"))
    return [
        (profile.distinct == 1, "constant", "Every value is the same: a model can learn nothing from it."),
        (infinite > 0, "infinite", f"{infinite:,} rows hold an infinite number; figures leave them out."),
        (
            profile.distinct > 1 and share >= NEARLY_CONSTANT,
            "nearly constant",
            f"{share:.1%} of the values are {top.value if top else ''}.",
        ),
        (
            whole and profile.exact and profile.distinct == profile.present >= UNIQUE_ROWS,
            "unique",
            "No value stands twice: an identifier, which a model would only memorise.",
        ),
        (
            drift >= DRIFTED and profile.kind != "time",
            "drifted",
            f"PSI {drift:.2f} against {profile.findings.drift_from}: its values are spread otherwise than before.",
        ),
        (
            profile.role == "feature" and tells >= TELLS_TOO_MUCH,
            "tells too much",
            f"It takes away {tells:.0%} of the target's uncertainty: is it known when the model has to answer?",
        ),
    ]


def _about_missing(profile: Profile, shift: float) -> list[Found]:
    few = min(profile.missing, profile.present) < FEW_ROWS
    return [
        (
            profile.role != "label" and shift >= MISSING_SHIFT and not few,
            "missing with the target",
            f"The classes differ by {shift:.0%} between rows without and with a value: that it is missing tells "
            "something about the target, or it is known only afterwards.",
        ),
        (profile.missing_share >= MISSING, "missing", f"{profile.missing_share:.1%} of the rows have no value."),
    ]


def _about_categories(profile: Profile) -> list[Found]:
    if profile.kind != "categorical":
        return []
    findings, lengths = profile.findings, profile.findings.lengths
    groups = findings.spellings
    nested = profile.type.startswith(("list", "large_list", "fixed_size_list", "struct", "map", "binary"))
    pair = " and ".join(repr(value.value) for value in groups[0].values[:2]) if groups else ""
    return [
        (
            nested,
            "nested",
            f"Values are {profile.type.partition('<')[0]}s: no figure fits them, their text is counted.",
        ),
        (
            bool(groups),
            "spellings",
            f"{len(groups)} categories are probably spelled in several ways, such as {pair}: "
            f"{groups[0].rule if groups else ''}.",
        ),
        (
            lengths is not None and lengths.blank > 0,
            "blank",
            f"{lengths.blank if lengths else 0:,} rows hold only spaces.",
        ),
        (_written(profile, DATE), "date as text", "The values look like dates; make them times to sort and split by."),
        (
            _written(profile, NUMBER) and not _written(profile, DATE),
            "number as text",
            "The values look like numbers; as text they sort and compare by letters.",
        ),
        (
            lengths is not None and lengths.shortest == lengths.longest > 1 and profile.distinct > MANY_CATEGORIES,
            "constant length",
            f"Every value has {lengths.longest if lengths else 0} characters: a code or an identifier.",
        ),
        (
            MANY_CATEGORIES < profile.distinct < profile.present,
            "high cardinality",
            f"{profile.distinct:,} categories, {profile.present / max(profile.distinct, 1):,.0f} rows each on average.",
        ),
    ]


def _written(profile: Profile, pattern: re.Pattern[str]) -> bool:
    words = [top.value.strip() for top in profile.top]
    return bool(words) and sum(bool(pattern.fullmatch(word)) for word in words) >= WRITTEN * len(words)


def is_uniform(quantiles: dict[str, float], low: float, high: float) -> bool:
    """Return whether quantiles by share lie on a straight line between the two ends."""
    width = high - low
    return width > 0 and all(abs((value - low) / width - float(part)) < UNIFORM for part, value in quantiles.items())


def _about_numbers(profile: Profile) -> list[Found]:
    if profile.kind != "numeric":
        return []
    zeros, skewness = profile.findings.zeros / profile.present, profile.skewness or 0.0
    robust = next((one for one in profile.findings.outliers if one.rule == "robust z"), None)
    ends = [float(end) for end in (profile.minimum, profile.maximum) if end is not None]
    even = profile.distinct >= UNIFORM_VALUES and len(ends) == 2 and is_uniform(profile.quantiles, ends[0], ends[1])
    return [
        (
            robust is not None and robust.rows >= OUTLIERS * profile.present,
            "outliers",
            f"{robust.rows if robust else 0:,} values lie more than 3.5 robust deviations from the median.",
        ),
        (
            abs(skewness) >= SKEWED,
            "skewed",
            f"Skewness {skewness:.1f}: a long tail {'above' if skewness > 0 else 'below'}; its mean says little.",
        ),
        (ZEROS <= zeros < 1, "zeros", f"{zeros:.1%} of the values are 0."),
        (
            even and profile.distinct < profile.present,
            "uniform",
            "The values are spread evenly between their ends: often a counter or a made-up number.",
        ),
    ]


def _about_time(profile: Profile) -> list[Found]:
    coverage = profile.findings.coverage
    if coverage is None or not profile.exact:
        return []
    return [
        (
            coverage.empty > 0,
            "gaps",
            f"{coverage.empty:,} of {len(coverage.counts):,} {coverage.unit}s have no row.",
        )
    ]
