"""Named: a sentence names an action by its id in braces, ``Press {experiments.train} to train``; here it gets its key.

The key is the one in force, which a person may have chosen. Tables without rows, empty places, toasts, refusals,
explanations and footnotes write it by themselves; what is drawn elsewhere goes through `keyed`, before anything that
comes from data is put into the sentence.
"""

import re

from lemnis.tui.actions import ACTIONS
from lemnis.tui.keys.keymap import DEFAULT, Keymap

ID = re.compile(r"\{([a-z]+\.[a-z_]+)\}")
BY_ID = {action.id: action for action in ACTIONS}


class InForce:
    """The keymap of this process's console."""

    keymap: Keymap = DEFAULT


def use(keymap: Keymap) -> None:
    """Name the keys of this keymap from now on."""
    InForce.keymap = keymap


def key_of(action_id: str) -> str:
    """Return the first key of an action as it is written for people."""
    return InForce.keymap.label(BY_ID[action_id]).split()[0]


def keyed(sentence: str) -> str:
    """Return a sentence with keys in place of the ids of actions; other braces stay as they are."""
    if "{" not in sentence:
        return sentence
    return ID.sub(lambda found: key_of(found[1]) if found[1] in BY_ID else found[0], sentence)
