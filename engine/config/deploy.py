"""What lemnis.toml declares of Deploy: the model servers."""

from typing import Annotated

from msgspec import Meta

from lemnis.engine.config.types import Declared, Name


class Endpoint(Declared, frozen=True):
    """One model server: which alias it answers with, and where."""

    model: Name
    alias: Name = "champion"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
