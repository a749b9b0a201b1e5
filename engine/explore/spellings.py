"""Spellings of one category that differ only by case, spaces, width, or one letter. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

MOST_VALUES = 100_000  # more different values are no categories
MOST_COMPARED = 5_000  # more are not compared letter by letter
SHORTEST = 6  # letters (of Hangul: jamo) from which one letter more or less is a slip and not another word
RARE = 0.1  # a slip has at most this share of the rows of the right spelling
SPACES = re.compile(r"\s+")


def plain_form(value: str) -> str:
    """Return a value without what only looks different: case, width, composition, spaces at the ends or doubled."""
    return SPACES.sub(" ", unicodedata.normalize("NFKC", value).casefold()).strip()


def alike(rows: Mapping[str, int]) -> list[tuple[str, list[str]]]:
    """Return groups of values that are probably one, each with the rule, the most frequent spelling first.

    Rules are ``same but for case, spaces or width`` and ``one letter apart``; the groups with most rows come first.

    Args:
        rows: How many rows hold each value.
    """
    if len(rows) > MOST_VALUES:
        return []
    forms: dict[str, list[str]] = defaultdict(list)
    for value in rows:
        forms[plain_form(value)].append(value)
    found = [("same but for case, spaces or width", values) for values in forms.values() if len(values) > 1]
    found += [("one letter apart", [*forms[right], *forms[wrong]]) for right, wrong in slips(forms, rows)]
    ordered = [(rule, sorted(values, key=lambda value: (-rows[value], value))) for rule, values in found]
    return sorted(ordered, key=lambda group: -sum(rows[value] for value in group[1]))


def slips(forms: Mapping[str, list[str]], rows: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return pairs (right form, form with a slip): one letter apart, and the slip rare beside the right one."""
    if len(forms) > MOST_COMPARED:
        return []
    letters = {form: unicodedata.normalize("NFD", form) for form in forms}
    counts = {form: sum(rows[value] for value in values) for form, values in forms.items()}
    near: dict[str, list[str]] = defaultdict(list)
    for form, text in letters.items():
        if len(text) >= SHORTEST and not any(letter.isdigit() for letter in text):  # codes differ by a letter
            for shorter in {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}:
                near[shorter].append(form)
    found: dict[str, str] = {}
    for group in near.values():
        ordered = sorted(group, key=lambda form: (-counts[form], form))
        for wrong in ordered[1:]:
            right = ordered[0]
            rare = counts[wrong] <= RARE * counts[right]
            if rare and wrong not in found and one_slip(letters[right], letters[wrong]):
                found[wrong] = right
    return [(right, wrong) for wrong, right in found.items() if right not in found]


def one_slip(right: str, wrong: str) -> bool:
    """Return whether one letter was left out, put in, changed or swapped with its neighbour."""
    start = 0
    while start < min(len(right), len(wrong)) and right[start] == wrong[start]:
        start += 1
    end = 0
    while end < min(len(right), len(wrong)) - start and right[len(right) - 1 - end] == wrong[len(wrong) - 1 - end]:
        end += 1
    here, there = right[start : len(right) - end], wrong[start : len(wrong) - end]
    swapped = len(here) == len(there) == 2 and here == there[::-1]
    return swapped or (max(len(here), len(there)) == 1)
