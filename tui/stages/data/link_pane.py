"""What a link would do, drawn: the match with its fan-out, what to think about, and the keys that match nothing."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from lemnis.engine.data import LinkPreview
from lemnis.engine.errors import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.format import duration, number
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.stages.data import link_rows as rows
from lemnis.tui.widgets import Bars, Col, Panel, Table, Words

TWO_COLUMNS = 120  # cells, from which the lists of keys have bars
UNKNOWN = N_("Not counted yet.")
EMPTY = {"left": N_("Every key is found."), "right": N_("All are asked for."), "duplicates": N_("None.")}


class MatchPanel(Panel):
    """Match rate, rows before and after, and how many rows on the right each row on the left gets."""

    def compose(self) -> ComposeResult:
        yield Words(id="match")
        yield Bars(id="fan-out")

    def show(self, preview: LinkPreview | None, error: LemnisError | None, *, title: str, looking: bool) -> None:
        """Show a preview, or why there is none; `looking` says that a newer one is being counted."""
        took = _("in {seconds}").format(seconds=duration(preview.seconds)) if preview else ""
        self.retitle(title, _("measuring …") if looking else took)
        match, bars = self.query_one("#match", Words), self.query_one("#fan-out", Bars)
        bars.display = preview is not None
        if error is not None:
            first = Content.styled(f"✖ {safe(told(error.problem))}", "$bad")
            place = Content.styled(safe(told(error.place)), "$muted")
            match.say(Content("\n").join([first, Content(safe(told(error.remedy))), place]))
        elif preview is None:
            words = _("Counting …") if looking else _("Choose a source and its keys. Nothing is written before w.")
            match.say(Content.styled(words, "$muted"))
        else:
            match.say(rows.match_content(preview, max(8, self.size.width - 12)))
            bars.show(rows.fan_out_bars(preview), marks=rows.fan_out_marks(preview), label_width=4)


class Cautions(Words):
    """What to think about before the link is written, in words."""

    def show(self, preview: LinkPreview | None) -> None:
        """Show the warnings of a preview, or that there are none."""
        words = rows.warnings(preview) if preview else []
        if preview is not None and not words:
            self.say(Content.styled(safe(rows.calm_words(preview)), "$muted"))
        else:
            self.say(Content("\n").join([Content.assemble(("▲ ", "$warn"), safe(text)) for text in words]))


class KeyLists(Horizontal):
    """The keys that match nothing or too much, on both sides, and rows that know the future where there is room."""

    def compose(self) -> ComposeResult:
        for one in rows.key_lists(None):
            with Panel(one.title, id=f"{one.side}-panel"):
                yield Table(*rows.SLIM_KEYS, id=one.side, empty=UNKNOWN)
        with Panel(_("Later than the decision"), id="later-panel"):
            yield Table(Col("key"), Col("decided"), Col("later"), Col("column", flex=True), id="later")

    def show(self, preview: LinkPreview | None) -> None:
        """Show the keys with the most rows."""
        slim = self.size.width < TWO_COLUMNS
        for one in rows.key_lists(preview):
            panel, table = self.query_one(f"#{one.side}-panel", Panel), self.query_one(f"#{one.side}", Table)
            panel.retitle(one.title, number(one.total) if preview else "")
            panel.footnote(one.foot)
            twice = one.side == "duplicates"
            table.empty = EMPTY[one.side] if preview else UNKNOWN
            table.set_columns(rows.SLIM_KEYS if slim else rows.TWICE if twice else rows.KEYS)
            table.show(rows.key_rows(one.keys, one.top, slim=slim, asked=twice))
        later = rows.travel_rows(preview) if preview else []
        self.query_one("#later-panel").display = bool(later) and not slim
        self.query_one("#later", Table).show(later)
