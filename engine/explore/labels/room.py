"""LabelsRoom: what the other rooms, the console and the commands may ask of the labels of a workspace."""

from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.config import Labels, load_config
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput, ReadOnly
from lemnis.engine.explore.labels import events, queues
from lemnis.engine.explore.labels.agreement import Agreement, Pair, krippendorff_alpha, pairwise, wilson_interval
from lemnis.engine.explore.labels.cards import read_cells, shown_columns
from lemnis.engine.explore.labels.declared import declared_labels, label_set, list_applied
from lemnis.engine.explore.labels.exchange import export_labels, import_labels
from lemnis.engine.explore.labels.records import (
    Answer,
    Applied,
    Event,
    Item,
    LabelSet,
    Progress,
    Queue,
    Resolved,
    Task,
)
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store
from lemnis.engine.text import safe

MEMORY_BYTES = 1 << 30


class Accord(msgspec.Struct, frozen=True, kw_only=True):
    """How far the labellers of one question agree.

    Attributes:
        alpha: Krippendorff's, over every row that two or more labelled.
        pairs: Cohen's kappa and the confusion of each pair, the least agreeing first.
        audit: Rows of the audit slice whose label stands and for which a model had a suggestion, how many of these were
            right, and the interval of that share; None without any. It is the one unbiased figure of the model here.
    """

    labels: str
    alpha: Agreement
    pairs: list[Pair]
    audit: tuple[int, int, float, float] | None


