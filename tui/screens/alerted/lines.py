"""Lines of text with meanings, drawn by the console, printed by commands and written as Markdown. Pure."""

from typing import TypeAlias

from msgspec import Struct, field
from rich.cells import cell_len

from lemnis.engine.text import safe

Span: TypeAlias = tuple[str, str]  # a text that is harmless already, and one of the theme's meanings or none
Line: TypeAlias = list[Span]


class Section(Struct, frozen=True):
    """Lines under a heading.

    Attributes:
        aside: On a wide screen it stands on the right.
        drawn: Its lines are a picture, which Markdown keeps in fixed width.
    """

    title: str
    lines: list[Line] = field(default_factory=list[Line])
    aside: bool = False
    drawn: bool = False


def said(text: object, style: str = "", limit: int = 0) -> Span:
    """Return a text that came from data as a harmless span."""
    return safe(text, limit=limit), style


def plain(line: Line) -> str:
    """Return a line's characters."""
    return "".join(text for text, _ in line)


def wrapped(line: Line, width: int, indent: int = 2) -> list[Line]:
    """Return a line broken at spaces so that no part is wider than `width` cells; what follows is indented.

    A word that is wider than the width is cut.
    """
    words: list[Span] = []
    for text, style in line:
        for place, word in enumerate(text.split(" ")):
            if place:
                words.append((" ", style))
            if word:
                words.append((word, style))
    lines: list[Line] = [[]]
    used = 0
    for text, style in words:
        size = cell_len(text)
        if text != " " and used + size > width and used > indent:
            lines.append([(" " * indent, "")])
            used = indent
        if text == " " and len(lines) > 1 and used == indent:
            continue
        while used + size > width and size > 1:
            text, size = text[:-1], cell_len(text[:-1])
        lines[-1].append((text, style))
        used += size
    return [joined(one) for one in lines]


def joined(line: Line) -> Line:
    """Return a line whose neighbours of one style are one span, without blanks at its end."""
    whole: Line = []
    for text, style in line:
        if whole and whole[-1][1] == style:
            whole[-1] = (whole[-1][0] + text, style)
        else:
            whole.append((text, style))
    if whole:
        whole[-1] = (whole[-1][0].rstrip(), whole[-1][1])
    return whole


def printed(sections: list[Section]) -> str:
    """Return sections as plain text: headings, then indented lines."""
    return "\n\n".join(
        "\n".join([*([section.title] if section.title else []), *(f"  {plain(line)}" for line in section.lines)])
        for section in sections
        if section.lines
    )
