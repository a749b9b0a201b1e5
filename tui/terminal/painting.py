"""Painting: in which order the cells of a picture that changed are sent, so that it takes few bytes. Pure.

A colour costs some seventeen bytes, a move of the cursor some six: what has one style is drawn together, wherever it
is. Blanks go first, many at once; what they take away with them is drawn afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from msgspec import Struct, field

from lemnis.tui.terminal.styles import blank_of, seen_without_letters, step

GAP = 4  # cells that stay: sending them again is no longer than moving the cursor over them
ERASED = 5  # blanks from which erasing them is shorter
UNKNOWN = "\0"  # what stands in a cell of which nothing is known; also before a text that is drawn as one


class Line(Struct):
    """The cells of a line: what stands in each, and the codes for its style.

    Of text with wide or combining letters, which is drawn as one, the first cell has all and the others none. Of a
    style a space has what is seen on it.
    """

    letters: list[str] = field(default_factory=list[str])
    styles: list[str] = field(default_factory=list[str])

    def widen(self, size: int) -> None:
        """Have so many cells at least."""
        lacking = size - len(self.letters)
        if lacking > 0:
            self.letters += [UNKNOWN] * lacking
            self.styles += [""] * lacking

    def put(self, begin: int, letters: Sequence[str], styles: Sequence[str]) -> None:
        """Have some cells show something; what becomes of a letter of which a half is left is not known."""
        end = begin + len(letters)
        self.widen(end)
        first, last = begin, self.end(end - 1)
        while not self.letters[first]:
            first -= 1
        self.letters[first:last] = [UNKNOWN] * (last - first)
        self.letters[begin:end], self.styles[begin:end] = letters, styles

    def copy(self) -> "Line":
        return Line(self.letters.copy(), self.styles.copy())

    def end(self, place: int) -> int:
        """Return where the letter ends that begins in a cell."""
        place += 1
        while place < len(self.letters) and not self.letters[place]:
            place += 1
        return place

    def doubt(self, other: "Line", begin: int, end: int) -> None:
        """Take letters of several cells for unknown that aren't the same in another line."""
        for place in range(begin, end):
            if other.letters[place] and (after := other.end(place)) > place + 1:
                here, there = ((line.letters[place:after], line.styles[place:after]) for line in (self, other))
                if here != there:
                    self.letters[place] = UNKNOWN

    def fits(self, begin: int, end: int, style: str) -> bool:
        """Say whether drawing cells in a style would show the same."""
        behind = blank_of(style)
        return all(
            drawn == style or (letter == " " and drawn == behind)
            for letter, drawn in zip(self.letters[begin:end], self.styles[begin:end], strict=True)
        ) and all(len(letter) == 1 and letter != UNKNOWN for letter in self.letters[begin:end])

    def blank(self, place: int, style: str) -> bool:
        """Say whether a cell shows a background and nothing else."""
        return self.letters[place] == " " and self.styles[place] == style


class Run(Struct):
    """Cells of a line that are drawn in one go; terminals may differ in how wide an odd one is."""

    style: str
    begin: int
    end: int
    odd: bool = False


Pieces = dict[str, list[tuple[int, Run, str]]]  # by style: the row, the cells there, and their text


