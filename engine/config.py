"""lemnis.toml as typed records: what people declare, read with msgspec, refused with the line that is wrong."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from lemnis.engine.errors import ConfigError

Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
LIMIT_BYTES = 1_000_000


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of lemnis.toml; a key it does not know is an error."""


class Value(Declared, frozen=True):
    """Money per answered case, in the problem's currency; negative is a cost."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


class Criterion(Declared, frozen=True):
    """One success criterion; it is the gate a model must pass: give `min` or `max`."""

    metric: str
    min: float | None = None
    max: float | None = None
    on: Literal["train", "validation", "test"] = "test"
    why: str = ""


class Acquisition(Declared, frozen=True):
    """How one source is to arrive."""

    source: Name
    cadence: str = ""
    expected_rows: Count = 0
    owner: str = ""
    note: str = ""


class Problem(Declared, frozen=True):
    """What is to be answered, for whom, and what a right and a wrong answer are worth."""

    title: str = ""
    question: str = ""
    task: Literal["binary", "multiclass", "regression"] = "binary"
    target: str = ""
    unit: str = ""
    decided: str = ""
    owner: str = ""
    currency: str = "USD"
    threshold: Share = 0.5
    value: Value = Value()
    criteria: list[Criterion] = field(default_factory=list[Criterion])
    acquisition: list[Acquisition] = field(default_factory=list[Acquisition])


SourceFormat: TypeAlias = Literal["csv", "csv-zip", "parquet", "jsonl", "sqlite"]


class Source(Declared, frozen=True):
    """Where rows come from; `path` is relative to the workspace unless absolute."""

    path: str
    format: SourceFormat = "csv"
    table: str = ""
    member: str = ""
    delimiter: str = ","
    null: list[str] = field(default_factory=lambda: [""])
    types: dict[str, str] = field(default_factory=dict[str, str])


class Link(Declared, frozen=True):
    """A left join of one source to the base: `on` maps left columns or expressions to the source's columns."""

    source: Name
    on: dict[str, str]
    columns: list[str] = field(default_factory=list[str])
    prefix: str = ""


class Span(Declared, frozen=True):
    """Rows whose time is at or after `start` and before `end` (ISO dates, UTC)."""

    start: str
    end: str


class Split(Declared, frozen=True):
    """The time-based split; a row belongs to the part whose span holds its time."""

    train: Span | None = None
    validation: Span | None = None
    test: Span | None = None


class Dataset(Declared, frozen=True):
    """How sources become one table: base, links, derived columns, roles and split."""

    name: Name = "dataset"
    base: str = ""
    links: list[Link] = field(default_factory=list[Link])
    derive: dict[str, str] = field(default_factory=dict[str, str])
    where: str = ""
    key: list[str] = field(default_factory=list[str])
    time: str = ""
    split: Split = Split()


class Check(Declared, frozen=True):
    """One validation rule over the dataset or one of its sources; `allow` failing rows are still fine."""

    name: Name
    kind: Literal["row_count", "not_null", "unique", "code_list", "reference", "range", "sql"]
    source: str = ""
    column: str = ""
    columns: list[str] = field(default_factory=list[str])
    values: list[str] = field(default_factory=list[str])
    reference: str = ""
    min: float | None = None
    max: float | None = None
    query: str = ""
    severity: Literal["warn", "fail"] = "fail"
    allow: Count = 0
    owner: str = ""
    why: str = ""


class Features(Declared, frozen=True):
    """What a model may be offered; `after` names columns known only after the decision."""

    set: str = "default"
    offered: list[str] = field(default_factory=list[str])
    after: list[str] = field(default_factory=list[str])


class Preset(Declared, frozen=True):
    """One way to train: LightGBM parameters and how long."""

    algorithm: Literal["lightgbm"] = "lightgbm"
    rounds: Annotated[int, Meta(ge=1, le=100_000)] = 200
    early_stopping: Count = 0
    seed: int = 1
    device: Literal["auto", "cpu", "gpu", "cuda"] = "cpu"
    cores: Annotated[int, Meta(ge=1, le=1024)] = 1
    memory: str = "1GiB"
    features: str = ""
    parameters: dict[str, bool | int | float | str] = field(default_factory=dict[str, bool | int | float | str])


class Endpoint(Declared, frozen=True):
    """One model server: which alias it answers with, and where."""

    model: Name
    alias: Name = "champion"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0


class Monitor(Declared, frozen=True):
    """How served rows are cut into windows and judged against the training reference."""

    window: Literal["hour", "day", "week", "month"] = "day"
    bins: Annotated[int, Meta(ge=2, le=100)] = 10
    min_rows: Annotated[int, Meta(ge=1)] = 200
    psi_watch: float = 0.1
    psi_drift: float = 0.25


Watchable: TypeAlias = Literal[
    "max_psi",
    "important_psi",
    "weighted_psi",
    "prediction_psi",
    "missing_rise",
    "prediction_mean",
    "predicted_share",
    "schema_changes",
    "roc_auc",
    "log_loss",
    "brier",
    "label_share",
    "value_per_1000",
    "mean_absolute_error",
]


class Alert(Declared, frozen=True):
    """One alert rule: fires when `metric` of a window is beyond the bound for `windows` windows in a row.

    The metrics are defined in `monitor/rules.py`.
    """

    name: Name
    metric: Watchable
    above: float | None = None
    below: float | None = None
    windows: Annotated[int, Meta(ge=1, le=100)] = 1
    severity: Literal["page", "ticket"] = "ticket"


class Pool(Declared, frozen=True):
    """What jobs may use of this machine; 0 cores or an empty memory means all of it."""

    cores: Count = 0
    memory: str = ""
    gpus: float | None = None


