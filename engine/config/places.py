"""Where a key stands in the text of lemnis.toml. Pure."""

import re


def line_of(text: str, keys: list[str]) -> int:
    """Return the 1-based line where the last of `keys` is written, following tables in order; 0 if not found."""
    line, wanted = 0, [key for key in keys if not key.startswith("[")]
    index = next((int(key[1:-1]) for key in keys if key.startswith("[")), 0)
    lines = text.splitlines()
    headers = [number for number, content in enumerate(lines) if re.match(r"\s*\[", content)]
    for depth in range(len(wanted), 0, -1):
        header = r"\s*\[+\s*" + r"\s*\.\s*".join(map(re.escape, wanted[:depth])) + r"\s*\]"
        starts = [number for number in headers if re.match(header, lines[number])]
        if starts:
            start = starts[min(index, len(starts) - 1)]
            line = start + 1
            for key in wanted[depth:]:
                for number in range(line - 1, len(lines)):
                    if re.search(rf"(^|[\s{{,.]){re.escape(key)}\s*[=.]", lines[number]):
                        line = number + 1
                        break
            return line
    for number, content in enumerate(lines):
        if wanted and re.match(rf"\s*{re.escape(wanted[-1])}\s*=", content):
            return number + 1
    return line
