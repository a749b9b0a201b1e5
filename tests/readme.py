"""The parts of README.md that are written by code: the table of keys, and the pictures."""

import re
import sys
from pathlib import Path

from lemnis.tui.screens.help import keys_table
from lemnis.tui.stages import STAGES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MORE = {"experiments": {"grid": "A grid", "sweep": "A sweep"}}  # pictures of a stage's screens, by what they are called


def pictures() -> str:
    """Return one picture per stage and more of some, those that exist."""
    lines: list[str] = []
    for stage in STAGES:
        for name, title in {stage.name: stage.title, **MORE.get(stage.name, {})}.items():
            picture = f"screenshots/{stage.key}-{name}.svg"
            if (ROOT / picture).exists():
                lines += [f"![{title}]({picture})", ""]
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
