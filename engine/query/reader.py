"""Reads a query from left to right and gives its tree: or, and, not, brackets, terms."""

from lemnis.engine.query.fields import Column, Fields, Name, QueryError, resolve, wrong
from lemnis.engine.query.relative import Reference, is_relative, related
from lemnis.engine.query.sql import compare, contains, has, like
from lemnis.engine.query.tokens import SAME, Token, number_in, tokens_of
from lemnis.engine.query.tree import Negation, Node, Term, group
from lemnis.engine.text import safe

DEEPEST, MOST_TERMS = 30, 200  # brackets in brackets, terms: SQLite's own limits are near


class Reader:
    """Reads one query from left to right; each method reads what it is named after and returns its node."""

    def __init__(self, text: str, fields: Fields, now_ms: int, ask: Reference | None = None) -> None:
        self.fields, self.now_ms, self.ask = fields, now_ms, ask
        self.tokens, self.place, self.terms = tokens_of(text), 0, 0

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.place + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.here
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def is_word(self, *words: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind == "word" and token.text.lower() in words

    def take(self, *words: str) -> bool:
        found = self.is_word(*words)
        if found:
            self.next()
        return found

    def take_mark(self, mark: str) -> bool:
        """Step over a bracket, comma or colon if it is next."""
        found = self.here.kind == "mark" and self.here.text == mark
        if found:
            self.next()
        return found

    def expected(self, what: str) -> QueryError:
        found = safe(self.here.text, limit=40)
        seen = f", found {found!r}" if found else ", found the end"
        return wrong(f"Expected {what}{seen}.", "Try for example metrics.auc > 0.8 and tag:baseline.", self.here.at)

    def either(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise wrong(f"More than {DEEPEST} brackets stand in each other.", "Ask in simpler words.", self.here.at)
        parts: list[Node] = [self.both(depth)]
        while self.here.kind == "or" or self.is_word("or"):
            self.next()
            parts.append(self.both(depth))
        return group("or", parts)

    def both(self, depth: int) -> Node:
        parts: list[Node] = [self.negated(depth)]
        while True:
            if not self.take("and") and (
                self.here.kind in ("end", "or") or self.is_word("or") or self.here.text in (")", ",")
            ):
                return group("and", parts)
            parts.append(self.negated(depth))

    def negated(self, depth: int) -> Node:
        turned = False
        while self.here.kind == "not" or self.is_word("not"):
            self.next()
            turned = not turned
        found = self.term(depth)
        return Negation(found) if turned else found

    def term(self, depth: int) -> Node:
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise wrong(f"The query has more than {MOST_TERMS} terms.", "Use in (…) for lists.", self.here.at)
        if self.take_mark("("):
            found = self.either(depth + 1)
            if not self.take_mark(")"):
                raise self.expected("a closing bracket")
            return found
        if self.here.kind == "word" and not self.is_word("and", "or"):
            return self.field_term()
        if self.here.kind in ("string", "quoted"):
            return contains(self.fields.bare, self.next().text[1:-1])
        raise self.expected("a field, a word or a bracket")

    def field_term(self) -> Node:
        word = self.next()
        after = self.here
        if word.text.endswith(".") and after.kind in ("string", "quoted") and after.at == word.at + len(word.text):
            self.next()
            return self.comparison(resolve(word.text[:-1], self.fields, word.at, after.text[1:-1]))
        if self.take_mark(":"):
            return self.colon(word)
        operator = after.kind == "op" or self.is_word("in", "like", "ilike", "is", "between")
        if operator or (self.is_word("not") and self.is_word("in", "like", "ilike", "between", ahead=1)):
            return self.comparison(resolve(word.text, self.fields, word.at))
        return contains(self.fields.bare, word.text)

    def colon(self, word: Token) -> Node:
        """Read what follows `has:`, `tag:` or `note:`."""
        if word.text.lower() == "has":
            named = self.next()
            if named.kind != "word":
                raise wrong("Expected a field after has:.", f"Fields: {self.fields.known()}.", named.at)
            key = None
            if named.text.endswith(".") and self.here.kind in ("string", "quoted"):
                key = self.next().text[1:-1]
            return has(resolve(named.text.rstrip("."), self.fields, named.at, key))
        text = self.value().text
        head = self.fields.aliases.get(word.text.lower(), word.text.lower())
        if head in self.fields.pairs:
            family = self.fields.pairs[head]
            if family.numeric:
                return Term("p.key = ?", (text,), family, text)
            return Term("(p.key = ? or p.value = ?)", (text, text), family)
        column = resolve(word.text, self.fields, word.at).column
        if not isinstance(column, Column) or column.kind != "text":
            raise wrong(f"{word.text}: asks for text; this field holds none.", "Compare it with = or >.", word.at)
        return contains(column.sql, column.words.get(text.lower(), text))

    def comparison(self, name: Name) -> Node:
        """Read an operator and its values, and compare."""
        turned = self.take("not")
        if self.take("is"):
            absent = not self.take("not")
            if not self.take("null"):
                raise self.expected("null")
            return Negation(has(name)) if absent else has(name)
        if self.take("between"):
            return self.between(name, turned)
        if self.take("in"):
            return compare(name, "not in" if turned else "in", self.listed(name), now_ms=self.now_ms)
        if self.is_word("like", "ilike"):
            operator = self.next().text.lower()
            found = like(name, operator, self.value())
            return Negation(found) if turned else found
        token = self.next()
        operator = SAME.get(token.text, token.text)
        return compare(name, operator, [self.value_for(name)], now_ms=self.now_ms)

    def between(self, name: Name, turned: bool) -> Node:
        low = self.value_for(name)
        if ".." in low.text and low.kind == "word":
            first, _, second = low.text.partition("..")
            ends = [Token("word", first, low.at), Token("word", second, low.at + len(first) + 2)]
        else:
            if not self.take("and"):
                raise self.expected("and")
            ends = [low, self.value_for(name)]
        parts: list[Node] = [
            compare(name, operator, [end], now_ms=self.now_ms) for operator, end in zip((">=", "<="), ends, strict=True)
        ]
        return Negation(group("and", parts)) if turned else group("and", parts)

    def listed(self, name: Name) -> list[Token]:
        if not self.take_mark("("):
            raise self.expected("a list in brackets")
        values = [self.value_for(name)]
        while self.take_mark(","):
            values.append(self.value_for(name))
        if not self.take_mark(")"):
            raise self.expected("a comma or a closing bracket")
        return values

    def value_for(self, name: Name) -> Token:
        """Read a value, or what another run has: `champion.auc + 0.002`."""
        token = self.value()
        if not is_relative(token) or self.tokens[self.place - 1].kind != "word":
            return token
        quoted = None
        if token.text.endswith(".") and self.here.kind in ("string", "quoted"):
            quoted = self.next().text[1:-1]
        return related(token._replace(text=token.text + self.offset()), quoted, name, self.fields, self.ask)

    def offset(self) -> str:
        """Read `+ 0.002` or `-0.002` behind a value, empty if there is none."""
        sign = self.here.text
        if self.here.kind == "word" and sign[:1] in ("+", "-") and number_in(sign) is not None:
            return self.next().text
        if self.here.kind in ("word", "not") and sign in ("+", "-") and number_in(self.peek().text) is not None:
            self.next()
            return sign + self.next().text
        return ""

    def value(self) -> Token:
        """Read a word or a quoted text; the token's text is without its quotes."""
        if self.here.kind in ("string", "quoted"):
            token = self.next()
            return token._replace(text=token.text[1:-1])
        if self.here.kind != "word":
            raise self.expected("a value")
        return self.next()
