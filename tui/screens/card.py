"""How a row that is labelled looks: its cells wrapped and aligned, the classes with their keys and balance. Pure."""

from collections.abc import Mapping, Sequence

from textual.content import Content

from lemnis.engine.explore.labels import Accord, Agreement, Event, Progress, Queue, Task
from lemnis.engine.text import is_mark, safe
from lemnis.tui.format import MISSING, duration, number, share, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import fitted
from lemnis.tui.widgets.text import bar_of

WIDEST_NAME = 20
SHORT = 16  # cells of a value that can stand beside others
FEW = 6
BAR = 8


def wrapped(text: str, width: int) -> list[str]:
    """Return a text of data as harmless lines of at most `width` terminal cells, broken at blanks where there are some.

    Line breaks of the text stay; every other control character is shown, not obeyed. Wide characters count as two.
    """
    lines: list[str] = []
    for part in text.replace("\r\n", "\n").split("\n"):
        rest = safe(part)
        while cells(rest) > width:
            most = fitting(rest, width)
            cut = next((place for place in range(most, 0, -1) if is_blank(rest, place)), most)
            lines.append(rest[:cut].rstrip())
            while is_blank(rest, cut):
                cut += 1
            rest = rest[cut:]
        lines.append(rest)
    return lines


def is_blank(text: str, place: int) -> bool:
    """Say whether a line may break here: at a blank that carries no mark."""
    return text[place : place + 1] == " " and not any(map(is_mark, text[place + 1 : place + 2]))


def fitting(text: str, width: int) -> int:
    """Return how many characters of a text fit into `width` cells, at least one; marks stay with their character."""
    low, high = 1, min(len(text), max(1, width) * 6)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cells(text[:middle]) <= width else (low, middle - 1)
    return low


def cells(text: str) -> int:
    """Return how many terminal cells a text takes."""
    return Content(text).cell_length


def card_content(task: Task, width: int) -> Content:
    """Return a row: names and values in the columns' order, values wrapped beside their names.

    Many short values after one another stand side by side, read downwards, so that a row of numbers is seen at once.
    """
    wide = min(WIDEST_NAME, max((cells(safe(name, limit=60)) for name in task.cells), default=0))
    room = max(10, width - wide - 2)
    lines: list[Content] = []
    run: list[Content] = []
    for name, value in task.cells.items():
        label = fitted(Content(safe(name, limit=60)), wide).stylize("$muted") + "  "
        said = [Content(line) for line in wrapped(value, room)] if value else [empty_content(value)]
        if len(said) == 1 and said[0].cell_length <= SHORT:
            run.append(label + said[0])
            continue
        lines += [*side_by_side(run, wide + 2 + SHORT, width), label + said[0]]
        lines += [Content(" " * (wide + 2)) + text for text in said[1:]]
        run = []
    lines += side_by_side(run, wide + 2 + SHORT, width)
    for who, note in task.notes:
        lines.append(Content.styled(safe(_("note of {who}: {note}").format(who=who, note=note), limit=300), "$muted"))
    return Content("\n").join(lines)


def empty_content(value: str | None) -> Content:
    """Return how no value and an empty text look."""
    return Content.styled(MISSING if value is None else "empty", "$muted")


