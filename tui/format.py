"""How values look: numbers, sizes, times, money and verdicts as short text. Pure; missing is an en dash."""

import math
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.tui.language import _

if TYPE_CHECKING:
    from textual.content import Content

MISSING = "–"
BLOCKS = "▁▂▃▄▅▆▇█"
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with thousands separators; a fraction keeps `digits` decimals, an int none.

    Very large and very small magnitudes use an exponent, NaN and None are the en dash.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    size = abs(value)
    text = f"{value:.{digits}g}" if size >= 1e15 or 0 < size < 10**-digits else f"{value:,.{digits}f}"
    return text.replace("-", "−")


def figure(value: float | None) -> str:
    """Return a number of the data as short as it is still right to four digits."""
    if value is None or not math.isfinite(value):
        return number(value)
    if value == round(value) and abs(value) < 1e15:
        return number(round(value)) if abs(value) >= 10_000 else str(round(value)).replace("-", "−")
    return number(value, 3 if abs(value) < 10 else 2 if abs(value) < 1000 else 1)


def share(value: float | None, digits: int = 1) -> str:
    """Return a share of 1 in percent: 0.1234 is ``12.3%``."""
    return MISSING if value is None or math.isnan(value) else f"{value * 100:,.{digits}f}%".replace("-", "−")


def meter(part: float, cells: int = 10) -> str:
    """Return a share of 1 as a bar of so many cells; anything above 0 fills at least one."""
    filled = round(max(1.0, min(part, 1.0) * cells)) if part > 0 else 0
    return "▰" * filled + "▱" * (cells - filled)


def bytes_(value: float | None) -> str:
    """Return a size in binary units: 1536 is ``1.5 KiB``."""
    if value is None or math.isnan(value):
        return MISSING
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:,.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:,.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units: ``340 ms``, ``12.3 s``, ``4m 05s``, ``3h 12m``, ``5d 02h``."""
    if seconds is None or not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d {whole % 86_400 // 3600:02d}h"


def age(then_ms: int | None, now_ms: int) -> str:
    """Return how long ago a time was, in one unit: ``now``, ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    if then_ms is None:
        return MISSING
    seconds = max(0, (now_ms - then_ms) // 1000)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s" if seconds else _("now")


def when(ms: int | None, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """Return a time in the reader's zone (or `zone`): ``2013-07-01 04:30``."""
    if ms is None:
        return MISSING
    return datetime.fromtimestamp(ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def money(value: float | None, currency: str = "USD", *, signed: bool = False) -> str:
    """Return an amount in a currency: ``$12.50``, ``−€1,234``, ``12 CHF``; `signed` puts a plus before a gain.

    Cents are told below a hundred, where there are some: nobody decides by them beside hundreds.
    """
    if value is None or math.isnan(value):
        return MISSING
    size = round(abs(value), 2)
    amount = f"{size:,.2f}" if size < 100 and size != round(size) else f"{size:,.0f}"
    sign = "" if not size else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{SIGNS[currency]}{amount}" if currency in SIGNS else f"{sign}{amount} {currency}"


def delta(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign: ``+0.012``, ``−3``, ``±0`` for none at this precision."""
    if value is None or math.isnan(value):
        return MISSING
    text = f"{abs(value):,}" if isinstance(value, int) else f"{abs(value):,.{digits}f}"
    if not text.strip("0.,"):
        return "±0"
    return f"{'+' if value > 0 else '−'}{text}"


def spark(values: list[float | None], width: int = 0) -> str:
    """Return a line of block characters, one a value, scaled from the smallest to the largest; missing is a space.

    Args:
        values: What to draw.
        width: Number of characters; more values are averaged into it, 0 takes one character each.
    """
    if width and len(values) > width:
        edges = [round(i * len(values) / width) for i in range(width + 1)]
        values = [mean_of(values[a:b]) for a, b in pairwise(edges)]
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return " " * len(values)
    top = max(map(abs, known)) or 1.0  # the distance of two floats may be more than a float holds
    low, span = min(known) / top, (max(known) / top - min(known) / top) or 1.0
    return "".join(
        BLOCKS[min(7, int((value / top - low) / span * 8))] if value is not None and math.isfinite(value) else " "
        for value in values
    )


def mean_of(values: list[float | None]) -> float | None:
    """Return the mean of the known values, None if there is none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None


class Verdict(Struct, frozen=True):
    """A judgement as it is drawn: glyph and word always together, the colour only beside them."""

    glyph: str
    word: str
    style: str

    @property
    def said(self) -> str:
        """The word in the language of the console; one that is not known stays as it is."""
        return _(self.word) if self.word.lower() in GLYPHS else self.word

    @property
    def text(self) -> str:
        return f"{self.glyph} {self.said}"

    @property
    def content(self) -> "Content":
        from textual.content import Content  # the commands use this module and must not pay for Textual

        return Content.styled(self.text, self.style)


OK, WARN, BAD, MUTED, BUSY = "$ok", "$warn", "$bad", "$muted", "$busy"
KINDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("●", OK): (
        "ready",
        "up",
        "ok",
        "pass",
        "passed",
        "finished",
        "serving",
        "resolved",
        "champion",
        "fits",
        "stable",
        "arrived",
        "promoted",
        "sent",
    ),
    ("◐", BUSY): ("working", "running", "preparing", "starting", "syncing", "challenger", "computing"),
    ("○", MUTED): (
        "not started",
        "queued",
        "down",
        "cancelled",
        "no data",
        "not evaluated",
        "off",
        "idle",
        "stopped",
        "silenced",
        "preempted",
    ),
    ("◌", MUTED): ("insufficient", "not enough data", "unknown", "not serving", "new", "waiting", "inhibited"),
    ("·", MUTED): ("no gates", "not ranked"),
    ("▲", WARN): (
        "attention",
        "warn",
        "warned",
        "watch",
        "pending",
        "acknowledged",
        "flapping",
        "backing off",
        "degraded",
        "stale",
        "leak?",
        "unstable",
        "changed",
        "late",
        "short",
        "gone",
        "retyped",
    ),
    ("✖", BAD): (
        "fail",
        "failed",
        "drift",
        "firing",
        "lost",
        "refused",
        "error",
        "leak",
        "breached",
        "missing",
        "aborted",
    ),
}
GLYPHS = {word: (glyph, style) for (glyph, style), words in KINDS.items() for word in words}


def verdict(word: str) -> Verdict:
    """Return how a state or judgement is drawn; a word that is not known is drawn plainly with a dot."""
    glyph, style = GLYPHS.get(word.lower(), ("·", MUTED))
    return Verdict(glyph, word, style)


def styled(text: str, style: str) -> "Content":
    """Return text in one of the theme's meanings: ``$ok $warn $bad $busy $muted $stage-accent``."""
    from textual.content import Content

    return Content.styled(text, style)
