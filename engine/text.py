"""`safe()`: the one boundary that text from data passes before a person sees it."""

import unicodedata

MARKS_PER_BASE = 4  # combining marks kept on one character; more is decoration that hides text
REPLACED = {0x7F: "\u2421", **{code: chr(0x2400 + code) for code in range(32)}}
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = {0x200D, 0xFE0E, 0xFE0F}  # emoji sequences need them


def safe(value: object, *, limit: int = 0) -> str:
    """Return `value` as one line of visible, harmless characters.

    Control characters become their Unicode pictures (ESC is shown as ␛, newline as ␊), C1, bidi, zero-width,
    private, unassigned and surrogate characters become ``‹U+202E›``, and more than MARKS_PER_BASE combining
    marks on one character are dropped. The result has no character that moves a cursor, changes a colour or
    reorders text. It is still plain text: show it without markup.

    Args:
        value: Anything; bytes are decoded as UTF-8 with escapes for what is not.
        limit: Longest result in characters, 0 for no limit; what is cut ends in an ellipsis.
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for position, char in enumerate(text):
        code = ord(char)
        category = unicodedata.category(char)
        if code in REPLACED:
            out.append(REPLACED[code])
        elif category in ("Mn", "Me") and code not in JOINERS:
            marks += 1
            if marks <= MARKS_PER_BASE:
                out.append(char)
            continue
        elif code in JOINERS and position and ord(text[position - 1]) > 0x203B:
            out.append(char)
        elif category in INVISIBLE or code in JOINERS:
            out.append(f"‹U+{code:04X}›")
        elif category == "Zs" and char != " ":
            out.append(" ")
        else:
            out.append(char)
        marks = 0
    return "".join(out)
