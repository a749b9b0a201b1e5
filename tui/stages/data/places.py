"""The places of Data: its lists, a version in full, and two versions compared."""

from msgspec import Struct

from lemnis.engine.data import LinkReport, Snapshot, SourceState, Verification, Version
from lemnis.engine.jobs import Job
from lemnis.engine.share import Origin
from lemnis.tui.address import Address, address, version_part
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Table

ONE = {"sources": "source", "snapshots": "snapshot"}  # the kind of address of a row of a list


class DataView(Struct, frozen=True):
    """Everything the tab shows, read at one moment."""

    at: int
    sources: list[SourceState]
    snapshots: list[Snapshot]
    versions: list[Version]
    version: Version | None
    links: list[LinkReport]
    job: Job | None
    origin: Origin | None
    verified: tuple[int, Verification] | None


class DataPlaces(Stage[DataView]):
    """What the tab looks at, and how that is named and gone to.

    Attributes:
        version_id: Whose links are listed; empty for the latest version.
        subject: The table whose row is shown in full.
    """

    version_id = ""
    subject = "versions"
    _view: DataView | None = None

    def address(self) -> Address:
        view, key = self._view, self.query_one(f"#{self.subject}", Table).key
        if self.subject in ONE and key:
            return address(ONE[self.subject], key)
        if view is None or view.version is None:
            return Address("data")
        part, detail = version_part(view.version, view.versions), self.query_one("#detail", Table)
        if self.subject == "links" and key:
            return address("data", part, "link", key)
        return address("data", part, *(("column", detail.key) if detail.has_focus and detail.key else ()))

    def visit(self, place: Address) -> None:
        data = self.engine.data
        if place.kind == "diff":
            before, after = place.parts

            def both() -> tuple[str, str]:
                return data.version(before).id, data.version(after).id

            def show(ids: tuple[str, str]) -> None:
                from lemnis.tui.stages.data.diff import DiffScreen

                self.app.push_screen(DiffScreen(self.engine, *ids))

            self.seek(place, both, then=show)
        elif place.kind != "data":
            self.subject = f"{place.kind}s"
            self.remove_class("-open")
            self.point(self.subject, place.thing, f"There is no {place.kind} {place.thing}.")
        elif place.thing:
            self.seek(place, data.version, place.thing, then=lambda version: self._visit(version, place))
        else:
            self.remove_class("-open")
            self.point("versions", "")

    def _visit(self, version: Version, place: Address) -> None:
        """Show a version, and perhaps one of its links or columns."""
        link, column = place.named("link"), place.named("column")
        self.version_id, self.subject = version.id, "links" if link else "versions"
        self.set_class(bool(column), "-open")
        if link:
            self.point("links", link, f"{version.title} has no link {link}.")
        elif column:
            self.query_one("#versions", Table).select(version.id)
            self.point("detail", column, f"{version.title} has no column {column}.")
        else:
            self.point("versions", version.id, f"There is no {version.title} any more.")
