"""Names given by somebody with bad intentions, or by somebody who writes in another script."""

import random

PIECES = (
    "model[v2]", "[/etc/passwd]", "[/]", "[bold", "[red]", "tail\\", "\\[", "{x}", "%s",
    "\x1b]0;owned\x07", "\x1b[2J", "\x1b[10A", "\x1bc", "\x1b[6n", "\x1bP$q\x1b\\", "\x1b]52;c;b3duZWQ=\x07", "\x1b]",
    "\x9b31m", "\x9d0;x\x9c", "\x90", "\x85", "\x7f", "\x00", "\r", "\n", "\t", "\b", "\x0e", "\x0f",
    "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028",
    "e\u0301", "a" + "\u0300" * 40, "שלום", "مرحبا", "日本語", "한글", "ｆｕｌｌ", "👩‍👩‍👧", "🇰🇷", "❤️",
    "\U000e0041", "ﷺ", "x" * 300,
)  # fmt: skip


def hostile(count: int, seed: int = 7) -> list[str]:
    """Return so many names, each of one to six pieces and any characters between them."""
    chance = random.Random(seed)

    def anything() -> str:
        code = chance.choice((0x20, 0x80, 0x300, 0x600, 0x2000, 0x3000, 0x1F300)) + chance.randrange(0x80)
        return chr(code)

    return ["".join(chance.choice(PIECES) + anything() for _ in range(chance.randint(1, 6))) for _ in range(count)]
