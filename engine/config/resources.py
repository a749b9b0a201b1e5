"""What lemnis.toml declares of Resources: what jobs may use of this machine."""

from typing import Annotated

from msgspec import Meta

from lemnis.engine.config.types import Count, Declared


class Pool(Declared, frozen=True):
    """What jobs may use of this machine; 0 cores or an empty memory means all of it.

    Attributes:
        price_core_hour, price_gpu_hour: Of one core and of one GPU, in the problem's currency; 0 for no price.
    """

    cores: Count = 0
    memory: str = ""
    gpus: float | None = None
    price_core_hour: Annotated[float, Meta(ge=0)] = 0.0
    price_gpu_hour: Annotated[float, Meta(ge=0)] = 0.0
