"""What a check says must agree with itself and with the code lists that are declared."""

from collections.abc import Callable, Iterator

from lemnis.engine.clock import parse_ms
from lemnis.engine.config.places import line_of
from lemnis.engine.config.records import Config
from lemnis.engine.config.validate import Check, CodeList, parse_age, parse_threshold
from lemnis.engine.errors import ConfigError

Fault = tuple[str, str, str]  # the key, what is wrong, what to do


def check_rules(config: Config, text: str, where: str) -> None:
    """Refuse checks and code lists that contradict themselves.

    Raises:
        ConfigError: With the line of the first that does.
    """
    names: set[str] = set()
    for number, check in enumerate(config.checks):
        faults = list(faults_of_check(check, config))
        if check.name in names:
            faults.append(("name", "a second check has this name", "Give each check a name of its own."))
        names.add(check.name)
        for key, problem, remedy in faults[:1]:
            line = line_of(text, ["checks", f"[{number}]", key])
            raise ConfigError(
                f"checks[{number}] ({check.name}): {problem}.", remedy, f"{where}:{line}" if line else where
            )
    for name, codes in config.code_lists.items():
        for key, problem, remedy in list(faults_of_list(codes))[:1]:
            line = line_of(text, ["code_lists", name, key])
            raise ConfigError(f"code_lists.{name}: {problem}.", remedy, f"{where}:{line}" if line else where)


def faults_of_check(check: Check, config: Config) -> Iterator[Fault]:
    """Yield what is wrong with one check."""
    if check.reference and "." not in check.reference:
        yield "reference", f"reference {check.reference!r} is not SOURCE.COLUMN", "Write for example planes.tailnum."
    for key in ("warn_if", "error_if"):
        yield from _refused(key, getattr(check, key), parse_threshold, "Write for example > 100 or > 1%.")
    yield from _refused("max_age", check.max_age, parse_age, "Write for example 36h or 2d.")
    if (check.warn_if or check.error_if) and check.allow:
        yield "allow", "allow and thresholds can't both hold", 'Write error_if = "> N" instead of allow.'
    if check.codes and check.codes not in config.code_lists:
        known = ", ".join(config.code_lists) or "none"
        yield "codes", f"there is no code list {check.codes!r}", f"Code lists: {known}. Declare [code_lists.NAME]."
    if check.codes and check.values:
        yield "values", "values and codes can't both hold", "Put the values into the code list."
    for key in ("min", "max"):
        bound = getattr(check, key)
        if isinstance(bound, str):
            if check.kind != "range":
                yield key, f"{key} {bound!r} is no number", "Only a range of times has dates as bounds."
            yield from _refused(key, bound, parse_ms, "Write a number, or a day as 2013-12-31.")
    if check.learned and (check.kind != "row_count" or check.min is not None or check.max is not None):
        yield "learned", "learned is for a row_count without min and max", "Leave one of them out."


def faults_of_list(codes: CodeList) -> Iterator[Fault]:
    """Yield what is wrong with one code list."""
    if codes.reference and "." not in codes.reference:
        yield "reference", f"reference {codes.reference!r} is not SOURCE.COLUMN", "Write for example airports.faa."
    seen: set[str] = set()
    for entry in codes.entries:
        if entry.code in seen:
            yield "codes", f"the code {entry.code!r} stands twice", "Leave one out."
        seen.add(entry.code)
        for day in filter(None, (entry.start, entry.end)):
            yield from _refused("codes", day, parse_ms, "Write a day as 2013-12-31.")
    for synonym, code in codes.synonyms.items():
        if not codes.reference and code not in seen:
            yield "synonyms", f"{synonym!r} stands for {code!r}, which is no code", "Add that code first."
        if synonym in seen:
            yield "synonyms", f"{synonym!r} is a code and a synonym", "Leave one out."


def _refused(key: str, value: str, parse: Callable[[str], object], remedy: str) -> Iterator[Fault]:
    try:
        if value:
            parse(value)
    except ValueError as error:
        yield key, f"{key}: {error}", remedy