class Config(Declared, frozen=True):
    """The whole of lemnis.toml."""

    problem: Problem = Problem()
    sources: dict[Name, Source] = field(default_factory=dict[Name, Source])
    dataset: Dataset = Dataset()
    checks: list[Check] = field(default_factory=list[Check])
    features: Features = Features()
    presets: dict[Name, Preset] = field(default_factory=dict[Name, Preset])
    endpoints: dict[Name, Endpoint] = field(default_factory=dict[Name, Endpoint])
    monitor: Monitor = Monitor()
    alerts: list[Alert] = field(default_factory=list[Alert])
    pool: Pool = Pool()


def parse_config(text: str, where: str = "lemnis.toml") -> Config:
    """Return the declarations of a lemnis.toml text.

    Raises:
        ConfigError: The text is not TOML, or a key or value is not accepted; `place` gives the line.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ConfigError(
            f"This is not valid TOML: {str(error).split(' (at')[0]}.",
            "Mend the line, or undo the last edit.",
            f"{where}:{line.group(1)}" if line else where,
        ) from None
    try:
        config = msgspec.convert(table, Config, strict=True)
    except msgspec.ValidationError as error:
        raise explained(str(error), text, where) from None
    check_names(config, text, where)
    check_sizes(config, text, where)
    return config


def load_config(path: Path) -> Config:
    """Return the declarations of a workspace's lemnis.toml.

    Raises:
        ConfigError: The file can't be read, is larger than LIMIT_BYTES, or is not accepted.
    """
    return parse_config(read_config(path), path.name)


def read_config(path: Path) -> str:
    """Return the text of lemnis.toml, at most LIMIT_BYTES of UTF-8."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise ConfigError(f"{path.name} is larger than {LIMIT_BYTES:,} bytes.", "Keep data out of it.", str(path))
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path.name} can't be read: {error.strerror}.", "Check its permissions.", str(path)
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is not UTF-8 text.", "Save it as UTF-8.", str(path)) from None


def explained(message: str, text: str, where: str) -> ConfigError:
    """Turn msgspec's message into a sentence with the line, what was found and what is accepted."""
    problem, _, path = message.partition(" - at ")
    keys = re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\[\d+\]", path.strip("`").removeprefix("$"))
    unknown = re.search(r"unknown field `([^`]*)`", problem)
    if unknown:
        keys.append(unknown.group(1))
        close = difflib.get_close_matches(unknown.group(1), known_keys(), n=1)
        remedy = f"Did you mean {close[0]}?" if close else "Remove the key, or check its table's name."
    else:
        remedy = "Change the value to one that is accepted."
    line = line_of(text, keys)
    dotted = ".".join(keys).replace(".[", "[")
    return ConfigError(f"{dotted or 'the file'}: {problem}.", remedy, f"{where}:{line}" if line else where)


def line_of(text: str, keys: list[str]) -> int:
    """Return the 1-based line where the last of `keys` is written, following tables in order; 0 if not found."""
    line, wanted = 0, [key for key in keys if not key.startswith("[")]
    index = next((int(key[1:-1]) for key in keys if key.startswith("[")), 0)
    lines = text.splitlines()
    headers = [number for number, content in enumerate(lines) if re.match(r"\s*\[", content)]
    for depth in range(len(wanted), 0, -1):
        header = r"\s*\[+\s*" + r"\s*\.\s*".join(map(re.escape, wanted[:depth])) + r"\s*\]"
        starts = [number for number in headers if re.match(header, lines[number])]
        if starts:
            start = starts[min(index, len(starts) - 1)]
            line = start + 1
            for key in wanted[depth:]:
                for number in range(line - 1, len(lines)):
                    if re.search(rf"(^|[\s{{,.]){re.escape(key)}\s*[=.]", lines[number]):
                        line = number + 1
                        break
            return line
    for number, content in enumerate(lines):
        if wanted and re.match(rf"\s*{re.escape(wanted[-1])}\s*=", content):
            return number + 1
    return line


def known_keys() -> list[str]:
    """Return every key lemnis.toml knows, for suggestions."""
    return sorted({name for kind in Declared.__subclasses__() for name in kind.__struct_fields__})


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
    for number, alert in enumerate(config.alerts):
        if (alert.above is None) == (alert.below is None):
            refuse(
                f"alerts[{number}] ({alert.name}) needs either above or below.",
                "Give exactly one bound.",
                ["alerts", f"[{number}]", "name"],
            )
    for number, check in enumerate(config.checks):
        if check.reference and "." not in check.reference:
            refuse(
                f"checks[{number}] ({check.name}): reference {check.reference!r} is not SOURCE.COLUMN.",
                "Write for example planes.tailnum.",
                ["checks", f"[{number}]", "reference"],
            )


def check_sizes(config: Config, text: str, where: str) -> None:
    """Refuse amounts of memory that are no size."""
    sizes = {("pool", "memory"): config.pool.memory or "0"}
    sizes |= {("presets", name, "memory"): preset.memory for name, preset in config.presets.items()}
    for keys, size in sizes.items():
        try:
            parse_bytes(size)
        except ValueError as error:
            line = line_of(text, list(keys))
            place = f"{where}:{line}" if line else where
            raise ConfigError(f"{'.'.join(keys)}: {error}.", "Write for example 512MiB or 2GB.", place) from None


def parse_bytes(text: str) -> int:
    """Return a size such as ``512MiB``, ``2GB`` or ``1000`` in bytes.

    Raises:
        ValueError: The text is not a size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?i?B?)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is not a size such as 512MiB or 2GB")
    unit = match.group(2).rstrip("B")
    scale = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
    scale |= {"ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4, "i": 1}
    return round(float(match.group(1)) * scale[unit])
