"""The child that tries links: a question (JSON) a line comes on stdin, an answer a line leaves on stdout."""

import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.data.drafts import LinkPreview
from lemnis.engine.data.duck import open_duck, refusals
from lemnis.engine.data.pairing import proposals_of
from lemnis.engine.data.preview import Trouble
from lemnis.engine.data.questions import Answer, Keys, Look, Proposals, Propose, Question, Refusal, Reply
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.data.trial import page_of, preview_of, refusal_of
from lemnis.engine.errors import LemnisError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GiB"  # what DuckDB holds; what doesn't fit goes to the scratch folder
ADDRESS_BYTES = 8 << 30  # of address space; libraries reserve more than they touch
MOST_THREADS = 4


class Trier:
    """Answers questions; the connection of the last look stays open, so that its keys can be paged through."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.look: Look | None = None
        self.preview: LinkPreview | None = None
        self.duck: DuckDBPyConnection | None = None

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question.

        Raises:
            LemnisError: There is none.
        """
        if isinstance(question, Keys):
            duck = self.looked(question.look)[0]
            return page_of(duck, question.look.draft, question.side, question.offset, question.limit)
        if isinstance(question, Look):
            return self.looked(question)[1]
        duck = self.opened((question.look if isinstance(question, Propose) else question).snapshots)
        try:
            if isinstance(question, Propose):
                return Proposals(proposals=proposals_of(duck, question.look.draft, question.look.snapshots))
            return Refusal(words=refusal_of(duck, question.dataset, question.snapshots))
        finally:
            duck.close()

    def looked(self, look: Look) -> "tuple[DuckDBPyConnection, LinkPreview]":
        """Return the connection in which a draft's keys are counted, and what it would do; counted once in a row."""
        if self.look != look or self.duck is None or self.preview is None:
            if self.duck is not None:
                self.duck.close()
            self.look = self.preview = None
            self.duck = self.opened(look.snapshots)
            self.preview = preview_of(self.duck, look.draft, look.snapshots)
            self.look = look
        return self.duck, self.preview

    def opened(self, snapshots: dict[str, Snapshot]) -> "DuckDBPyConnection":
        """Return a connection that may read these snapshots and nothing else."""
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        views = {name: snapshot.path for name, snapshot in snapshots.items()}
        return open_duck(threads, MEMORY, views=views, spill=self.scratch)


# Any: msgspec's hooks take and give whatever they meet; the one foreign type is a path.
def as_path(kind: type, value: Any) -> Any:
    """Return a path that came as text."""
    return Path(value) if issubclass(kind, Path) else value


def main() -> int:
    """Answer until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    trier = Trier(Path(sys.argv[1]))
    for line in sys.stdin.buffer:
        try:
            with refusals("dataset.links"):
                answer = trier.answer(msgspec.json.decode(line, type=Question, dec_hook=as_path))
            reply = Reply(answer=msgspec.Raw(msgspec.json.encode(answer)))
        except LemnisError as error:
            trouble = Trouble(problem=error.problem, remedy=error.remedy, place=error.place)
            reply = Reply(trouble=trouble, exit_code=error.exit_code)
        sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    os._exit(main())  # DuckDB's and pyarrow's threads need no goodbye
