"""Origins: where what came from another workspace was made, and through what it came."""

from msgspec import Struct

from lemnis.engine.share.manifest import Kind, Maker
from lemnis.engine.store import Row, Store


class Origin(Struct, frozen=True, kw_only=True):
    """Where one thing was made.

    Attributes:
        id: What it is in every workspace.
        here: What it is here: a version's hash, a run's number, ``model@version``.
        title: What it is called where it was made.
        who: Who handed it out there.
        via: The remote's address, or the bundle's file.
        checks: How its checks stood there, in words; empty when none ran.
        at: Epoch ms of its coming here.
    """

    kind: Kind
    id: str
    here: str
    title: str
    workspace: str
    workspace_name: str
    who: str
    via: str
    checks: str
    at: int

    @property
    def text(self) -> str:
        """The origin in words: ``flights v3 of workspace demo (1f0c9a52), handed out by ada, through s3://…``."""
        by = f", handed out by {self.who}" if self.who else ""
        return f"{self.title} of workspace {self.workspace_name} ({self.workspace[:8]}){by}, through {self.via}"


def list_origins(store: Store) -> list[Origin]:
    """Return every origin, the latest first."""
    return [_origin(row) for row in store.rows("select * from origins order by at desc, rowid desc")]


def find_origin(store: Store, kind: Kind, here: str) -> Origin | None:
    """Return the origin of what is called `here`; None when it was made here."""
    row = store.row("select * from origins where kind = ? and here = ? order by at desc limit 1", [kind, here])
    return _origin(row) if row is not None else None


def maker_of(store: Store, kind: Kind, id: str, title: str, who: str) -> Maker:
    """Return who made a thing that is here: another workspace where it came from one, else this one."""
    row = store.row("select * from origins where kind = ? and id = ?", [kind, id])
    if row is not None:
        return Maker(
            workspace=row["workspace"], workspace_name=row["workspace_name"], title=row["title"], who=row["who"]
        )
    identity = str(store.value("select id from identity"))
    return Maker(workspace=identity, workspace_name=store.workspace.root.name, title=title, who=who)


def _origin(row: Row) -> Origin:
    return Origin(**{name: row[name] for name in Origin.__struct_fields__})
