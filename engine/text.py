"""`safe()`: the one boundary that text from data passes before a person sees it."""

import unicodedata

MARKS_PER_BASE = 4  # combining marks kept on one character; more is decoration that hides text
PICTURES = {0x7F: "\u2421", **{code: chr(0x2400 + code) for code in range(32)}}
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
MARKS = {"Mn", "Me", "Mc"}
BLANK_LETTERS = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810)}
SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}  # they choose between two looks of a character
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAG_LETTERS = range(0x1F1E6, 0x1F200)
JOINER = 0x200D
JAMO = range(0x1161, 0x1200)  # vowels and finals that a terminal draws onto the syllable before


def safe(value: object, *, limit: int = 0) -> str:
    r"""Return `value` as one line of visible, harmless characters whose width every terminal agrees on.

    Control characters become their pictures (ESC is shown as ␛, newline as ␊); C1, bidi, zero-width, private,
    unassigned, surrogate and blank-looking characters become ``‹U+202E›``. What terminals disagree on is taken apart:
    joiners, selectors and skin tones of emoji are dropped and flags become their two letters. A character keeps at
    most MARKS_PER_BASE combining marks, and a mark that has no character before it sits on a dotted circle.

    Nothing in the result moves a cursor, changes a colour or reorders text, and ``safe(safe(x)) == safe(x)``.
    It is plain text still: show it without markup.

    Args:
        value: Anything; bytes are decoded as UTF-8, what is not UTF-8 as ``\xff``.
        limit: Longest result in characters, 0 for no limit; what is cut ends in an ellipsis.
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    if text.isascii() and text.isprintable():
        return text if not limit or len(text) <= limit else text[: limit - 1] + "…"
    shown: list[str] = []
    marks = length = before = 0
    for char in text:
        piece = harmless(char, before, marks)
        if not piece:
            continue
        before = ord(piece[-1])
        marks = marks + 1 if is_mark(piece[-1]) else 0
        shown.append(piece)
        length += len(piece)
        if limit and length > limit:
            return "".join(shown)[: limit - 1] + "…"
    return "".join(shown)


def harmless(char: str, before: int, marks: int) -> str:
    """Return what is shown for one character.

    Args:
        char: The character.
        before: The code of the last one shown, 0 at the start.
        marks: How many combining marks it carries already.
    """
    code, category = ord(char), unicodedata.category(char)
    after_symbol = before > 0x2190 and not 0x2400 <= before < 0x2440
    if code in PICTURES:
        return PICTURES[code]
    if code in SELECTORS or (after_symbol and (code == JOINER or code in SKIN_TONES)):
        return ""
    if code in FLAG_LETTERS:
        return chr(ord("A") + code - FLAG_LETTERS.start)
    if code in BLANK_LETTERS or category in INVISIBLE or code in SKIN_TONES:
        return f"‹U+{code:04X}›"
    if is_mark(char):
        if marks >= MARKS_PER_BASE:
            return ""
        return char if before else f"\u25cc{char}"
    return " " if category == "Zs" else char


def is_mark(char: str) -> bool:
    """Say whether a terminal draws this character onto the one before it."""
    return unicodedata.category(char) in MARKS or ord(char) in JAMO
