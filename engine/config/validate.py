"""What lemnis.toml declares of Validate: the rules that the data must keep."""

from typing import Literal

from msgspec import field

from lemnis.engine.config.types import Count, Declared, Name


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
