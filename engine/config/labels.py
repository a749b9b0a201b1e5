"""What lemnis.toml declares of labelling: the column, its classes, the key of each, and what a labeller is shown."""

from msgspec import field

from lemnis.engine.config.types import Declared, Name

# The home row first, then the rows around it. Left out: u, n and v, which undo, note and show a suggestion.
KEY_ORDER = "fjdkslaghrewioptyqzxcbm1234567890"
LONGEST_CLASS = 64  # characters


class Labels(Declared, frozen=True):
    """One question that people answer row by row: `classes` of a `column`, each with a key.

    A class that `keys` does not name gets the next free key of the home row. `show` names the columns on the card,
    all but the label when empty.
    """

    column: str
    classes: list[str]
    keys: dict[str, str] = field(default_factory=dict[str, str])
    show: list[str] = field(default_factory=list[str])
    question: str = ""

    @property
    def key_of(self) -> dict[str, str]:
        """The key of each class, in the order of the classes."""
        taken = set(self.keys.values())
        free = iter([key for key in KEY_ORDER if key not in taken])
        return {name: self.keys.get(name) or next(free) for name in self.classes}


def label_problems(labels: dict[Name, Labels]) -> list[tuple[str, str, list[str]]]:
    """Return what is wrong with the declarations: the problem, what is accepted, and the keys of its place."""
    found: list[tuple[str, str, list[str]]] = []
    for name, declared in labels.items():
        place = f"labels.{name}"
        classes = declared.classes
        if not declared.column:
            found.append((f"{place}.column is empty.", "Name the column that the labels fill.", ["column"]))
        if not 2 <= len(classes) <= len(KEY_ORDER) or len(set(classes)) < len(classes):
            remedy = f"Name 2 to {len(KEY_ORDER)} different classes: each has a key of its own."
            found.append((f"{place}.classes has {len(set(classes))} different classes.", remedy, ["classes"]))
        if any(not text.strip() or len(text) > LONGEST_CLASS for text in classes):
            remedy = f"A class has 1 to {LONGEST_CLASS} characters."
            found.append((f"{place}.classes has a name that can't be shown.", remedy, ["classes"]))
        for text, key in declared.keys.items():
            if text not in classes:
                found.append((f"{place}.keys names {text!r}, which is no class.", "Add it to classes.", ["keys"]))
            elif len(key) != 1 or key not in KEY_ORDER:
                remedy = f"A key is one of {KEY_ORDER}; the others have a meaning of their own while labelling."
                found.append((f"{place}.keys gives {text!r} the key {key!r}.", remedy, ["keys"]))
        if len(set(declared.keys.values())) < len(declared.keys):
            found.append((f"{place}.keys gives one key to two classes.", "Give each class its own.", ["keys"]))
    return [(problem, remedy, ["labels", name_in(problem), *keys]) for problem, remedy, keys in found]


def name_in(problem: str) -> str:
    """Return the name of the labels that a problem is about."""
    return problem.removeprefix("labels.").partition(".")[0]
