"""lemnis.toml as typed records, one module per stage: what people declare, and what is refused with its line."""

from lemnis.engine.config.cluster import Cluster, Executor
from lemnis.engine.config.data import Dataset, Link, Quarantine, Scale, Source, SourceFormat, Span, Split
from lemnis.engine.config.deploy import Endpoint
from lemnis.engine.config.experiments import Features, Preset, View
from lemnis.engine.config.labels import Labels
from lemnis.engine.config.monitor import Alert, Contact, Monitor, Watchable, parse_span
from lemnis.engine.config.presets import find_preset
from lemnis.engine.config.problem import CADENCES, Acquisition, Criterion, Problem, Value
from lemnis.engine.config.reading import load_config, parse_config, read_config
from lemnis.engine.config.records import Config
from lemnis.engine.config.resources import Infrastructure, Pool
from lemnis.engine.config.retraining import Learnt, Policy, Retraining, parse_window
from lemnis.engine.config.share import Remote
from lemnis.engine.config.sweeps import Range, Sweep
from lemnis.engine.config.types import parse_bytes
from lemnis.engine.config.validate import Check, CheckKind, Code, CodeList, Threshold, parse_age, parse_threshold

__all__ = [
    "CADENCES",
    "Acquisition",
    "Alert",
    "Check",
    "CheckKind",
    "Cluster",
    "Code",
    "CodeList",
    "Config",
    "Contact",
    "Criterion",
    "Dataset",
    "Endpoint",
    "Executor",
    "Features",
    "Infrastructure",
    "Labels",
    "Learnt",
    "Link",
    "Monitor",
    "Policy",
    "Pool",
    "Preset",
    "Problem",
    "Quarantine",
    "Range",
    "Remote",
    "Retraining",
    "Scale",
    "Source",
    "SourceFormat",
    "Span",
    "Split",
    "Sweep",
    "Threshold",
    "Value",
    "View",
    "Watchable",
    "find_preset",
    "load_config",
    "parse_age",
    "parse_bytes",
    "parse_config",
    "parse_span",
    "parse_threshold",
    "parse_window",
    "read_config",
]
