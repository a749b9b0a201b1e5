"""The language of what the console draws: English as it is written in the code, or a catalogue's translation of it.

A text is marked where it is drawn, `_("{n} rows").format(n=…)`: it is looked up each time, nothing is frozen at import.
One that is declared (a table of words, a `Col`, an `Action`) is translated by what draws it: mark it with `N_` where it
is neither of those two. What explains (`…_TEXT`, `CELLS`, `HELP`) is translated by paragraph, where it is shown. Korean
goes into `locale/ko/LC_MESSAGES/lemnis.po` after `make docs`.

English stays: what commands print, JSON and logs, which never `speak`; the engine's sentences, but for those that
`sentences` knows; data; the names of metrics and parameters; the words of queries and addresses; whatever else a
script reads.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

DOMAIN = "lemnis"
LOCALES = Path(__file__).parent / "locale"
SPOKEN = ("ko",)  # the catalogues there are
SOURCE = ("en", "c", "posix")  # what is written in the code already
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def wanted(environment: Mapping[str, str]) -> str:
    """Return the language an environment asks for, as gettext reads it: ``ko``, or empty for English.

    The first variable that is set counts; of the languages it lists, the first that is known.
    """
    asked = next((value for name in VARIABLES if (value := environment.get(name))), "")
    for place in asked.split(":"):
        spoken = place.partition(".")[0].partition("@")[0].partition("_")[0].lower()
        if spoken in SPOKEN:
            return spoken
        if spoken in SOURCE:
            break
    return ""


class Catalogue:
    """The translations in force; none until a console speaks another language."""

    def __init__(self) -> None:
        self.language = ""
        self._of: Callable[[str], str] | None = None

    def speak(self, language: str) -> None:
        """Use a language's catalogue from now on; an empty name, or a catalogue that can't be read, is English."""
        self.language, self._of = "", None
        if not language:
            return
        from gettext import translation  # not paid for by those who read English

        try:
            found = translation(DOMAIN, LOCALES, [language])
        except (OSError, UnicodeDecodeError):
            return
        self.language, self._of = language, found.gettext

    def translated(self, message: str) -> str:
        """Return a message in the language in force, as it is where that has no other words for it."""
        return self._of(message) if self._of is not None and message else message


CATALOGUE = Catalogue()


def speak(environment: Mapping[str, str]) -> None:
    """Draw from now on in the language that an environment asks for."""
    CATALOGUE.speak(wanted(environment))


def _(message: str) -> str:
    """Return a message in the language in force."""
    return CATALOGUE.translated(message)


def sense(message: str, of: str) -> str:
    """Return a message that means several things in English in the sense that is meant: `from` of a range."""
    named = f"{message} ({of})"
    said = _(named)
    return message if said == named else said


def N_(message: str) -> str:
    """Return a message as it is: it is declared here, and translated where it is drawn."""
    return message


def paragraphs(text: str) -> str:
    """Return a text in the language in force; each of its paragraphs, parted by empty lines, is a message."""
    return "\n\n".join(map(_, text.split("\n\n")))
