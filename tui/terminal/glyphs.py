"""Glyphs: what stands for a sign that this terminal can't draw, each as wide as what it stands for. Pure."""

from collections.abc import Mapping

# The console's font of the kernel has the box, and few signs besides; other terminals of one byte have nothing.
UTF8 = ("utf-8", "utf8")
BOX = {
    **dict.fromkeys("─━═╌╍┄┅┈┉╴╶╸╺▔▁", "-"),
    **dict.fromkeys("│┃║┆┇┊┋╎╏╵╷╹╻▏▕", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋╒╓╕╖╘╙╛╜╞╟╡╢╤╥╧╨╪╫", "+"),
}
SQUARE = {"╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "═", "┃": "║"}  # what the kernel's font has instead
BLOCKS = {
    **dict.fromkeys("▂▃▄▖▗▚▞", ":"),
    **dict.fromkeys("▅▆▇█▉▊▋▌▍▎▐▀▘▝▙▛▜▟", "#"),
    "░": ".",
    "▒": ":",
    "▓": "#",
}
SIGNS = {
    **dict.fromkeys("✖✗✘×", "x"),
    **dict.fromkeys("✓✔", "v"),
    **dict.fromkeys("▲△⚠", "!"),
    **dict.fromkeys("●◉•★▰", "*"),
    **dict.fromkeys("○◌◯◷◴◔◑◕◐", "o"),
    **dict.fromkeys("◆◇", "<"),
    **dict.fromkeys("→▶▸›»⟩", ">"),
    **dict.fromkeys("←◀◂‹«⟨", "<"),
    **dict.fromkeys("↑▴", "^"),
    **dict.fromkeys("↓▾▼▽", "v"),
    **dict.fromkeys("–—−‑", "-"),
    **dict.fromkeys("·∙⋅", "."),
    "…": "~",
    "▱": ".",
    "✎": "e",
    "⏎": "<",
    "²": "2",
    "≤": "<",
    "≥": ">",
    "≈": "~",
    "±": "+",
    "σ": "s",
    "Δ": "D",
    "µ": "u",
    "⏸": "=",
    "␛": "?",
}


class Substitutes(dict[int, str]):
    """Maps what can't be drawn, for `str.translate`; what has no stand-in is a question mark in each of its cells."""

    def __init__(self, known: Mapping[str, str], kept: str, encoding: str) -> None:
        super().__init__({ord(sign): stand_in for sign, stand_in in known.items() if sign not in kept})
        self._encoding = encoding

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        drawn = code < 128 or encodable(sign, self._encoding)
        if not drawn:
            from rich.cells import cell_len

            self[code] = "?" * cell_len(sign)
            return self[code]
        self[code] = sign
        return sign


def substitutes(environment: Mapping[str, str]) -> Substitutes | None:
    """Return what stands for the signs that this terminal can't draw; None where it can draw all.

    Args:
        environment: Its locale (LC_ALL, LC_CTYPE, LANG) tells the encoding, TERM=linux the kernel's own console.
    """
    locale = next((found for name in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(name))), "")
    encoding = locale.partition("@")[0].partition(".")[2].lower()
    braille = {chr(0x2800 + dots): ".:#"[min(2, dots.bit_count() // 3)] if dots else " " for dots in range(256)}
    if environment.get("TERM") == "linux":
        boxes = {sign: drawn for sign, drawn in (BOX | BLOCKS | SQUARE).items() if not encodable(sign, "cp437")}
        return Substitutes({**boxes, **braille, **SIGNS}, "·±µ×«»•²", "cp437")
    if encoding in UTF8 or (not encoding and locale not in ("C", "POSIX")):
        return None
    return Substitutes({**BOX, **BLOCKS, **braille, **SIGNS}, "", "ascii")


def encodable(sign: str, encoding: str) -> bool:
    """Say whether a sign exists in an encoding."""
    try:
        sign.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
