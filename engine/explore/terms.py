"""Reads simple conditions that people type, ``carrier = UA and dep_delay > 60``, as filters. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from lemnis.engine.data.split import Column
from lemnis.engine.explore.filters import Filter, Op, Value

TOKEN = re.compile(
    r"""\s*(?: (?P<text>'(?:[^']|'')*') | (?P<name>"(?:[^"]|"")*"|`[^`]*`) | (?P<op><=|>=|!=|<>|==|[=<>])
      | (?P<mark>[(),]) | (?P<word>[^\s()'"`,=<>!;]+) )""",
    re.VERBOSE,
)
OPS: Mapping[str, Op] = {"=": "in", "==": "in", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MISSING = ("missing", "null")
KEYWORDS = {"and", "or", "not", "in", "is", "between", "like", "ilike", "true", "false", "case", "missing", "null"}


class NotSimple(Exception):
    """The text is more than simple conditions; it is SQL."""


def simple_filters(text: str, columns: Sequence[Column]) -> tuple[Filter, ...] | None:
    """Return the filters that a text consists of, or None when it has to be read as SQL.

    A condition is ``NAME = VALUE`` (or ``!= < <= > >=``), ``NAME in (VALUE, …)``, ``NAME is [not] missing``,
    ``NAME is not VALUE``, ``NAME contains TEXT`` or ``NAME starts TEXT``; several are joined by ``and``. Texts may be
    in single quotes, names in double ones; every one means what the same SQL means.
    """
    try:
        return Terms(text, columns).read()
    except NotSimple:
        return None


class Terms:
    """Reads one text from left to right."""

    def __init__(self, text: str, columns: Sequence[Column]) -> None:
        self.columns = {column.name: column for column in columns}
        self.tokens: list[tuple[str, str]] = []
        text, place = text.strip(), 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if found is None:
                raise NotSimple
            self.tokens.append((found.lastgroup or "", found.group().strip()))
            place = found.end()
        self.place = 0

    def read(self) -> tuple[Filter, ...]:
        found = [self.term()]
        while self.place < len(self.tokens):
            self.word("and")
            found.append(self.term())
        return tuple(found)

    def next(self) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            raise NotSimple
        self.place += 1
        return self.tokens[self.place - 1]

    def take(self, *words: str) -> bool:
        """Step over a word if it is next."""
        here = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        found = here[0] == "word" and here[1].lower() in words
        self.place += found
        return found

    def word(self, word: str) -> None:
        if not self.take(word):
            raise NotSimple

    def term(self) -> Filter:
        kind, name = self.next()
        if kind == "name":
            name = name[1:-1].replace('""', '"') if name[0] == '"' else name[1:-1]
        if kind not in ("name", "word") or name not in self.columns:
            raise NotSimple
        column = self.columns[name]
        if self.take("is"):
            op: Op = "not in" if self.take("not") else "in"
            if self.take(*MISSING):
                return Filter(column=name, op=op, values=(None,))
            if op == "in" and column.kind != "boolean":
                raise NotSimple
            return Filter(column=name, op=op, values=(self.value(column),))
        if self.take("in"):
            return Filter(column=name, op="in", values=self.listed(column))
        for op in ("contains", "starts"):
            if self.take(op):
                self.take("with")
                return Filter(column=name, op=op, values=(self.text(),))
        kind, sign = self.next()
        if kind != "op":
            raise NotSimple
        return Filter(column=name, op=OPS[sign], values=(self.value(column),))

    def listed(self, column: Column) -> tuple[Value, ...]:
        if self.next() != ("mark", "("):
            raise NotSimple
        values = [self.value(column)]
        while (mark := self.next()) == ("mark", ","):
            values.append(self.value(column))
        if mark != ("mark", ")"):
            raise NotSimple
        return tuple(values)

    def text(self) -> str:
        kind, word = self.next()
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind != "word" or word.lower() in KEYWORDS or word in self.columns:
            raise NotSimple
        return word

    def value(self, column: Column) -> Value:
        """Read a value as what its column holds."""
        if column.kind == "boolean":
            for word in ("true", "false"):
                if self.take(word):
                    return word == "true"
            raise NotSimple
        quoted = self.place < len(self.tokens) and self.tokens[self.place][0] == "text"
        word = self.text()
        if column.kind == "numeric":
            if quoted or not NUMBER.fullmatch(word):
                raise NotSimple
            return float(word) if re.search(r"[.eE]", word) else int(word)
        if column.kind == "time":
            try:
                datetime.fromisoformat(word)
            except ValueError:
                raise NotSimple from None
            return word
        if column.type not in ("string", "large_string"):
            raise NotSimple
        if not quoted and re.fullmatch(r"[+-]?[\d.].*", word):
            raise NotSimple  # SQL reads it as a number
        return word
