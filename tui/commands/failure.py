"""How an expected failure is told on the command line: stderr and an exit code."""

import sys

import msgspec

from lemnis.engine import LemnisError
from lemnis.engine.text import safe


def report(error: LemnisError, *, as_json: bool) -> int:
    """Write an expected failure to stderr and return its exit code."""
    if as_json:
        message = error.problem if not error.place else f"{error.problem} ({error.place})"
        document = {"error": {"code": error.code, "message": message, "hint": error.remedy}}
        print(msgspec.json.encode(document).decode(), file=sys.stderr)
        return error.exit_code
    for label, text in (("error", error.problem), ("  where", error.place), ("  try", error.remedy)):
        if text:
            print(f"{label}: " + "\n".join(safe(line) for line in text.split("\n")), file=sys.stderr)
    return error.exit_code
