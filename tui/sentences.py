"""The engine's sentences in the language of the console: found by what they are made of, so the engine speaks one.

An engine writes its sentence into errors, records and tables, with its values inside: “version 3: 336,776 rows”. Here
each kind of sentence is known by its template, ``version {}: {} rows``, as the engine's code writes it; its
translation numbers the places: ``버전 {0}: {1}행``. One that has no translation stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from lemnis.tui.language import CATALOGUE, LOCALES

REMEMBERED = 2_000  # sentences, as a console draws the same ones again and again
PLACE = re.compile(r"\{(\d+)\}")
PLACES = re.compile(r"((?:\{\})+)")
JOINTS = ("; ", ": ")  # what stands between sentences that were made apart, beside the end of one
ENDS = re.compile(r"(?<=[.?!])( )")
LONGEST, MANY = 600, 8  # letters, and joints: looking through more would keep a person waiting
FEW = 4  # letters of its own: a template with no more fits only where no place has a blank in it


Kind: TypeAlias = tuple[int, str, str]  # how late it is tried, its longest own word, and the template


class Template(Struct, frozen=True):
    """One kind of sentence: its own words, how many places stand between two of them, and what is said instead."""

    words: tuple[str, ...]
    places: tuple[int, ...]
    said: tuple[str, ...]

    @staticmethod
    def of(written: str, said: str) -> "Template":
        """Return a template as the engine's code writes it, with its translation."""
        parts = PLACES.split(written)
        return Template(tuple(parts[::2]), tuple(len(run) // 2 for run in parts[1::2]), tuple(PLACE.split(said)))

    @property
    def letters(self) -> int:
        return sum(char.isalpha() for word in self.words for char in word)

    def between(self, sentence: str) -> list[str] | None:
        """Return what stands between its words in a sentence; None where it is not made of them."""
        first, last = self.words[0], self.words[-1]
        if not self.places:
            return [] if sentence == first else None
        at, end = len(first), len(sentence) - len(last)
        if end < at or not sentence.startswith(first) or not sentence.endswith(last):
            return None
        found: list[str] = []
        for word in self.words[1:-1]:
            place = sentence.find(word, at, end)
            if place < 0:
                return None
            found.append(sentence[at:place])
            at = place + len(word)
        return [*found, sentence[at:end]]

    def holds(self, texts: Sequence[str]) -> bool:
        """Say whether texts may stand in its places: several sentences in brackets, and last where foreseen."""
        if self.letters <= FEW and any(" " in text for text in texts):
            return False
        free = len(self.words) > 1 and self.words[-1] in ("", ".") and self.words[-2].endswith(JOINTS)
        around = zip(texts[:-1] if free else texts, self.words, self.words[1:], strict=False)
        single = [text for text, before, after in around if not (before[-1:] == "(" and after[:1] == ")")]
        return not any(joint in f"{text} " for text in single for joint in (*JOINTS, ". "))


class Sentences:
    """What is known of one language; reads a sentence as its template and what stands in its places."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        """Know the translation of each template; where several fit a sentence, the one with the most own words does."""
        self._said = templates
        ordered = sorted(templates, key=lambda template: -len(template.replace("{}", "")))
        # By the letter they begin with, those that begin with a place apart: most are never looked at, nor taken apart.
        self._by_first: dict[str, list[Kind]] = {}
        for rank, written in enumerate(ordered):
            first = "" if written.startswith("{}") else written[0]
            self._by_first.setdefault(first, []).append((rank, max(written.split("{}"), key=len), written))
        self._taken: dict[str, Template] = {}
        self._told: dict[str, str] = {}

    def told(self, sentence: str) -> str:
        """Return a sentence in this language, as it is where no template fits and where it has too many parts."""
        if len(sentence) > LONGEST or sum(map(sentence.count, (*JOINTS, ". "))) > MANY:
            return sentence
        said = self._told.get(sentence)
        if said is None:
            if len(self._told) >= REMEMBERED:
                self._told.clear()
            said = self._told[sentence] = self._found(sentence)
        return said

    def _found(self, sentence: str) -> str:
        return self._fit(sentence) or self._apart(sentence) or sentence

    def _fit(self, sentence: str, *, begun: bool = False) -> str:
        """Return a sentence of one template in this language; empty where none fits. `begun`: by words of its own."""
        firsts = (sentence[:1],) if begun else (sentence[:1], "")
        near = [kind for first in firsts for kind in self._by_first.get(first, ()) if kind[1] in sentence]
        for _, _, written in sorted(near):
            known = self._template(written)
            found = known.between(sentence)
            if found is not None and known.holds(found):
                places = [
                    place for text, many in zip(found, known.places, strict=True) for place in self._in(text, many)
                ]
                return "".join(places[int(part)] if index % 2 else part for index, part in enumerate(known.said))
        return ""

    def _template(self, written: str) -> Template:
        """Return a template taken apart, which the next sentence of its kind finds so."""
        known = self._taken.get(written)
        if known is None:
            known = self._taken[written] = Template.of(written, self._said[written])
        return known

    def _in(self, text: str, many: int) -> list[str]:
        """Return what stands in places beside each other: the last begins where a sentence of its own does."""
        if many == 1:
            return [self._found(text)]
        for at, char in enumerate(text):
            if char in " ,;(" and (said := self._fit(text[at:], begun=True)):
                return [*self._in(text[:at], many - 1), said]
        return [*self._in(text, many - 1), ""]

    def _apart(self, sentence: str) -> str:
        """Return sentences that were made apart, each in this language; empty where there is one."""
        parts = ENDS.split(sentence)
        if len(parts) > 1:
            return "".join(map(self._found, parts))
        listed = [self._fit(part) for part in sentence.split(", ")]
        if len(listed) > 1 and all(listed):
            return ", ".join(listed)
        name, met, inner = sentence.removesuffix(")").partition(" (")
        if met and sentence.endswith(")") and ": " not in name and (said := self._found(inner)) != inner:
            return f"{self._found(name)} ({said})"
        for joint in JOINTS:
            first, met, rest = sentence.partition(joint)
            if met and rest:
                said = self._fit(joint + rest, begun=True) or joint + self._found(rest)
                if said != joint + rest or self._found(first) != first:
                    return self._found(first) + said
        return ""


def read(language: str) -> Sentences:
    """Return what is known of a language; nothing where there is no file of it."""
    try:
        return Sentences(msgspec.json.decode((LOCALES / language / "sentences.json").read_bytes()))
    except (OSError, msgspec.DecodeError):
        return Sentences({})


class InForce:
    """The sentences of the language that is spoken, read when the first one is asked for."""

    language, sentences = "", Sentences({})


def told(sentence: str) -> str:
    """Return a sentence of the engine in the language in force."""
    if not CATALOGUE.language or not sentence:
        return sentence
    if InForce.language != CATALOGUE.language:
        InForce.language, InForce.sentences = CATALOGUE.language, read(CATALOGUE.language)
    return InForce.sentences.told(sentence)
