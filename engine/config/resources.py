"""What lemnis.toml declares of Resources: what jobs may use of this machine."""

from lemnis.engine.config.types import Count, Declared


class Pool(Declared, frozen=True):
    """What jobs may use of this machine; 0 cores or an empty memory means all of it."""

    cores: Count = 0
    memory: str = ""
    gpus: float | None = None
