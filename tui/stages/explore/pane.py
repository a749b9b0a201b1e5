"""The pane of one column: draws what is known of it, and looks up the rest while the cursor is on it."""

from dataclasses import dataclass

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data import Version
from lemnis.engine.explore import Profile
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.explore.detail import Closer, detail_content
from lemnis.tui.stages.explore.rows import looked_at
from lemnis.tui.widgets import Empty, Panel

KEPT = 200  # columns that were looked up


class Wish(Struct, frozen=True):
    """Which column of which version, what is kept of it, and by the classes of which column it is drawn."""

    version: Version
    name: str
    profile: Profile | None
    by: str

    @property
    def key(self) -> tuple[str, str, str, bool, bool]:
        return self.version.id, self.name, self.by, self.profile is not None, bool(self.profile and self.profile.exact)


class ColumnPane(Panel):
    """One column in full. Looking up runs in one thread; where the cursor went meanwhile is looked up next."""

    @dataclass
    class Looked(Message, bubble=False):
        """A column was looked up in the thread."""

        wish: Wish
        closer: Closer

    def __init__(self, engine: Engine, *, id: str) -> None:
        super().__init__(_("Column"), id=id)
        self.engine = engine
        self._wish: Wish | None = None
        self._state = ""
        self._busy = False
        self._known: dict[tuple[str, str, str, bool, bool], Closer] = {}

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="detail-scroll", can_focus=True):
            yield Empty(id="detail")

    def show_nothing(self, reason: str) -> None:
        """Say why there is no column."""
        self._wish = None
        self.retitle(_("Column"))
        self.query_one("#detail", Empty).show(reason)

    def show_column(self, version: Version, name: str, profile: Profile | None, *, by: str, state: str) -> None:
        """Show a column by the classes of another; the label if `by` is empty.

        A column without a profile is looked at now, of a large version at a sample, for as long as the pane shows it;
        `state` says how its profiling stands.
        """
        self._wish, self._state = Wish(version, name, profile, by or version.label), state
        self._draw()
        self._look_up()

    def _draw(self) -> None:
        wish, detail = self._wish, self.query_one("#detail", Empty)
        if wish is None:
            return
        closer = self._known.get(wish.key) or at_hand(wish)
        profile = wish.profile or closer.drawn
        if profile is None:
            self.retitle(wish.name)
            working = self._state.startswith("measuring")
            detail.show(closer.failed or self._state, "" if working else "n", _("Profile now"))
            return
        self.retitle(wish.name, f"{profile.role} · {profile.type} · {looked_at(profile)}")
        width = max(36, self.query_one("#detail-scroll").scrollable_content_region.width - 2)
        content = detail_content(profile, closer, width, compact=self.app.screen.has_class("-narrow"))
        if wish.profile is None:
            content = Content("\n").join([Content.styled(safe(self._state), "$muted").truncate(width), content])
        detail.say(content)

    def _look_up(self) -> None:
        """Read what is not at hand, unless a thread is at it already."""
        wish = self._wish
        if wish is None or self._busy or wish.key in self._known or not self.is_attached:
            return
        if at_hand(wish).drawn is not None:
            return
        self._busy = True
        self.run_worker(lambda: self._read(wish), group="explore-column", thread=True, exit_on_error=False)

    def _read(self, wish: Wish) -> None:
        closer, room = at_hand(wish), self.engine.explore
        try:
            closer = Closer(wish.by, room.profile_by(wish.version.id, wish.name, wish.by))
        except LemnisError as error:
            closer = Closer(wish.by, closer.drawn, failed=f"{told(error.problem)} {told(error.remedy)}")
        self.post_message(self.Looked(wish, closer))

    def on_column_pane_looked(self, message: Looked) -> None:
        self._busy = False
        while len(self._known) >= KEPT:
            del self._known[next(iter(self._known))]
        self._known[message.wish.key] = message.closer
        if not self.children:
            return  # the console is being left
        self._draw()
        self._look_up()


def at_hand(wish: Wish) -> Closer:
    """Return what the profile says already: it holds the classes of the label."""
    own = not wish.by or (wish.by == wish.version.label and wish.profile is not None and wish.profile.findings.classes)
    return Closer(wish.by, wish.profile if own else None)
