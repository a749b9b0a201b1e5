"""Which parameters LightGBM knows, asked of LightGBM itself in a process of its own: it is too heavy to import here."""

import json
import subprocess
import sys
from functools import cache

from lemnis.engine.errors import Unavailable
from lemnis.engine.text import safe

ASKED_S = 60.0


@cache
def known_parameters() -> dict[str, list[str]]:
    """Return every parameter's first name with its other spellings; asked once, which takes half a second.

    Raises:
        Unavailable: LightGBM can't be imported here.
    """
    command = [sys.executable, "-m", "lemnis.engine.experiments.known"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ASKED_S, check=False, stdin=subprocess.DEVNULL
        )
        return json.loads(done.stdout.strip().rpartition("\n")[2])
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        why = safe(error, limit=200)
        raise Unavailable(f"LightGBM's parameters can't be read: {why}.", "Run `lemnis doctor`.") from None


def names_in_lightgbm() -> dict[str, list[str]]:
    """Return what LightGBM itself says; imports it."""
    from lemnis.engine.trees import lightgbm

    # The table has no public name.
    return lightgbm.basic._ConfigAliases._get_all_param_aliases()  # pyright: ignore[reportPrivateUsage]


if __name__ == "__main__":
    print(f"\n{json.dumps(names_in_lightgbm())}", flush=True)
