"""A dialect for a file of text, proposed from its beginning and written down before anything is read with it. Pure."""

import codecs
import csv
import io
import re
from collections import Counter

from msgspec import Struct

SAMPLE_BYTES = 256 << 10
DELIMITERS = ",;\t|"
ENCODINGS = ("cp949", "cp1252")  # tried when it is no UTF-8: Korean first, for it refuses most other text
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
COMMA_NUMBER = re.compile(r"[+-]?\d{1,9},\d+")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class Dialect(Struct, frozen=True, kw_only=True):
    """How a file of delimited text seems to be written; `why` says in words what speaks for it."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    encoding: str = "utf-8"
    header: bool = True
    decimal: str = "."
    why: list[str] = []


def proposed_dialect(sample: bytes) -> Dialect:
    """Return the dialect that fits the first bytes of a file best.

    Args:
        sample: Its beginning, at most SAMPLE_BYTES are looked at.
    """
    encoding = proposed_encoding(sample)
    text = decoded(sample[:SAMPLE_BYTES], encoding)
    complete = text[: text.rfind("\n") + 1] if len(sample) >= SAMPLE_BYTES else text
    quote = "'" if re.search(r"(^|[,;\t|])'[^'\n]*'([,;\t|]|$)", complete, re.M) and '"' not in complete else '"'
    escape = "\\" if f"\\{quote}" in complete and quote * 2 not in complete.replace(f"{quote}{quote},", "") else quote
    delimiter, rows = proposed_delimiter(complete, quote, escape)
    header = has_header(rows)
    decimal = "," if delimiter != "," and comma_numbers(rows[1:] if header else rows) else "."
    width = len(rows[0]) if rows else 0
    why = [f"{len(rows):,} rows of {width} cells with {shown(delimiter)}"]
    if encoding != "utf-8":
        why.append(f"no UTF-8 text, but {encoding}")
    if not header:
        why.append("the first row looks like the others, so there is no header")
    if decimal == ",":
        why.append("numbers are written 1,5")
    return Dialect(
        delimiter=delimiter, quote=quote, escape=escape, encoding=encoding, header=header, decimal=decimal, why=why
    )


def proposed_encoding(sample: bytes) -> str:
    """Return the first encoding in which the bytes are text: by its mark, UTF-8, UTF-16 without mark, CP949, CP1252."""
    for mark, name in MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample[:64]:
        return "utf-16-le" if sample[1:64:2].count(0) >= sample[0:64:2].count(0) else "utf-16-be"
    for name in ("utf-8", *ENCODINGS):
        try:
            codecs.getincrementaldecoder(name)("strict").decode(sample)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def decoded(sample: bytes, encoding: str) -> str:
    """Return the bytes as text; a character that the end cuts off is left out."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample).removeprefix("\ufeff")


def proposed_delimiter(text: str, quote: str, escape: str) -> tuple[str, list[list[str]]]:
    """Return the delimiter that gives most rows the same number of cells, more than one, and the rows it gives."""
    best: tuple[float, int, str, list[list[str]]] = (0.0, 0, ",", parted(text, ",", quote, escape))
    for delimiter in DELIMITERS:
        rows = parted(text, delimiter, quote, escape)
        if not rows:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        if width > 1 and (count / len(rows), width) > best[:2]:
            best = (count / len(rows), width, delimiter, rows)
    return best[2], best[3]


def parted(text: str, delimiter: str, quote: str, escape: str) -> list[list[str]]:
    """Return the rows of a text; those before the place where it can't be read."""
    rows: list[list[str]] = []
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape if escape != quote else None,
        doublequote=escape == quote,
    )
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) >= 2000:
                break
    except csv.Error:
        pass
    return rows


def has_header(rows: list[list[str]]) -> bool:
    """Say whether the first row names the columns: it has no number, no empty name and none twice."""
    if not rows:
        return True
    first = rows[0]
    return not any(NUMBER.fullmatch(cell) or COMMA_NUMBER.fullmatch(cell) or not cell.strip() for cell in first)


def comma_numbers(rows: list[list[str]]) -> bool:
    """Say whether a column holds numbers with a comma before their fraction."""
    for column in zip(*[row for row in rows if len(row) == len(rows[0])], strict=True) if rows else ():
        cells = [cell for cell in column if cell]
        commas = sum(bool(COMMA_NUMBER.fullmatch(cell)) for cell in cells)
        if commas and commas + sum(bool(re.fullmatch(r"[+-]?\d+", cell)) for cell in cells) == len(cells):
            return True
    return False


def shown(delimiter: str) -> str:
    """Return a delimiter as people call it."""
    return {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}.get(delimiter, repr(delimiter))