class Pen:
    """The terminal's cursor: where it is, if that is known, and in what style it writes."""

    def __init__(self, *, erases: bool) -> None:
        """Draw on a terminal that erases cells in the background's colour, or not."""
        self.at: tuple[int, int] | None = None
        self.style, self.erases = "", erases

    def move(self, y: int, x: int) -> str:
        """Return the codes that move the cursor."""
        before, self.at = self.at, (y, x)
        if before == (y, x):
            return ""
        if before is not None and before[0] == y and before[1] < x:
            return f"\x1b[{x - before[1]}C"
        return f"\x1b[{y + 1};{x + 1}H"

    def turn(self, style: str) -> str:
        """Return the codes that change the style."""
        before, self.style = self.style, style
        return step(before, style)

    def paint(self, lines: Mapping[int, tuple[Line, Line]]) -> Iterator[str]:
        """Yield what makes lines of others, by their rows."""
        blank, odd, even = Pieces(), Pieces(), Pieces()
        for y, (old, new) in sorted(lines.items()):
            empty, filled = apart(new, differing(old, new))
            runs = runs_of(new, filled)
            blanks = blanks_of(new, empty, runs, across=self.erases)
            for run in blanks if self.erases else left(blanks, runs):
                blank.setdefault(run.style, []).append((y, run, ""))
            for run in runs:
                text = "".join(new.letters[run.begin : run.end]).replace(UNKNOWN, "")
                (odd if run.odd else even).setdefault(run.style, []).append((y, run, text))
        for pieces, draw in ((blank, self._erase), (odd, self._draw), (even, self._draw)):  # beside an odd one, anew
            for style in sorted(pieces):
                for y, run, text in pieces[style]:
                    yield self.move(y, run.begin)
                    yield from draw(y, run, text)

    def _erase(self, y: int, run: Run, _: str) -> Iterator[str]:
        size = run.end - run.begin
        if blank_of(self.style) != run.style:
            yield self.turn(run.style)
        if size < ERASED or not self.erases:
            self.at = (y, run.end)
            yield " " * size
        else:
            yield f"\x1b[{size}X"

    def _draw(self, y: int, run: Run, text: str) -> Iterator[str]:
        if not (text.isspace() and blank_of(self.style) == run.style):
            yield self.turn(run.style)
        self.at = None if run.odd else (y, run.end)
        yield text


def differing(old: Line, new: Line) -> list[int]:
    """Return the places of the cells that differ."""
    cells = zip(count(), old.letters, new.letters, old.styles, new.styles)
    return [place for place, here, there, before, after in cells if here != there or before != after]


def apart(line: Line, changed: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the places of blanks, and of what is more than that."""
    letters, styles = line.letters, line.styles
    seen = {style for style in set(styles) if seen_without_letters(style)}
    blank = [place for place in changed if letters[place] == " " and styles[place] not in seen]
    if not blank:
        return blank, list(changed)
    return blank, [place for place in changed if letters[place] != " " or styles[place] in seen]


def runs_of(line: Line, changed: Sequence[int]) -> list[Run]:
    """Return what is drawn: cells of one style that change, with short gaps between them."""
    letters, styles, runs = line.letters, line.styles, list[Run]()
    last, doubles = dict[str, Run](), "" in letters
    for place in changed:
        letter, style = letters[place], styles[place]
        if letter in ("", UNKNOWN):
            continue
        run = last.get(style)
        if run is None or (run.end != place and (place - run.end > GAP or not line.fits(run.end, place, style))):
            run = last[style] = Run(style, place, place)
            runs.append(run)
        run.end = line.end(place) if doubles else place + 1
        run.odd = run.odd or len(letter) > 1
    return runs


def blanks_of(line: Line, changed: Sequence[int], runs: Sequence[Run], *, across: bool) -> list[Run]:
    """Return blanks of one background that change; `across` what is drawn afterwards, and blanks that don't change."""
    drawn = bytearray(len(line.letters))
    for run in runs:
        drawn[run.begin : run.end] = b"\1" * (run.end - run.begin)
    found, last = list[Run](), Run("", 0, 0)
    for place in changed:
        style = line.styles[place]
        if place == last.end and style == last.style and found:
            last.end = place + 1
        elif drawn[place]:
            continue
        elif (
            across
            and found
            and style == last.style
            and all(drawn[between] or line.blank(between, style) for between in range(last.end, place))
        ):
            last.end = place + 1
        else:
            last = Run(style, place, place + 1)
            found.append(last)
    return found


def left(blanks: Sequence[Run], runs: Sequence[Run]) -> Iterator[Run]:
    """Make blanks part of what is drawn before each of them in front of the same background; yield the others."""
    ends = {run.end: run for run in runs}
    for blank in blanks:
        before = ends.get(blank.begin)
        if before is not None and blank_of(before.style) == blank.style:
            before.end = blank.end
        else:
            yield blank
