"""What lemnis.toml declares of Deploy: the model servers."""

from typing import Annotated

from msgspec import Meta

from lemnis.engine.config.types import Declared, Name


class Endpoint(Declared, frozen=True):
    """One model server: which alias it answers with, where, and by how many processes; 0 keeps how many it had."""

    model: Name
    alias: Name = "champion"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    workers: Annotated[int, Meta(ge=0, le=64)] = 0
