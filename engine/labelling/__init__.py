"""Labelling: chooses the rows worth a label; it may ask every stage, and hands its rows to the label store."""

from typing import Any

from lemnis.engine.config import load_config
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.explore.labels import KINDS, Queue
from lemnis.engine.explore.labels.cards import check_labelled
from lemnis.engine.explore.labels.declared import declared_labels
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store
from lemnis.engine.text import safe

MEMORY_BYTES = 1 << 30
MOST_ROWS = 10_000
USUAL_ROWS = 300


class LabellingRoom:
    """Makes label queues, each in a job."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def start_queue(
        self,
        name: str,
        kind: str,
        who: str,
        *,
        rows: int = USUAL_ROWS,
        overlap: float = 0.0,
        model: str = "",
        by: str = "entropy",
        seed: int = 1,
        again: bool = False,
    ) -> int:
        """Queue the job that makes a label queue over the latest version, and return the job's id.

        Args:
            name: Which labels.
            kind: Which rows; see `explore.labels.KINDS`.
            who: Who wants it.
            rows: The longest the queue gets.
            overlap: Share of rows that two people are asked about, in [0, 1].
            model: For `uncertainty`: ``labels`` (a quick model of the labels so far), a run's number or MODEL@ALIAS;
                empty takes the champion that predicts this column, else ``labels``. For `disagreement`: the model's
                name.
            by: ``entropy`` or ``margin``.
            seed: Of what is left to chance.
            again: Also rows that are labelled already.

        Raises:
            NotFound: There are no such labels, or no version.
            BadInput: An argument is not accepted, or the version has no key.
        """
        if kind not in KINDS:
            raise BadInput(f"There is no kind of queue {safe(kind, limit=40)!r}.", f"Kinds: {', '.join(KINDS)}.")
        if not 1 <= rows <= MOST_ROWS or not 0 <= overlap <= 1 or by not in ("entropy", "margin"):
            raise BadInput(
                f"A queue of {rows} rows, overlap {overlap:g}, by {by!r} can't be made.",
                f"Give 1 to {MOST_ROWS:,} rows, an overlap of 0 to 1, and entropy or margin.",
            )
        version = find_version(self.store)
        check_labelled(version, name, declared_labels(load_config(self.store.workspace.config), name))
        # Any: JSON values of several types.
        arguments: dict[str, Any] = {
            "labels": name,
            "kind": kind,
            "version": version.id,
            "who": who,
            "rows": rows,
            "overlap": overlap,
            "model": model,
            "by": by,
            "seed": seed,
            "again": again,
        }
        title = f"label queue {name}: {kind}"
        return JobsRoom(self.store).submit("labelling.queue", title, arguments, memory_bytes=MEMORY_BYTES)

    def queue_failures(self, run_id: int, place: int, who: str) -> Queue:
        """Make a queue of one failure type's rows, worst first, and return it; an answer decides what is true.

        Args:
            run_id: Whose failures.
            place: Which type, from 0.
            who: Who wants it.

        Raises:
            NotFound: The run was not interpreted, or has no such type.
            BadInput: The target is a number, or the version has no key.
        """
        from lemnis.engine.labelling.failing import queue_of

        return queue_of(self.store, run_id, place, who)


__all__ = ["KINDS", "LabellingRoom"]
