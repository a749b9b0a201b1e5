"""What the bench asks its child, and what comes back: one JSON document a line."""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine.config import Dataset
from lemnis.engine.data.drafts import KeyPage, KeyProposal, LinkDraft, LinkPreview, Side
from lemnis.engine.data.preview import Trouble
from lemnis.engine.data.snapshots import Snapshot


class Look(Struct, frozen=True, kw_only=True, tag=True):
    """What would a draft do?"""

    draft: LinkDraft
    snapshots: dict[str, Snapshot]


class Keys(Struct, frozen=True, kw_only=True, tag=True):
    """Which keys of a draft are on one side?"""

    look: Look
    side: Side
    offset: int
    limit: int


class Propose(Struct, frozen=True, kw_only=True, tag=True):
    """Which keys fit the source of a draft?"""

    look: Look


class Refused(Struct, frozen=True, kw_only=True, tag=True):
    """What would a dataset be refused for?"""

    dataset: Dataset
    snapshots: dict[str, Snapshot]


Question: TypeAlias = Look | Keys | Propose | Refused


class Proposals(Struct, frozen=True, kw_only=True):
    """The keys that fit, the best first."""

    proposals: list[KeyProposal]


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a dataset would be refused; empty when it would not."""

    words: str


class Reply(Struct, frozen=True, kw_only=True):
    """A line of the child: an answer, or why there is none and with which exit code a command would say so."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    trouble: Trouble | None = None
    exit_code: int = 0


Answer: TypeAlias = LinkPreview | KeyPage | Proposals | Refusal
