"""Origins: where what came from another workspace was made, and through what it came."""

from typing import TYPE_CHECKING

from lemnis.engine.share.records import Kind, Origin
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.share.manifest import Maker


def list_origins(store: Store) -> list[Origin]:
    """Return every origin, the latest first."""
    return [_origin(row) for row in store.rows("select * from origins order by at desc, rowid desc")]


def find_origin(store: Store, kind: Kind, here: str) -> Origin | None:
    """Return the origin of what is called `here`; None when it was made here."""
    row = store.row("select * from origins where kind = ? and here = ? order by at desc limit 1", [kind, here])
    return _origin(row) if row is not None else None


def maker_of(store: Store, kind: Kind, id: str, title: str, who: str) -> "Maker":
    """Return who made a thing that is here: another workspace where it came from one, else this one."""
    from lemnis.engine.share.manifest import Maker

    row = store.row("select * from origins where kind = ? and id = ?", [kind, id])
    if row is not None:
        return Maker(
            workspace=row["workspace"], workspace_name=row["workspace_name"], title=row["title"], who=row["who"]
        )
    identity = str(store.value("select id from identity"))
    return Maker(workspace=identity, workspace_name=store.workspace.root.name, title=title, who=who)


def _origin(row: Row) -> Origin:
    return Origin(**{name: row[name] for name in Origin.__struct_fields__})
