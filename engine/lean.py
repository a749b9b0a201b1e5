"""Imports without what they only look for: LightGBM and pyarrow import pandas and more wherever these are installed."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class Absent(MetaPathFinder):
    """Says of some packages that they are not installed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> None:
        """Refuse the hidden packages, and leave every other to the finders behind."""
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def hidden(*names: str) -> Generator[None, None, None]:
    """Make packages that are not imported yet look uninstalled for the block; afterwards they can be imported again."""
    finder = Absent(tuple(name for name in names if name not in sys.modules))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def let_pyarrow_be_alone() -> None:
    """Let pyarrow look for pandas now, in vain: the import takes a third of a second, and no table of ours is pandas'.

    It looks once in a process, at the first value that it is given or gives.
    """
    with hidden("pandas"):
        import pyarrow as pa

        pa.array([0])