class LabelsRoom:
    """The labels of a workspace."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def declared(self, name: str) -> Labels:
        """Return what lemnis.toml declares of some labels, or raise NotFound."""
        return declared_labels(load_config(self.store.workspace.config), name)

    def sets(self) -> list[LabelSet]:
        """Return every declared question and how far it is."""
        config = load_config(self.store.workspace.config)
        return [label_set(self.store, name, labels) for name, labels in config.labels.items()]

    def declare(self, name: str, labels: Labels, *, who: str) -> Labels:
        """Declare a question in lemnis.toml, comments kept; return it.

        Raises:
            BadInput: The name is taken.
            ConfigError: The declaration is not accepted.
        """
        if name in load_config(self.store.workspace.config).labels:
            raise BadInput(f"There are labels {safe(name)!r} already.", "Choose another name, or edit lemnis.toml.")
        facts: dict[str, Any] = {key: value for key, value in msgspec.to_builtins(labels).items() if value}
        facts |= {"column": labels.column, "classes": labels.classes}
        ProblemRoom(self.store).set(f"labels.{name}", facts, who, f"labels {name} declared")
        return self.declared(name)

    def queues(self, name: str = "") -> list[Queue]:
        """Return queues, newest first; of one question when it is named."""
        return queues.list_queues(self.store, name)

    def queue(self, queue_id: int) -> Queue:
        """Return one queue, or raise NotFound."""
        return queues.find_queue(self.store, queue_id)

    def items(self, queue_id: int) -> list[Item]:
        """Return the rows of a queue in the order of asking."""
        return queues.items_of(self.store, queue_id)

    def place_of(self, queue_id: int, row_key: str) -> int:
        """Return the place of a row in a queue, or raise NotFound."""
        return queues.place_of(self.store, queue_id, row_key)

    def next(self, queue_id: int, who: str) -> Task | None:
        """Take the next row for a labeller; None when nothing is left for them. Read-only, nothing can be taken.

        Raises:
            NotFound: There is no such queue, or its version is gone.
        """
        queue = self.queue(queue_id)
        item = queues.claim_next(self.store, queue_id, who)
        return None if item is None else self._task(queue, item, who)

    def at(self, queue_id: int, place: int, who: str) -> Task:
        """Return one row of a queue, answered or not, and take it.

        Raises:
            NotFound: There is no such queue or row.
        """
        queue, item = self.queue(queue_id), queues.item_at(self.store, queue_id, place)
        queues.claim(self.store, queue_id, who, place)
        return self._task(queue, item, who)

    def release(self, queue_id: int, who: str) -> None:
        """Give back the row that a labeller has on the screen, so that others are asked."""
        queues.release(self.store, queue_id, who)

    def progress(self, queue_id: int, who: str) -> Progress:
        """Return how a queue stands for one labeller."""
        queue = self.queue(queue_id)
        return queues.progress(self.store, queue, who, self.declared(queue.labels).classes)

    def answer(self, queue_id: int, place: int, answer: Answer, who: str) -> int:
        """Store what a labeller says of a row of a queue and return the event's id.

        Raises:
            BadInput: The class is not declared, or nobody says it.
            NotFound: There is no such queue or row.
        """
        queue, item = self.queue(queue_id), queues.item_at(self.store, queue_id, place)
        self._check(queue.labels, answer, who)
        return queues.record(self.store, queue, item, answer, who)

    def say(self, name: str, row_key: str, answer: Answer, who: str, *, gold: bool = False) -> int:
        """Store what somebody says of a row without a queue and return the event's id.

        Args:
            name: Which labels.
            row_key: The row's key columns, joined by ``|``.
            answer: What is said.
            who: Who says it.
            gold: It decides, whatever the votes say.

        Raises:
            BadInput: The class is not declared, or nobody says it.
            NotFound: There are no such labels.
        """
        self._check(name, answer, who)
        facts = {"labels": name, "row_key": row_key, "labeller": who, "value": answer.value, "note": answer.note}
        kind = "gold" if gold and answer.kind == "label" else answer.kind
        with self.store.write() as db:
            return events.add_event(db, kind=kind, took_ms=answer.took_ms, **facts)

    def undo(self, queue_id: int, who: str) -> Event | None:
        """Undo the last thing a labeller said in a queue; return it, None when nothing is left to undo."""
        return events.undo(self.store, queue_id, who)

    def redo(self, queue_id: int, who: str) -> Event | None:
        """Say again what was undone last; return it, None when something was said since."""
        return events.redo(self.store, queue_id, who)

    def history(self, name: str, row_key: str = "", limit: int = 1000) -> list[Event]:
        """Return the events of some labels, newest first; of one row when its key is given."""
        return events.history(self.store, name, row_key, limit)

    def resolved(self, name: str) -> list[Resolved]:
        """Return what stands for every row that was labelled."""
        return events.resolved(self.store, name)

    def applied(self, name: str) -> list[Applied]:
        """Return what was handed to the dataset, newest first."""
        return list_applied(self.store, name)

    def agreement(self, name: str) -> Accord:
        """Return how far labellers agree: of all, of each pair, and of a model with the audit slice."""
        self.declared(name)
        said: dict[str, dict[str, str]] = {}
        rows: dict[str, list[str]] = {}
        for vote in events.votes(self.store, name):
            if vote.value is not None:
                said.setdefault(vote.labeller, {})[vote.row_key] = vote.value
                rows.setdefault(vote.row_key, []).append(vote.value)
        alpha = krippendorff_alpha(rows.values())
        return Accord(labels=name, alpha=alpha, pairs=pairwise(said), audit=self._audit(name))

    def _audit(self, name: str) -> tuple[int, int, float, float] | None:
        row = self.store.row(
            """select count(*) as rows, sum(i.suggested = r.value) as right from label_items i
               join label_queues q on q.id = i.queue_id and q.labels = ? and q.kind = 'audit'
               join label_resolved r on r.labels = ? and r.row_key = i.row_key and r.value is not null
               where i.suggested is not null""",
            [name, name],
        )
        if row is None or not row["rows"]:
            return None
        return int(row["rows"]), int(row["right"]), *wilson_interval(int(row["right"]), int(row["rows"]))

    def export(self, name: str, path: Path, *, every: bool = False) -> int:
        """Write the labels that stand to a CSV or JSON-lines file and return how many; see `export_labels`."""
        self.declared(name)
        return export_labels(self.store, name, path, every=every)

    def take_in(self, name: str, path: Path, who: str) -> int:
        """Take labels in from a CSV or JSON-lines file and return how many were new; see `import_labels`."""
        classes = self.declared(name).classes
        return import_labels(self.store, name, path, classes=classes, who=who)

    def start_apply(self, name: str, who: str, *, audit: bool = False) -> int:
        """Queue the job that makes a dataset version with the labels that stand, and return its id.

        Args:
            name: Which labels.
            who: Who wants it.
            audit: Take the audit slice too; then no figure over it is unbiased any more.

        Raises:
            NotFound: There are no such labels, or no version.
            BadInput: Nothing is labelled yet.
        """
        self.declared(name)
        find_version(self.store)
        if not any(row.value for row in self.resolved(name)):
            raise BadInput(f"No row has a label of {name} that stands.", "Label some rows first.", f"labels {name}")
        arguments = {"labels": name, "who": who, "audit": audit}
        title = f"labels {name} into the dataset"
        return JobsRoom(self.store).submit("explore.labels.apply", title, arguments, memory_bytes=MEMORY_BYTES)

    def _task(self, queue: Queue, item: Item, who: str) -> Task:
        version = find_version(self.store, queue.version_id)
        columns = shown_columns(version, self.declared(queue.labels))
        notes = self.store.rows(
            "select labeller, note from label_standing where labels = ? and row_key = ? and note != '' order by id",
            [queue.labels, item.row_key],
        )
        return Task(
            queue_id=queue.id,
            item=item,
            cells=read_cells(version, item.row_number, columns),
            mine=queues.standing_of(self.store, queue.id, item.place, who),
            notes=[(row["labeller"], row["note"]) for row in notes],
        )

    def _check(self, name: str, answer: Answer, who: str) -> None:
        labels = self.declared(name)
        if self.store.read_only:
            raise ReadOnly("This workspace is open read-only.", "Leave out --read-only to label.")
        if not who.strip():
            raise BadInput("A label needs a labeller.", "Say who labels.")
        if answer.kind == "label" and answer.value not in labels.classes:
            known = ", ".join(labels.classes)
            raise BadInput(f"{safe(answer.value, limit=60)!r} is no class of {name}.", f"Classes: {known}.")
