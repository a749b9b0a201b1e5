"""Processes as a tree: children under their parents, branches in the order of what is sorted by. Pure."""

from collections.abc import Mapping, Sequence

from lemnis.tui.widgets.cells import Row, drawable, plain, sort_key

Key = tuple[int, float, str]


def in_tree(rows: Sequence[Row], parents: Mapping[str, str], index: int, *, descending: bool) -> list[Row]:
    """Return rows with each under its parent, its last cell behind the lines of the tree.

    A branch stands where the largest (or smallest) of its rows would stand, so that what is busy comes first with
    those that started it. A row whose parent is not among the rows is a root, and so is one in a circle.

    Args:
        rows: In any order.
        parents: Key of a row's parent by the row's key.
        index: The column that is sorted by.
        descending: The largest first.
    """
    known = {row.key: row for row in rows}
    children: dict[str, list[str]] = {}
    for row in rows:
        parent = parents.get(row.key, "")
        children.setdefault(parent if parent in known and parent != row.key else "", []).append(row.key)
    best: dict[str, Key | None] = {}
    for key in reversed(below(children, "")):
        values = [sort_key(known[key], index), *(best.get(child) for child in children.get(key, []))]
        there = [value for value in values if value is not None]
        best[key] = (max(there) if descending else min(there)) if there else None
    for siblings in children.values():
        siblings.sort(key=lambda key: best.get(key) or (0, 0.0, ""), reverse=descending)
        siblings.sort(key=lambda key: best.get(key) is None)
    placed = list[Row]()
    walk(known, children, "", "", placed)
    seen = {row.key for row in placed}
    return placed + [row for row in rows if row.key not in seen]


def below(children: Mapping[str, Sequence[str]], root: str) -> list[str]:
    """Return all keys under a root, parents before their children."""
    found: list[str] = []
    waiting = list(children.get(root, []))
    while waiting:
        key = waiting.pop()
        found.append(key)
        waiting += children.get(key, [])
    return found


def walk(
    known: Mapping[str, Row], children: Mapping[str, Sequence[str]], key: str, lead: str, placed: list[Row]
) -> None:
    """Append the rows under a key; `lead` is what stands left of their own branch."""
    siblings = children.get(key, [])
    for place, child in enumerate(siblings):
        last = place == len(siblings) - 1
        branch = "" if key == "" else lead + ("└─ " if last else "├─ ")
        placed.append(behind(known[child], branch))
        walk(known, children, child, "" if key == "" else lead + ("   " if last else "│  "), placed)


def behind(row: Row, branch: str) -> Row:
    """Return a row whose last cell begins with the lines of the tree."""
    if not branch:
        return row
    cell = row.cells[-1]
    text = branch + plain(cell) if isinstance(cell, str) else drawable(branch) + drawable(cell)
    return Row(row.key, [*row.cells[:-1], text], row.values)
