"""Reads lemnis.toml with msgspec; what is wrong is refused with the line, what was found and what is accepted."""

import difflib
import re
import threading
import tomllib
from functools import lru_cache
from pathlib import Path

import msgspec

from lemnis.engine.config.agreement import check_rules
from lemnis.engine.config.consistency import check_names, check_sizes, check_sources
from lemnis.engine.config.places import line_of
from lemnis.engine.config.records import Config
from lemnis.engine.config.types import Declared
from lemnis.engine.errors import ConfigError

LIMIT_BYTES = 1_000_000
CONVERTING = threading.Lock()  # msgspec learns a type when it is first used; a thread that meets half of it crashes
DEEP = re.compile(r"(?<![\w.-])(?:[\w-]++[ \t]*+\.[ \t]*+){64}")  # a.a.a…: tomllib's time grows with its square


@lru_cache(maxsize=4)
def parse_config(text: str, where: str = "lemnis.toml") -> Config:
    """Return the declarations of a lemnis.toml text; of a text that was read before at once: every view asks for them.

    Raises:
        ConfigError: The text is not TOML, or a key or value is not accepted; `place` gives the line.
    """
    too_deep = ConfigError("This nests too deeply.", "Keep lists and tables flat.", where)
    if DEEP.search(text):
        raise too_deep
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ConfigError(
            f"This is not valid TOML: {str(error).split(' (at')[0]}.",
            "Mend the line, or undo the last edit.",
            f"{where}:{line.group(1)}" if line else where,
        ) from None
    except RecursionError:
        raise too_deep from None
    try:
        with CONVERTING:
            config = msgspec.convert(table, Config, strict=True)
    except msgspec.ValidationError as error:
        raise explained(str(error), text, where) from None
    check_names(config, text, where)
    check_sources(config, text, where)
    check_sizes(config, text, where)
    check_rules(config, text, where)
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


def known_keys() -> list[str]:
    """Return every key lemnis.toml knows, for suggestions."""
    return sorted({name for kind in Declared.__subclasses__() for name in kind.__struct_fields__})
