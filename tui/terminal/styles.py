"""Styles: the codes for colours and attributes (ECMA-48, SGR; 38 and 48 as xterm has them). Pure."""

from functools import lru_cache

SEEN = {"4", "7", "9", "21", "53"}  # underlined, reversed, struck: seen on a space too
# What takes one attribute back; terminals with colours know it, older ones only take back all of them.
BACK = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29", "21": "24", "53": "55"}
Style = tuple[frozenset[str], str, str]  # attributes, foreground and background as the codes for them


@lru_cache(maxsize=1024)
def styled(before: str, codes: str) -> str:
    """Return a style, as the codes that make it from none, after some more codes."""
    attributes, foreground, background = read(f"{before};{codes or '0'}" if before else codes or "0")
    return ";".join(filter(None, (*sorted(attributes), foreground, background)))


@lru_cache(maxsize=1024)
def read(codes: str) -> Style:
    """Return what codes say (ECMA-48, SGR; 38 and 48 as xterm has them)."""
    attributes: set[str] = set()
    foreground = background = ""
    parts = iter(codes.split(";"))
    for code in parts:
        if code in ("38", "48"):
            kind = next(parts, "")
            colour = ";".join((code, kind, *(next(parts, "") for _ in range(3 if kind == "2" else 1))))
            foreground, background = (colour, background) if code == "38" else (foreground, colour)
        elif code in ("", "0"):
            attributes.clear()
            foreground = background = ""
        elif (len(code) == 2 and code[0] == "3") or (len(code) == 2 and code[0] == "9"):
            foreground = "" if code == "39" else code
        elif (len(code) == 2 and code[0] == "4") or (len(code) == 3 and code[:2] == "10"):
            background = "" if code == "49" else code
        else:
            attributes.add(code)
    return frozenset(attributes), foreground, background


@lru_cache(maxsize=1024)
def blank_of(style: str) -> str:
    """Return what of a style is seen on a space."""
    return style if seen_without_letters(style) else read(style)[2]


@lru_cache(maxsize=1024)
def seen_without_letters(style: str) -> bool:
    """Say whether of a style more than the background is seen on a space."""
    return bool(read(style)[0] & SEEN)


@lru_cache(maxsize=1024)
def step(before: str, after: str) -> str:
    """Return the shortest codes that lead from a style to another."""
    if before == after:
        return ""
    if not after:
        return "\x1b[0m"
    (had, foreground, background), (attributes, wanted, behind) = read(before), read(after)
    taken = had - attributes
    kept = (foreground and foreground == wanted) or (background and background == behind)
    if taken and (not kept or not taken <= BACK.keys()):
        return f"\x1b[0;{after}m"
    back = {BACK[code] for code in taken}
    codes = sorted(back) + sorted(code for code in attributes if code not in had or BACK.get(code) in back)
    codes += [wanted or "39"] if wanted != foreground else []
    codes += [behind or "49"] if behind != background else []
    return f"\x1b[{';'.join(codes)}m"
