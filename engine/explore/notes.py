"""What a person should look at in a column, from its figures alone. Pure."""

from lemnis.engine.explore.profile import Note, Profile

MISSING = 0.2  # share of rows
NEARLY_CONSTANT = 0.99
SKEWED = 3.0  # Fisher skewness; an exponential distribution has 2
MANY_CATEGORIES = 50
MISSING_SHIFT = 0.1  # total variation between the classes where the value is missing and where it is present
UNIQUE_ROWS = 20  # fewer rows are unique by chance
FEW_ROWS = 100  # fewer rows say nothing about the classes


def column_notes(profile: Profile, *, infinite: int = 0, shift: float = 0.0) -> list[Note]:
    """Return the notes on one column, the most serious first.

    Args:
        profile: Its figures.
        infinite: Rows that hold an infinite number.
        shift: Total variation between the label's classes in rows without and with a value, in [0, 1].
    """
    present = profile.rows - profile.missing
    if not present:
        return [Note(word="empty", detail="No row has a value.")]
    found: list[tuple[bool, str, str]] = [
        (profile.distinct == 1, "constant", "Every value is the same: a model can learn nothing from it."),
        (infinite > 0, "infinite", f"{infinite:,} rows hold an infinite number; figures leave them out."),
        (
            profile.role != "label" and shift >= MISSING_SHIFT and min(profile.missing, present) >= FEW_ROWS,
            "missing with the target",
            f"The classes differ by {shift:.0%} between rows without and with a value: that it is missing tells "
            "something about the target, or it is known only afterwards.",
        ),
        (profile.missing_share >= MISSING, "missing", f"{profile.missing_share:.1%} of the rows have no value."),
        _nearly_constant(profile, present),
        _unique(profile, present),
        _many_categories(profile, present),
        (
            abs(profile.skewness or 0) >= SKEWED,
            "skewed",
            f"Skewness {profile.skewness or 0:.1f}: a long tail {'above' if (profile.skewness or 0) > 0 else 'below'}; "
            "its mean says little.",
        ),
    ]
    return [Note(word=word, detail=detail) for holds, word, detail in found if holds]


def _nearly_constant(profile: Profile, present: int) -> tuple[bool, str, str]:
    top = profile.top[0] if profile.top else None
    share = top.rows / present if top else 0.0
    return (
        profile.distinct > 1 and share >= NEARLY_CONSTANT,
        "nearly constant",
        f"{share:.1%} of the values are {top.value if top else ''}.",
    )


def _unique(profile: Profile, present: int) -> tuple[bool, str, str]:
    whole = profile.kind == "categorical" or profile.type.startswith(("int", "uint"))
    holds = whole and profile.distinct == present >= UNIQUE_ROWS
    return holds, "unique", "No value stands twice: an identifier, which a model would only memorise."


def _many_categories(profile: Profile, present: int) -> tuple[bool, str, str]:
    holds = profile.kind == "categorical" and MANY_CATEGORIES < profile.distinct < present
    return (
        holds,
        "high cardinality",
        f"{profile.distinct:,} categories, {present / max(profile.distinct, 1):,.0f} rows each on average.",
    )
