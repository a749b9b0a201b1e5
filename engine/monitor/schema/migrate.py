"""What to do about a finding: edits of lemnis.toml where it can be taken in, else words for the sender. Pure."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.config import Check, Config
from lemnis.engine.monitor.schema.compare import is_number, shown
from lemnis.engine.monitor.schema.records import REQUESTS, Edit, Finding

MOST_CODES = 20  # new ones that are proposed at once; more is rather another column than new codes
MOST_NULLS = 5
RETRAIN = "A model learns it only by being trained on such rows."


def with_migration(finding: Finding, config: Config) -> Finding:
    """Return a finding with its advice and the edits that would take it in."""
    advice, edits = (at_sender if finding.source == REQUESTS else at_source)(finding, config)
    return msgspec.structs.replace(finding, advice=advice, edits=edits)


def at_sender(finding: Finding, config: Config) -> tuple[str, list[Edit]]:
    """Return advice and edits for what comes with requests; their form is the sender's to mend."""
    column, back = shown(finding.column), undone(finding.conversion)
    back = f", {back}" if back else ""
    match finding.kind:
        case "renamed":
            return f"Ask the sender to call {shown(finding.new_name)} {column} again{back}.", []
        case "removed":
            return f"Ask the sender for {column}, as null where it has no value; or train a model without it.", []
        case "type":
            return f"Ask the sender for {column} as it was: {finding.was}.", []
        case "unit":
            return f"Ask the sender for {column} in its former unit{back}.", []
        case "code":
            edits = code_edits(finding, config)
            return RETRAIN + (" The code list should know them too, if they are right." if edits else ""), edits
        case "nullability":
            return f"Ask the sender why {column} is missing. {RETRAIN}", nullable_edits(finding, config)
        case "range":
            return f"Check whether such values can be. {RETRAIN}", range_edits(finding, config)
        case "code gone":
            return "Ask the sender whether these rows go elsewhere now.", []
        case "added":
            return f"The model does not take {column}; it is ignored, or refused by the v2 protocol.", []
        case "malformed":
            return "Ask the sender for one value a feature.", []


def at_source(finding: Finding, config: Config) -> tuple[str, list[Edit]]:
    """Return advice and edits for what a source's new snapshot holds."""
    column, source, back = shown(finding.column), shown(finding.source), undone(finding.conversion)
    match finding.kind:
        case "renamed":
            rename = Edit(act="rename", target=finding.source, column=finding.new_name, texts=[finding.column])
            words = f"Call it {column} again when {source} is read{f', and convert it: {back}' if back else ''}."
            return words, [rename, *scale_edits(finding)]
        case "unit":
            return f"Convert it when {source} is read: {back}.", scale_edits(finding)
        case "type":
            return type_edits(finding, config)
        case "code":
            return f"Take the new codes in, if they are right. {RETRAIN}", code_edits(finding, config)
        case "nullability":
            return f"Let it be missing, if it may be. {RETRAIN}", nullable_edits(finding, config)
        case "range":
            return f"Widen what is accepted, if such values can be. {RETRAIN}", range_edits(finding, config)
        case "removed":
            return f"Ask whoever writes {source} for {column}; what links, derives or learns from it fails else.", []
        case "code gone":
            return f"Ask whoever writes {source} whether these rows are missing.", []
        case "added":
            return "Nothing needs it. Offer it to the models in [features] if it is known in time.", []
        case "malformed":
            return "", []


def undone(conversion: Sequence[float]) -> str:
    """Return what turns values back, in words; empty where nothing is converted."""
    if not conversion:
        return ""
    factor, offset = inverse(conversion)
    return f"value × {factor:.6g}" + (f" {'+' if offset > 0 else '−'} {abs(offset):.6g}" if offset else "")


def inverse(conversion: Sequence[float]) -> tuple[float, float]:
    """Return factor and offset that undo a conversion."""
    factor, offset = conversion
    return float(f"{1 / factor:.9g}"), float(f"{-offset / factor:.9g}") + 0.0


def scale_edits(finding: Finding) -> list[Edit]:
    """Return the edit that turns a source's values back, where they came in another unit."""
    if not finding.conversion:
        return []
    return [Edit(act="scale", target=finding.source, column=finding.column, numbers=list(inverse(finding.conversion)))]


def type_edits(finding: Finding, config: Config) -> tuple[str, list[Edit]]:
    """Return what makes a column of numbers again of one that has become text: the texts that mean no value."""
    source = config.sources.get(finding.source)
    strange = [text for text in finding.examples if not is_number(text)]
    delimited = source is not None and source.format in ("csv", "csv-zip")
    readable = finding.now == "text" and finding.was.startswith("number") and bool(finding.evidence)
    if readable and delimited and 0 < len(strange) <= MOST_NULLS:
        words = f"Read {', '.join(map(repr, strange))} as missing: the other values are numbers."
        return words, [Edit(act="null", target=finding.source, column=finding.column, texts=strange)]
    return f"Ask whoever writes {shown(finding.source)} for {finding.was}.", []


def code_edits(finding: Finding, config: Config) -> list[Edit]:
    """Return the edits that let the checks of a column accept its new codes."""
    if len(finding.examples) > MOST_CODES:
        return []
    return [
        Edit(act="code", target=check.name, column=finding.column, texts=finding.examples)
        for check in checks_of(finding, config, "code_list")
        if check.codes or check.values
    ]


def nullable_edits(finding: Finding, config: Config) -> list[Edit]:
    """Return the edits that let a column be missing."""
    checks = checks_of(finding, config, "not_null")
    return [Edit(act="nullable", target=check.name, column=in_check(finding, check)) for check in checks]


def in_check(finding: Finding, check: Check) -> str:
    """Return what a check calls the column."""
    return finding.column if check.source or not finding.feature else finding.feature


def range_edits(finding: Finding, config: Config) -> list[Edit]:
    """Return the edits that widen the ranges which a column's new values leave."""
    found: list[Edit] = []
    values = [float(text) for text in finding.examples]
    for check in checks_of(finding, config, "range"):
        if isinstance(check.min, float) and values and min(values) <= check.min:
            found.append(Edit(act="low", target=check.name, column=finding.column, numbers=[min(values)]))
        if isinstance(check.max, float) and values and max(values) >= check.max:
            found.append(Edit(act="high", target=check.name, column=finding.column, numbers=[max(values)]))
    return found


def checks_of(finding: Finding, config: Config, kind: str) -> list[Check]:
    """Return the checks of a kind that look at a column, of the dataset or of the finding's source."""
    name = finding.column if finding.source == REQUESTS else finding.feature or None
    return [
        check
        for check in config.checks
        if check.kind == kind
        and (
            (check.source == finding.source and finding.column in (check.column, *check.columns))
            or (not check.source and name in (check.column, *check.columns))
        )
    ]
