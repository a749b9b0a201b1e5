"""What lemnis.toml declares of Resources: what jobs may use of this machine, its prices, and what is expected of it."""

from typing import Annotated, Literal

from msgspec import Meta, field

from lemnis.engine.config.quotas import Quota
from lemnis.engine.config.types import Count, Declared, Name


class Pool(Declared, frozen=True):
    """What jobs may use of this machine; 0 cores or an empty memory means all of it.

    Attributes:
        gpus: How many of the GPUs there are; of a divided one each MIG slice counts as one.
        quotas: What is promised to whom, by project or user.
        half_life: How long ago use counts half when it is asked who had more of the pool.
        grace_seconds: How long a job that has started is not preempted.
        price_core_hour, price_gb_hour, price_gpu_hour, price_kwh: Of one core, of 10^9 bytes of memory, of one GPU for
            an hour, and of a kilowatt hour, in the problem's currency; 0 for no price.
        watts_core: What a busy core draws, where the machine's own meter (RAPL) can't be read; 0 for not known.
        watts_idle: What the whole machine draws when it does nothing; shared by what holds its cores.
    """

    cores: Count = 0
    memory: str = ""
    gpus: float | None = None
    quotas: dict[Name, Quota] = field(default_factory=dict[Name, Quota])
    half_life: str = "7d"
    grace_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 60
    price_core_hour: Annotated[float, Meta(ge=0)] = 0.0
    price_gpu_hour: Annotated[float, Meta(ge=0)] = 0.0
    price_gb_hour: Annotated[float, Meta(ge=0)] = 0.0
    price_kwh: Annotated[float, Meta(ge=0)] = 0.0
    watts_core: Annotated[float, Meta(ge=0)] = 0.0
    watts_idle: Annotated[float, Meta(ge=0)] = 0.0


class Infrastructure(Declared, frozen=True):
    """The volume that is expected, of which planning tells what infrastructure it needs.

    Attributes:
        rows, columns: Of a training; 0 for those of the newest dataset version.
        preset: How it is trained; empty for the usual one.
        cadence: How often; empty for once.
        versions_kept: Dataset versions that stay on disk at a time.
        predictions_per_day: Rows that endpoints are asked for.
        peak_per_s: Rows a second at the busiest; 0 for the day's mean.
    """

    rows: Count = 0
    columns: Count = 0
    preset: str = ""
    cadence: Literal["", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly"] = ""
    versions_kept: Annotated[int, Meta(ge=1)] = 12
    predictions_per_day: Count = 0
    peak_per_s: Annotated[float, Meta(ge=0)] = 0.0
