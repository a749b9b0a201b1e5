"""The engine's sentences in the language of the console: found by what they are made of, so the engine speaks one.

An engine writes its sentence into errors, records and tables, with its values inside: “version 3: 336,776 rows”. Here
each kind of sentence is known by its template, ``version {}: {} rows``, as the engine's code writes it; its
translation numbers the places: ``버전 {0}: {1}행``. One that has no translation stays as it is.
"""

import json
import re
from collections.abc import Mapping

from lemnis.tui.language import CATALOGUE, LOCALES

REMEMBERED = 2_000  # sentences, as a console draws the same ones again and again
PLACE = re.compile(r"\{(\d+)\}")


class Sentences:
    """What is known of one language; reads a sentence as its template and what stands in its places."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        """Know the translation of each template; where several fit a sentence, the one with the most own words does."""
        ordered = sorted(templates, key=lambda template: -len(template.replace("{}", "")))
        self._known = [(pattern_of(template), templates[template]) for template in ordered]
        self._told: dict[str, str] = {}

    def told(self, sentence: str) -> str:
        """Return a sentence in this language, as it is where no template fits."""
        said = self._told.get(sentence)
        if said is None:
            if len(self._told) >= REMEMBERED:
                self._told.clear()
            said = self._told[sentence] = self._found(sentence)
        return said

    def _found(self, sentence: str) -> str:
        for pattern, said in self._known:
            if (found := pattern.fullmatch(sentence)) is not None:
                places = list(map(self._found, found.groups()))  # a sentence may have another one in it
                return "".join(places[int(part)] if index % 2 else part for index, part in enumerate(PLACE.split(said)))
        return sentence


def pattern_of(template: str) -> re.Pattern[str]:
    """Return what fits every sentence that is made of a template."""
    return re.compile("(.*?)".join(map(re.escape, template.split("{}"))), re.DOTALL)


def read(language: str) -> Sentences:
    """Return what is known of a language; nothing where there is no file of it."""
    try:
        return Sentences(json.loads((LOCALES / language / "sentences.json").read_text("utf-8")))
    except (OSError, ValueError):
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