def side_by_side(run: Sequence[Content], room: int, width: int) -> list[Content]:
    """Return short cells in lines: one under the other while they are few, else in as many columns as fit."""
    columns = max(1, (width + 2) // (room + 2)) if len(run) > FEW else 1
    height = -(-len(run) // columns)
    return [
        Content("  ").join([fitted(cell, room) if columns > 1 else cell for cell in run[line::height]])
        for line in range(height)
    ]


def classes_content(key_of: Mapping[str, str], progress: Progress, now: str | None, width: int) -> Content:
    """Return the classes, each with its key, its rows so far and a bar of its share; `now` is the label the row has."""
    total, most = sum(progress.balance.values()), max([1, *progress.balance.values()])
    wide = min(28, max(6, *(cells(safe(name)) for name in key_of)))
    digits = len(number(most))
    room = 4 + wide + 1 + BAR + 1 + digits + 6 + 2
    columns = max(1, width // room)
    shown: list[Content] = []
    for name, key in key_of.items():
        rows = progress.balance.get(name, 0)
        style = "bold $stage-accent" if name == now else ""
        bar = bar_of(rows / most, BAR)
        part = share(rows / total, 0) if total else MISSING
        cell = Content.assemble(
            (f" {key} ", "$key"), " ", fitted(Content.styled(safe(name), style), wide), " ", (bar, "$busy"),
            " " * (BAR - len(bar)), f" {number(rows):>{digits}} ", (f"{part:>4}", "$muted"),
        )  # fmt: skip
        shown.append(fitted(cell, room))
    if progress.unsure:
        blanks = " " * (BAR + 1)
        unsure = Content.assemble((" ? ", "$key"), " ", fitted(Content(_("unsure")), wide), blanks)
        shown.append(fitted(unsure + f" {number(progress.unsure):>{digits}}", room))
    return Content("\n").join(
        [Content("").join(shown[start : start + columns]) for start in range(0, len(shown), columns)]
    )


def progress_words(progress: Progress) -> str:
    """Return how far a queue is and how fast its labeller; nothing before it was counted."""
    if not progress.rows:
        return ""
    parts = [_("{done} of {rows} done").format(done=number(progress.done), rows=number(progress.rows))]
    if progress.mine != progress.done:
        parts.append(_("you {mine}").format(mine=number(progress.mine)))
    if progress.per_minute is not None:
        parts.append(_("{per_minute:.0f} a minute").format(per_minute=progress.per_minute))
        if len(parts) == 2 and progress.rows > progress.done:
            parts.append(
                _("{value} left").format(value=duration(60 * (progress.rows - progress.done) / progress.per_minute))
            )
    return " · ".join(parts)


def place_words(task: Task, queue: Queue) -> str:
    """Return where a row stands: its key and its place in the queue."""
    two = f" {_('· asked of two')}" if task.item.wanted > 1 else ""
    return _("row {place} of {rows}{two}").format(place=number(task.item.place + 1), rows=number(queue.rows), two=two)


def hint_content(task: Task, queue: Queue, *, shown: bool) -> Content:
    """Return what is known of the row: the label it has, what a model says (or that it is hidden), what was said."""
    item = task.item
    parts: list[Content] = []
    if item.given is not None:
        parts.append(
            Content.assemble(
                (f"{_('label now')} ", "$muted"), (safe(item.given), "bold"), (f"  {_('enter keeps it')}", "$muted")
            )
        )
    if item.suggested is not None:
        said = f"{safe(item.suggested)} {share(item.suggested_share, 0)}"
        model = " " + _("by {suggested_by}").format(suggested_by=safe(item.suggested_by, limit=40))
        parts.append(
            Content.assemble((f"{_('suggested')} ", "$muted"), (said, "bold"), (model, "$muted"))
            if shown
            else Content.styled(_("suggestion hidden: v shows it"), "$muted")
        )
    elif item.reason and queue.kind in ("drift", "split"):
        parts.append(Content.styled(safe(told(item.reason), limit=120), "$muted"))
    if task.mine is not None:
        parts.append(Content.assemble((f"{_('you said')} ", "$muted"), (said_words(task.mine), "bold")))
    return Content.styled("  ·  ", "$muted").join(parts) if parts else Content("")


def why_text(task: Task, queue: Queue, *, shown: bool) -> str:
    """Return why a row is asked about, what counts, and what the keys do; a hidden suggestion stays hidden."""
    item = task.item
    lines = [f"{queue.title}: {queue.recipe}."]
    if item.score is not None:
        lines.append(_("Its score is {score:.3f}; the queue begins with the highest.").format(score=item.score))
    if item.reason and (shown or item.suggested is None):
        lines.append(f"{told(item.reason)}.")
    elif item.reason:
        lines.append(_("Why in detail would tell what the model says: v shows it."))
    if queue.resolves:
        lines.append(
            _("Your answer decides what stands for this row, whatever the votes say; unsure leaves it as it is.")
        )
    else:
        lines.append(_("Your answer is a vote: the majority stands, a tie stays open until somebody decides it."))
    lines.append(_("Nothing is overwritten: every answer, undo and skip is an event (lemnis explore labels history)."))
    return "\n\n".join(lines)


def precision_words(progress: Progress) -> str:
    """Return how often the suggestions of a review were right so far; empty where nothing was reviewed."""
    if not progress.reviewed:
        return ""
    part = share(progress.changed / progress.reviewed, 0)
    return _("of the last {reviewed} you changed {changed} ({part})").format(
        reviewed=progress.reviewed, changed=progress.changed, part=part
    )


def said_words(event: Event) -> str:
    """Return what an event says of its row."""
    if event.kind in ("label", "gold") and event.value is not None:
        return safe(event.value)
    return {
        "gold": _("unsure"),
        "skip": _("skipped"),
        "note": _("note: {note}").format(note=safe(event.note, limit=60)),
    }.get(event.kind, event.kind)


def interval_words(found: Agreement) -> str:
    """Return a coefficient with its interval and the rows it is over."""
    if found.value is None:
        return _("not defined (n = {n})").format(n=number(found.n))
    between = f" [{found.low:.2f}, {found.high:.2f}]" if found.low is not None else ""
    return (
        _("{value:.3f}{between}  n = {n}, {agreed} alike")
        .format(value=found.value, between=between, n=number(found.n), agreed=number(found.agreed))
        .replace("-", "−")
    )


def agreement_text(accord: Accord, classes: Sequence[str]) -> str:
    """Return agreement as lines: of all, of each pair with its confusion, of a model with the audit slice."""
    lines = [_("Krippendorff's alpha of all   {interval_words}").format(interval_words=interval_words(accord.alpha))]
    for pair in accord.pairs:
        lines += [
            "",
            _("Cohen's kappa of {first} and {second}   {interval_words}").format(
                first=pair.first, second=pair.second, interval_words=interval_words(pair.kappa)
            ),
        ]
        found = {*pair.confusion, *(name for row in pair.confusion.values() for name in row)}
        names = [name for name in classes if name in found] + sorted(found - set(classes))
        wide = max(cells(safe(name)) for name in [*names, pair.first]) + 2
        header = padded(f"{pair.first} ↓  {pair.second} →", wide)
        lines.append(header + "".join(padded(name, max(6, cells(safe(name)) + 2), right=True) for name in names))
        for name in names:
            row = pair.confusion.get(name, {})
            figures = [padded(number(row.get(other, 0)), max(6, cells(safe(other)) + 2), right=True) for other in names]
            lines.append(padded(name, cells(header)) + "".join(figures))
    if not accord.pairs:
        lines += ["", _("No row was labelled by two people yet. Make a queue with an overlap (n).")]
    if accord.audit is not None:
        rows, right, low, high = accord.audit
        lines += [
            "",
            _("The model is right on {right} of {rows} audit rows: {right2:.1%} [{low:.1%}, {high:.1%}]").format(
                right=right, rows=rows, right2=right / rows, low=low, high=high
            ),
        ]
    return "\n".join(lines)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text of data with blanks to `width` cells."""
    shown = safe(text)
    blanks = " " * max(0, width - cells(shown))
    return blanks + shown if right else shown + blanks


def made_words(queue: Queue) -> str:
    """Return who made a queue and when."""
    return f"{when(queue.created_at)} {queue.created_by}"
