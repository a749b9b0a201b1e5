"""The stream of one version's losses in order of event time, and what its detectors together say. Pure."""

from collections.abc import Iterable

import msgspec

from lemnis.engine.monitor.concept.detectors import Adwin, Ddm, PageHinkley
from lemnis.engine.monitor.concept.records import Detection, Detector, Level, Scale, State

VOTES = 2  # detectors that must have found a rise for the concept to have drifted
LASTING = 10_000  # rows for which a detector's finding waits for another's
CALM = 2_000  # rows without a warning after which there is none any more


class Stream(msgspec.Struct, kw_only=True):
    """The detectors' state after some rows; it is numbers alone, so that it is kept as JSON and goes on from there.

    Attributes:
        state: warning: a detector warns, or one alone has found a rise. drift: two have, within LASTING rows of each
            other; it stays until losses fall again or another version serves.
        votes: Row at which each detector found a rise; warned: the last row at which one warned.
    """

    scale: Scale
    page_hinkley: PageHinkley
    ddm: Ddm
    adwin: Adwin
    rows: int = 0
    state: State = "stable"
    votes: dict[str, int] = {}
    warned: int = 0

    @classmethod
    def of(cls, scale: Scale) -> "Stream":
        """Return a stream that has seen nothing yet."""
        return cls(
            scale=scale,
            page_hinkley=PageHinkley(effect=scale.effect),
            ddm=Ddm(effect=scale.effect),
            adwin=Adwin(effect=scale.effect),
        )

    def take(self, losses: Iterable[tuple[int, float]]) -> list[Detection]:
        """Take event time and loss of rows, in order, and return what was found at them."""
        return [found for event_at, loss in losses for found in self._take(event_at, loss)]

    def _take(self, event_at: int, loss: float) -> list[Detection]:
        """Take one row; of single detectors rises and falls are told, of all together each change of state."""
        self.rows += 1
        scale = self.scale
        levels: dict[Detector, Level] = {
            "ADWIN": self.adwin.update(min(loss / scale.top, 1.0)),
            "Page-Hinkley": self.page_hinkley.update((loss - scale.mean) / max(scale.deviation, 1e-12)),
            "DDM": self.ddm.update(loss >= scale.miss),
        }
        found = [self._found(name, level, event_at) for name, level in levels.items() if level in ("drift", "better")]
        for one in found:
            if one.level == "drift":
                self.votes = {**self.votes, one.detector: self.rows}
        better = levels["ADWIN"] == "better"
        if better:
            self.votes = {}
        elif self.votes and self.state != "drift":
            self.votes = {name: row for name, row in self.votes.items() if self.rows - row <= LASTING}
        if "warning" in levels.values():
            self.warned = self.rows
        before, self.state = self.state, self._judged(better)
        if self.state != before:
            found.append(self._found("concept", "better" if better and before == "drift" else self.state, event_at))
        return found

    def _judged(self, better: bool) -> State:
        if len(self.votes) >= VOTES or (self.state == "drift" and not better):
            return "drift"
        return "warning" if self.votes or (self.warned and self.rows - self.warned < CALM) else "stable"

    def _found(self, detector: Detector, level: Level, event_at: int) -> Detection:
        if detector != "ADWIN":
            return Detection(detector=detector, level=level, event_at=event_at, row=self.rows)
        before, after = (mean * self.scale.top for mean in (self.adwin.before, self.adwin.after))
        return Detection(
            detector=detector, level=level, event_at=event_at, row=self.rows, before=before, after=after
        )  # fmt: skip
