"""What no single key can tell: names that are declared nowhere, criteria without a bound, amounts that are no size."""

from lemnis.engine.config.cluster import cluster_problems
from lemnis.engine.config.data import Source
from lemnis.engine.config.labels import label_problems
from lemnis.engine.config.monitor import alert_problems
from lemnis.engine.config.places import line_of
from lemnis.engine.config.problem import CADENCES
from lemnis.engine.config.quotas import quota_problems, sizes_of
from lemnis.engine.config.records import Config
from lemnis.engine.config.retraining import parse_window
from lemnis.engine.config.share import remote_problems
from lemnis.engine.config.types import parse_bytes
from lemnis.engine.config.validate import parse_age
from lemnis.engine.errors import ConfigError


def check_names(config: Config, text: str, where: str) -> None:
    """Refuse references to sources that are not declared and criteria without a bound."""

    def refuse(problem: str, remedy: str, keys: list[str]) -> None:
        line = line_of(text, keys)
        raise ConfigError(problem, remedy, f"{where}:{line}" if line else where)

    declared = ", ".join(config.sources) or "none"
    if config.dataset.base and config.dataset.base not in config.sources:
        refuse(
            f"dataset.base names {config.dataset.base!r}, which is no source.",
            f"Sources: {declared}.",
            ["dataset", "base"],
        )
    for number, link in enumerate(config.dataset.links):
        if link.source not in config.sources:
            refuse(
                f"dataset.links[{number}] names {link.source!r}, which is no source.",
                f"Sources: {declared}.",
                ["dataset", "links", f"[{number}]", "source"],
            )
    for number, criterion in enumerate(config.problem.criteria):
        if (criterion.min is None) == (criterion.max is None):
            refuse(
                f"problem.criteria[{number}] ({criterion.metric}) needs either min or max.",
                "Give exactly one bound.",
                ["problem", "criteria", f"[{number}]", "metric"],
            )
    problems = [
        *label_problems(config.labels),
        *remote_problems(config.remotes),
        *cluster_problems(config.cluster),
        *quota_problems(config.pool),
        *alert_problems(config.monitor, config.alerts, config.contacts),
    ]
    for problem, remedy, keys in problems:
        refuse(problem, remedy, keys)


def check_sources(config: Config, text: str, where: str) -> None:
    """Refuse sources whose declarations contradict each other."""
    planned = {line.source for line in config.problem.acquisition if line.cadence.strip().lower() in CADENCES}
    for name, source in config.sources.items():
        wrong = next(((key, why, remedy) for key, bad, why, remedy in _contradictions(source) if bad), None)
        if wrong is None and source.sync == "scheduled" and name not in planned:
            why = "is scheduled, but the acquisition plan has no cadence for it that is known"
            wrong = ("sync", why, f"Add [[problem.acquisition]] with one of: {', '.join(CADENCES)}.")
        if wrong is not None:
            line = line_of(text, ["sources", name, wrong[0]]) or line_of(text, ["sources", name])
            raise ConfigError(f"sources.{name} {wrong[1]}.", wrong[2], f"{where}:{line}" if line else where)


def _contradictions(source: Source) -> list[tuple[str, bool, str, str]]:
    """Return of each rule the key, whether it is broken, what is wrong, and what to do."""
    delimited = source.format in ("csv", "csv-zip")
    lines = source.format in ("csv", "jsonl")
    wide = source.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    return [
        ("delimiter", delimited and len(source.delimiter) != 1, "needs one character as delimiter", "Set it."),
        ("quote", len(source.quote) > 1, "has a quote of several characters", "Give one, or none."),
        ("escape", len(source.escape) > 1, "has an escape of several characters", "Give one, or none."),
        ("decimal", delimited and source.decimal == source.delimiter, "parts cells by its decimal sign", "Set either."),
        ("header", not source.header and not delimited, "has no header to leave out", "Leave out header."),
        ("columns", source.header and bool(source.columns), "has a header and columns too", "Set header = false."),
        ("append", source.append and not lines, f"can't be appended to as {source.format}", "Leave out append."),
        ("append", source.append and wide, f"can't be appended to in {source.encoding}", "Leave out append."),
        ("query", bool(source.query) and source.format != "postgresql", "has a query but no database", "Name a table."),
        ("query", bool(source.query and source.table), "names a table and a query", "Leave out one."),
    ]


def check_sizes(config: Config, text: str, where: str) -> None:
    """Refuse amounts of memory that are no size, delays that are no length of time, and a window that is none."""
    ages = {("dataset", "label_delay"): config.dataset.label_delay or "0h"}
    ages[("retraining", "cool_down")] = config.retraining.cool_down or "0h"
    ages[("pool", "half_life")] = config.pool.half_life
    for keys, age in ages.items():
        try:
            parse_age(age)
        except ValueError as error:
            line = line_of(text, list(keys))
            place = f"{where}:{line}" if line else where
            raise ConfigError(f"{'.'.join(keys)}: {error}.", "Write for example 6h or 30d.", place) from None
    try:
        parse_window(config.retraining.window)
    except ValueError as error:
        line = line_of(text, ["retraining", "window"])
        place = f"{where}:{line}" if line else where
        raise ConfigError(f"retraining.window: {error}.", "Write for example last:90d.", place) from None
    sizes = dict(sizes_of(config.pool))
    sizes |= {("presets", name, "memory"): preset.memory or "0" for name, preset in config.presets.items()}
    for keys, size in sizes.items():
        try:
            parse_bytes(size)
        except ValueError as error:
            line = line_of(text, list(keys))
            place = f"{where}:{line}" if line else where
            raise ConfigError(f"{'.'.join(keys)}: {error}.", "Write for example 512MiB or 2GB.", place) from None
