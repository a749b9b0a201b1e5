"""The Korean catalogue: `python tests/catalogue.py` brings lemnis.po and lemnis.mo up to date with the sources.

Messages are the literal texts of `_()` and `N_()`, the headers of columns, the paragraphs of what explains, and what
is declared: keys, tabs, states.
What was translated stays translated; what no source has goes; what is new waits for its Korean, which a test asks for.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lemnis.engine.explore import ORDERS
from lemnis.engine.monitor.retraining.loop import STEPS as LOOP
from lemnis.tui.actions import ACTIONS, GLOBAL
from lemnis.tui.format import GLYPHS
from lemnis.tui.language import LOCALES
from lemnis.tui.screens.help import everywhere
from lemnis.tui.stages import STAGES
from lemnis.tui.tour.steps import STEPS

ROOT = Path(__file__).parent.parent
PO = LOCALES / "ko" / "LC_MESSAGES" / "lemnis.po"
EXPLAINING = {  # the last words of the names of constants that explain something
    *("TEXT", "CELLS", "HELP", "EXPLAINED", "MEASURES", "DEFINITIONS", "ASSOCIATION", "LEAKAGE", "UNSTABLE"),
    *("FORMULAS", "METHODS", "LOGGED", "EXPECTED"),
}
ELSEWHERE = {  # what msgspec and the system say, which our sentences pass on
    *("Expected `{}`, got `{}`.", "Expected `{}` {} {}.", "Expected `{}` of length {} {}.", "Invalid enum value {}."),
    *("Object missing required field `{}`.", "Object contains unknown field `{}`.", "Invalid value {}."),
    *("Permission denied", "No such file or directory", "Is a directory", "Not a directory", "File exists"),
    *("No space left on device", "Read-only file system", "Address already in use", "Connection refused"),
}
HEADER = "# The console in Korean; `make docs` brings it up to date with the sources."


def declared() -> Iterator[str]:
    """Return what is declared as records and drawn through one place each."""
    for stage in STAGES:
        yield from (stage.title, f"{stage.short} (tab)")
    for action in (*everywhere(), *ACTIONS):
        if action.scope != GLOBAL or not action.id.startswith("app.go_"):
            yield from (action.label, action.help)
    for stage in STAGES:
        yield f"Go to {stage.title}."
    for step in STEPS:
        yield from (step.shows, step.gives)
    yield from (f"{step} (a step)" for step in LOOP)
    yield from (f"{order} (an order)" for order in ORDERS)
    yield from GLYPHS


def text_of(node: ast.expr | None) -> str:
    """Return a literal text; empty if it is something else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def text_end(target: ast.expr) -> str:
    """Return the last word of the name of a constant."""
    return target.id.rpartition("_")[2] if isinstance(target, ast.Name) else ""


def longer(node: ast.Assign | ast.AnnAssign) -> ast.expr | None:
    """Return the value of a constant that explains something, without the keys of its entries; None of another one."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if text_end(target) not in EXPLAINING or node.value is None:
        return None
    if isinstance(node.value, ast.Dict):
        return ast.List(node.value.values)
    return node.value


def marked(source: str) -> Iterator[str]:
    """Return the texts of a module: marked ones, headers of its columns, what its lines of keys say, what explains."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and (value := longer(node)) is not None:
            texts = (text_of(part) for part in ast.walk(value) if isinstance(part, ast.expr))
            yield from (part for text in texts for part in text.split("\n\n") if " " in part or part[:1].isupper())
        if isinstance(node, ast.Assign) and text_end(node.targets[0]).upper() == "KEYS":
            for line in ast.walk(node.value):
                if isinstance(line, ast.Tuple) and len(line.elts) in (2, 3) and all(map(text_of, line.elts)):
                    yield from (text for text in map(text_of, line.elts[1:]) if text == text.strip() and text[0] != "$")
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id in ("_", "N_"):
            yield text_of(node.args[0])
        elif node.func.id == "sense" and text_of(node.args[0]):
            yield f"{text_of(node.args[0])} ({text_of(node.args[1])})"
        elif node.func.id in ("Line", "Question") and len(node.args) > 1:
            yield text_of(node.args[1])  # what stands before a line of a form
        elif node.func.id == "Col" and not any(keyword.arg == "data" for keyword in node.keywords):
            label = next((keyword.value for keyword in node.keywords if keyword.arg == "label"), None)
            label = label or (node.args[1] if len(node.args) > 1 else node.args[0])
            yield text_of(label) or ("" if len(node.args) > 1 else text_of(node.args[0]))


def templates() -> set[str]:
    """Return the texts of all sources, and those from elsewhere, as templates: ``{}`` for what is put into them."""
    found = set(ELSEWHERE)
    for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("tui/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(text_of(part) if isinstance(part, ast.Constant) else "{}" for part in parts)
            found |= {text, *re.findall(r"'([a-z][a-z ]+)'", text)}  # SQL has sentences too
    return found


def messages() -> list[str]:
    """Return every message of the console, sorted; what has no letter is the same in every language."""
    sources = (path.read_text("utf-8") for path in sorted(ROOT.glob("tui/**/*.py")))
    found = {*declared(), *(text for source in sources for text in marked(source))}
    return sorted(text for text in found if any(letter.isalpha() for letter in text))


def translations() -> Catalog:
    """Return the catalogue that is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale="ko")


def updated() -> Catalog:
    """Return the catalogue with the messages there are, translated as far as they were."""
    known = translations() if PO.exists() else Catalog(locale="ko")
    catalogue = Catalog(locale="ko", header_comment=HEADER, project="lemnis", fuzzy=False)
    for text in messages():
        before = known.get(text)
        catalogue.add(text, before.string if before is not None else "")
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    """Return the catalogue as text for people; without dates, so that the same sources give the same file."""
    file = io.BytesIO()
    write_po(file, catalogue, width=0, omit_header=True)
    head = 'msgid ""\nmsgstr ""\n"Language: ko\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f"{HEADER}\n{head}\n".encode() + file.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Return the catalogue as gettext reads it."""
    file = io.BytesIO()
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same file every time
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    """Bring both files up to date; returns 1 while a message has no translation."""
    catalogue = updated()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(as_po(catalogue))
    PO.with_suffix(".mo").write_bytes(as_mo(translations()))
    missing = [str(message.id) for message in catalogue if message.id and not message.string]
    print("\n".join(["Without a translation:", *map(repr, missing)]) if missing else f"{len(catalogue)} messages")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
