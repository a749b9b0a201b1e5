"""Panel: a thin border with its title in it, and how old its data is."""

from typing import Self

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from lemnis.engine.text import safe
from lemnis.tui.format import age
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _


class Panel(Vertical):
    """A titled box; its border takes the accent while the focus is inside."""

    def __init__(self, title: str, *children: Widget, id: str | None = None, classes: str = ""):
        super().__init__(*children, id=id, classes=f"panel {classes}")
        self._drawn: dict[str, str] = {}
        self._edge = ""  # the border whose words are being set
        self.retitle(title)

    def retitle(self, title: str, detail: str = "") -> None:
        """Set the title and, muted behind it, a detail such as a count; both may come from data."""
        self._set("border_title", safe(title, limit=80), safe(detail and f" {detail}", limit=80))

    def footnote(self, text: str, *, stale: bool = False) -> None:
        """Set the words in the lower border, ids of actions as keys, in the warning colour if they say `stale`."""
        self._set("border_subtitle", "", safe(keyed(text), limit=80), "$warn" if stale else "$muted")

    @property
    def said(self) -> list[str]:
        """The words of its borders, the title first."""
        return [words for name in ("border_title", "border_subtitle") if (words := self._drawn.get(name, ""))]

    def dated(self, at_ms: int | None, now_ms: int, stale_after_seconds: float) -> None:
        """Say in the lower border how old the data is; a stale panel says so in words.

        Args:
            at_ms: When the data was measured; None for never.
            now_ms: The time now.
            stale_after_seconds: Younger than this it reads ``now`` and stays still.
        """
        if self.app.has_class("-past"):
            self.footnote("")  # the banner says of when everything is
        elif at_ms is None:
            self.footnote(_("no data yet"))
        elif now_ms - at_ms <= stale_after_seconds * 1000:
            self.footnote(_("live"))
        else:
            self.footnote(_("stale: {age} old").format(age=age(at_ms, now_ms)), stale=True)

    def _set(self, name: str, strong: str, muted: str, style: str = "$muted") -> None:
        if self._drawn.get(name) == strong + muted:
            return
        self._drawn[name] = strong + muted
        self._edge = name
        setattr(self, name, Content.assemble(strong, (muted, style)))
        self._edge = ""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw the panel again; where only words in its border are others, that line alone."""
        if self._edge and self.outer_size:
            wide, tall = self.outer_size
            line = Region(0, 0 if self._edge == "border_title" else tall - 1, wide, 1)
            regions = (line.translate(-self.content_offset),)  # they are counted from the content
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
