"""What every declared table of lemnis.toml has in common: unknown keys are refused, names and amounts have limits."""

import re
from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of lemnis.toml; a key it does not know is an error."""


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
