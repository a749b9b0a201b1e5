"""What the share room tells: things that are or can be shared, what is where, and origins, as frozen records."""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["dataset", "run", "model"]


class Item(Struct, frozen=True, kw_only=True):
    """One thing that is or can be shared.

    Attributes:
        ref: How it is named in a command: ``flights@v3``, ``run:12``, ``late@v2``; `names` are others it goes by.
        title: What it is called, for people.
        bytes: How large its files are; 0 where nobody has looked yet.
        maker: The workspace it was made in, for people; empty for this one.
        local: What it is called here when it came from elsewhere and has another number here.
    """

    kind: Kind
    id: str
    name: str
    ref: str
    title: str
    bytes: int
    created_at: int
    here: bool = False
    there: bool = False
    maker: str = ""
    local: str = ""
    names: list[str] = []

    @property
    def short(self) -> str:
        """The first eight digits of the id: enough for people."""
        return self.id[:8]


class Overview(Struct, frozen=True, kw_only=True):
    """What is here, at a place, or both.

    Attributes:
        remote: The remote's name, and `url` its address.
        faults: Manifests there that can't be read, a sentence each.
    """

    remote: str
    url: str
    items: list[Item]
    faults: list[str] = []


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
