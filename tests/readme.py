"""The parts of README.md that are written by code: the table of keys, and the pictures."""

import re
import sys
from pathlib import Path

from lemnis.tui.screens.help import keys_table
from lemnis.tui.stages import STAGES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def pictures() -> str:
    """Return one picture per stage, those that exist."""
    lines: list[str] = []
    for stage in STAGES:
        name = f"screenshots/{stage.key}-{stage.name}.svg"
        if (ROOT / name).exists():
            lines += [f"![{stage.title}]({name})", ""]
    return "\n".join(lines).strip()


def written(text: str) -> str:
    """Return the README with its generated parts as they should be now."""
    for name, content in {"keys": keys_table().strip(), "pictures": pictures()}.items():
        marked = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
        text = re.sub(marked, lambda found, content=content: f"{found[1]}{content}\n{found[2]}", text, flags=re.S)
    return text


def main() -> int:
    """Bring README.md up to date."""
    README.write_text(written(README.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
