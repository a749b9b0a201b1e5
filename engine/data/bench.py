"""The bench: a child process where a link is tried before it is declared; a newer question ends the one before."""

import contextlib
import csv
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import msgspec

from lemnis.engine.config import Dataset
from lemnis.engine.data.drafts import KeyPage, KeyProposal, KeyRows, LinkDraft, LinkPreview, Side
from lemnis.engine.data.questions import Answer, Keys, Look, Proposals, Propose, Question, Refusal, Refused, Reply
from lemnis.engine.data.snapshots import current_snapshots, snapshot_paths
from lemnis.engine.errors import BadInput, Cancelled, LemnisError, Unavailable
from lemnis.engine.store import Store

SECONDS = 60  # that one answer may take
PAGE = 5_000  # keys read at once for an export

A = TypeVar("A", bound=Answer)


class LinkBench:
    """Tries links on the current snapshots. Any thread may ask; one question is answered at a time.

    SQL typed by people runs in the child, not here, and stops when the child is killed. Close it, or use it in a
    `with` block.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._asking = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped: subprocess.Popen[bytes] | None = None
        self._busy = False
        self._scratch: Path | None = None

    def __enter__(self) -> "LinkBench":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def preview(self, draft: LinkDraft) -> LinkPreview:
        """Return what a draft would do.

        Raises:
            BadInput: The draft is not accepted, or a source has no snapshot yet.
            Cancelled: A newer question came.
            Unavailable: It took longer than SECONDS, or more memory than there is.
        """
        return self._ask(self._look(draft), LinkPreview)

    def keys(self, draft: LinkDraft, side: Side, offset: int, limit: int) -> KeyPage:
        """Return keys of one side, those with the most rows first; see `preview`."""
        return self._ask(Keys(look=self._look(draft), side=side, offset=offset, limit=limit), KeyPage)

    def every_key(self, draft: LinkDraft, side: Side) -> Generator[KeyRows, None, None]:
        """Yield all keys of one side, read a page at a time."""
        offset = 0
        while rows := self.keys(draft, side, offset, PAGE).rows:
            yield from rows
            offset += len(rows)

    def export(self, draft: LinkDraft, side: Side, path: Path) -> int:
        """Write all keys of one side to a new CSV file: the keys, their rows, the rows that ask; return how many.

        Raises:
            BadInput: The file is there already or can't be written; or as `preview`.
        """
        names = draft.link.on.values() if side != "left" else draft.link.on
        count = 0
        try:
            with open(path, "x", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow([*names, "rows", "asked_by"])
                for one in self.every_key(draft, side):
                    writer.writerow([*one.key, one.rows, one.asked])
                    count += 1
        except FileExistsError:
            raise BadInput(f"{path} is there already.", "Name a new file.", str(path)) from None
        except OSError as error:
            raise BadInput(f"{path} can't be written: {error.strerror}.", "Name another place.", str(path)) from None
        return count

    def proposals(self, draft: LinkDraft) -> list[KeyProposal]:
        """Return keys that fit the source of a draft, measured on all rows, the best first; see `preview`."""
        return self._ask(Propose(look=self._look(draft)), Proposals).proposals

    def refusal(self, dataset: Dataset) -> str:
        """Return what a whole dataset would be refused for; empty when it would not be."""
        names = [dataset.base, *(link.source for link in dataset.links)]
        question = Refused(dataset=dataset, snapshots=snapshot_paths(self.store, list(dict.fromkeys(names))))
        return self._ask(question, Refusal).words

    def cancel(self) -> None:
        """End the question that is being answered, if one is; never waits."""
        if self._busy:
            self._stop()

    def close(self) -> None:
        """End the child."""
        self._stop()
        with self._asking:
            self._end()

    def _stop(self) -> None:
        child = self._stopped = self._child
        if child is not None:
            child.kill()

    def _look(self, draft: LinkDraft) -> Look:
        """Return the question with the snapshots it needs, and those that are there of the links behind it."""
        links = draft.dataset.links
        if not draft.dataset.base:
            raise BadInput("No dataset is declared.", "Name its base in [dataset].", "lemnis.toml: dataset.base")
        needed = [draft.dataset.base, *(link.source for link in links[: draft.position])]
        known = current_snapshots(self.store)
        later = [link.source for link in links[draft.position :] if link.source in known]
        return Look(draft=draft, snapshots=snapshot_paths(self.store, list(dict.fromkeys([*needed, *later]))))

    def _ask(self, question: Question, kind: type[A]) -> A:
        with self._asking:
            child = self._started()
            assert child.stdin
            assert child.stdout
            late = threading.Event()
            timer = threading.Timer(SECONDS, lambda: (late.set(), child.kill()))
            timer.start()
            self._busy = True
            try:
                child.stdin.write(msgspec.json.encode(question, enc_hook=str) + b"\n")
                child.stdin.flush()
                line = child.stdout.readline()
            except OSError:
                line = b""
            finally:
                self._busy = False
                timer.cancel()
            if not line.endswith(b"\n"):
                raise self._lost(child, late.is_set())
        reply = msgspec.json.decode(line, type=Reply)
        if reply.trouble is not None:
            error = BadInput if reply.exit_code == BadInput.exit_code else Unavailable
            raise error(reply.trouble.problem, reply.trouble.remedy, reply.trouble.place)
        return msgspec.json.decode(reply.answer, type=kind)

    def _started(self) -> subprocess.Popen[bytes]:
        """Return the child, started if there is none."""
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            folder = self.store.workspace.data
            folder.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".looking."))
            self._child = subprocess.Popen(
                [sys.executable, "-m", "lemnis.engine.data.benched", str(self._scratch)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.store.workspace.root,
            )
        return self._child

    def _lost(self, child: subprocess.Popen[bytes], late: bool) -> LemnisError:
        """Return why a child gave no answer, after it ended."""
        child.kill()
        stopped = child is self._stopped
        self._end()
        if late:
            problem = f"Trying this link took longer than {SECONDS} s."
            return Unavailable(problem, "Declare it and link: a job takes the time it needs.")
        if stopped:
            return Cancelled("The look was stopped.", "Look again.")
        return Unavailable("Trying this link ended its process.", "It may need more memory than there is.")

    def _end(self) -> None:
        child, scratch, self._child, self._scratch = self._child, self._scratch, None, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was not read yet has no reader any more
                        pipe.close()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
